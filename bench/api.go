package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/secret"
	"slipway/internal/sigv4"
)

// An operation is a kind of request that a load consists of.
type operation struct {
	name  string
	write bool
	body  func(n int64) []byte // the n-th request's
}

const projectBody = `{"name":"%s-%d","source":{"type":"NO_SOURCE","buildspec":"version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n"},"artifacts":{"type":"NO_ARTIFACTS"},"environment":{"type":"LINUX_CONTAINER","image":"local","computeType":"BUILD_GENERAL1_SMALL","environmentVariables":[{"name":"STAGE","value":"test"}]},"serviceRole":"arn:aws:iam::000000000000:role/build"}`

func operations() []operation {
	fixed := func(text string) func(int64) []byte { return func(int64) []byte { return []byte(text) } }
	return []operation{
		{"ImportSourceCredentials", true, fixed(`{"serverType":"GITHUB","authType":"PERSONAL_ACCESS_TOKEN","token":"ghp_0123456789abcdefghijklmnopqrstuvwxyz"}`)},
		{"CreateProject", true, func(n int64) []byte { return fmt.Appendf(nil, projectBody, "made", n) }},
		{"StartBuild", true, fixed(`{"projectName":"app-0"}`)},
		{"BatchGetProjects", false, fixed(`{"names":["app-0"]}`)},
		{"ListProjects", false, fixed(`{"sortBy":"NAME"}`)},
	}
}

// api measures the API at 1, 8 and 64 connections beside an echo server that
// verifies the same signatures, and durable writes beside a plain fsync.
func (b *bench) api() error {
	key := accesskey.Key{ID: "AKIABENCHBENCHBENCHX", Secret: secret.New(strings.Repeat("s", 40))}
	echoURL, stopEcho, err := b.startEcho(key)
	if err != nil {
		return err
	}
	defer stopEcho()
	fsync, err := fsyncFloor(b.dir)
	if err != nil {
		return err
	}
	b.table.add("append 4 KiB + fsync", ms(fsync), "", "", "")
	s, err := b.serve(b.dir, "--runner", "none")
	if err != nil {
		return err
	}
	defer s.stop()
	for n := range 100 {
		if err := b.once(s, "CreateProject", fmt.Appendf(nil, projectBody, "app", n)); err != nil {
			return err
		}
	}
	length := time.Duration(b.pick(2000, 300)) * time.Millisecond
	var made atomic.Int64
	for _, connections := range []int{1, 8, 64} {
		plain, err := load(b.ctx, target{url: echoURL}, "Echo", connections, length, fixedBody)
		if err != nil {
			return err
		}
		signed, err := load(b.ctx, target{url: echoURL, key: &key}, "Echo", connections, length, fixedBody)
		if err != nil {
			return err
		}
		b.table.add(fmt.Sprintf("JSON echo, c=%d", connections), plain.String(), "", "", "")
		b.table.add(fmt.Sprintf("JSON echo, signed, c=%d", connections), signed.String(), "", times(signed.rate, plain.rate), "")
		for _, op := range operations() {
			body := func() []byte { return op.body(made.Add(1)) }
			got, err := load(b.ctx, target{url: s.url, key: &s.client.Key}, op.name, connections, length, body)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			goal := map[bool]map[int]string{true: {8: "≥ 0.30 ×", 64: "≥ 0.40 ×, p99 ≤ 40 ms"}, false: {8: "≥ 0.60 ×"}}[op.write][connections]
			if op.write && connections == 1 {
				limit := 3 * (fsync + plain.latency.at(50))
				goal = "p50 ≤ " + ms(limit)
			}
			b.table.add(fmt.Sprintf("%s, c=%d", op.name, connections), got.String(), fmt.Sprintf("signed echo %.0f/s", signed.rate), times(got.rate, signed.rate), goal)
		}
	}
	return nil
}

func fixedBody() []byte { return []byte(`{"names":["app-0"]}`) }

// once sends one request and expects it to succeed.
func (b *bench) once(s *server, op string, body []byte) error {
	return request(b.ctx, http.DefaultClient, target{url: s.url, key: &s.client.Key}, op, body)
}

// A target is where a load goes; a nil key sends unsigned.
type target struct {
	url string
	key *accesskey.Key
}

// A result is what a load came to.
type result struct {
	rate    float64 // requests a second
	latency sample
}

func (r result) String() string { return fmt.Sprintf("%.0f/s %s", r.rate, r.latency) }

// load keeps a number of connections busy for a while.
func load(ctx context.Context, to target, op string, connections int, length time.Duration, body func() []byte) (result, error) {
	var mu sync.Mutex // guards all and failure
	var all sample
	var failure error
	var workers sync.WaitGroup
	began := time.Now()
	for range connections {
		workers.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			var mine sample
			var err error
			for err == nil && time.Since(began) < length {
				sent := time.Now()
				err = request(ctx, client, to, op, body())
				mine = append(mine, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			failure = errors.Join(failure, err)
		})
	}
	workers.Wait()
	return result{float64(len(all)) / time.Since(began).Seconds(), all}, failure
}

func request(ctx context.Context, client *http.Client, to target, op string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "CodeBuild_20161006."+op)
	if to.key != nil {
		sigv4.Sign(r, body, *to.key, "us-east-1", "codebuild", time.Now())
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d: %s", op, answer.StatusCode, text)
	}
	return nil
}

// startEcho starts the echo server as a process of its own: what it uses of
// the machine must not be the client's.
func (b *bench) startEcho(key accesskey.Key) (url string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(b.ctx, self, "echo", addr, key.ID, key.Secret.Reveal())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	for range 200 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return "http://" + addr, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }, conn.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", nil, errors.New("the echo server does not listen")
}

// echo is the floor under the API: a server that decodes JSON, encodes it again
// and, if the request is signed, verifies that.
func echo(args []string) {
	key := accesskey.Key{ID: args[1], Secret: secret.New(args[2])}
	verifier := echoVerifier(key)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Header.Get("Authorization") != "" {
			err = verifier(r, body)
		}
		var v map[string]any
		if err == nil {
			err = json.Unmarshal(body, &v)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(v)
	})
	srv := &http.Server{Addr: args[0], Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(os.Stderr, srv.ListenAndServe())
}

// fsyncFloor is the median of appending 4 KiB and waiting for the disk.
func fsyncFloor(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	var all sample
	for range 200 {
		began := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	return all.at(50), nil
}
