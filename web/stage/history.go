package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
	"slipway/internal/store"
)

// The project that has a long past.
const historyProject = "history"

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

// writeLog writes a log of n lines in the data folder of a server that does not
// run yet, and returns the id of the build that it is of.
func writeLog(data string, n int) (id string, err error) {
	logs, err := logstream.Open(filepath.Join(data, "logs"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	id = build.NewID(historyProject)
	stream := logstream.StreamID{Scope: scope, Group: "/aws/codebuild/" + historyProject, Name: id[len(historyProject)+1:]}
	start := time.Now().Add(-time.Hour)
	if err := logs.Create(stream, start); err != nil {
		return "", err
	}
	b, seq := frame.NewBuilder(), uint64(0)
	send := func() error {
		err := logs.Append(stream, seq, b.Frame())
		seq++
		return err
	}
	for i := range n {
		at, line := start.Add(time.Duration(i)*time.Millisecond).UnixMilli(), []byte(logLine(i, n))
		if b.Add(at, line) {
			continue
		}
		if err := send(); err != nil { // the frame is full
			return "", err
		}
		b.Add(at, line)
	}
	if err := send(); err != nil {
		return "", err
	}
	return id, logs.Sync(stream)
}

// logLine is line i of n: what a long test run prints, failing near its end.
func logLine(i, n int) string {
	stamp := "[Container] 2026/11/27 06:00:00.000000 "
	switch {
	case i == 0:
		return stamp + "Entering phase BUILD\n"
	case i == 1:
		return stamp + "Running command make test\n"
	case i == n-3:
		return "\x1b[31mFAIL\x1b[0m kitchen/soup: too salty\n"
	case i == n-2:
		return stamp + "Command did not exit successfully make test exit status 2\n"
	case i == n-1:
		return stamp + "Phase complete: BUILD State: FAILED\n"
	case i%50 == 0:
		return fmt.Sprintf("\x1b[1;34m=== RUN\x1b[0m   kitchen/recipes/TestIngredient%07d\n", i)
	}
	return fmt.Sprintf("\x1b[32mok\x1b[0m   kitchen/recipes/ingredient%07d   0.0%02ds   coverage: %d.%d%% of statements\n", i, i%90+10, i%100, i%10)
}

// history makes the project with a long past: n finished builds over the last
// weeks, and the failed build big if that is not empty. It writes beside the
// running server, which reads what is there.
func (s *stage) history(ctx context.Context, data string, n int, big string) (err error) {
	if err := s.project(ctx, historyProject, &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new(plainSpec)}); err != nil {
		return err
	}
	db, err := store.Open(ctx, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := db.Projects().Get(ctx, scope, historyProject)
	if err != nil {
		return err
	}
	caller := accesskey.Caller{Scope: scope, User: "local"}
	accept := func(ctx context.Context, id string, start time.Time, took time.Duration, status api.StatusType) error {
		b, err := build.New(p, &api.StartBuildInput{ProjectName: historyProject}, caller, id, start)
		if err != nil {
			return err
		}
		b.Claim([]byte("nobody"), start, start.Add(time.Minute))
		b.Begin(start, start.Add(time.Minute))
		b.Fail(status, "", "", start.Add(took))
		_, err = db.Builds().Accept(ctx, b, nil)
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(64) // writes that wait together share one sync of the disk
	now := time.Now()
	for i := range n {
		status := api.StatusTypeSucceeded
		if i%7 == 3 {
			status = api.StatusTypeFailed
		}
		start := now.Add(-time.Duration(n-i) * 20 * time.Second)
		g.Go(func() error {
			return accept(gctx, build.NewID(historyProject), start, time.Duration(20+i%100)*time.Second, status)
		})
	}
	if err := g.Wait(); err != nil || big == "" {
		return err
	}
	return accept(ctx, big, now.Add(-time.Hour), 20*time.Minute, api.StatusTypeFailed)
}
