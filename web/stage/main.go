// Command stage puts the console on a stage: the real server in a folder of its
// own, a source provider of each kind beside it, and a door through which a test
// or a developer moves what happens there.
//
//	make build && go run ./web/stage -seed
//
// prints one line of JSON once all is up, and serves until its standard input
// ends or it is interrupted:
//
//	console   a one-time link into the console
//	url       where browsers reach the server
//	control   where to send commands, see control.go
//	accessKeyId, secretAccessKey   the owner's
//	forges    by server type: url (of the provider), location (of the repository
//	          octo/recipes or octo/kitchen/recipes as a project says it), token, username
//	bigBuild  the build whose log has -log-lines lines
//
// -seed fills it as it looks after some weeks of use: credentials in every
// state of health, projects, builds, deliveries. -builds N adds N finished builds
// to the project history, -log-lines N makes one of them have a log of N lines.
// -proxy puts a proxy with TLS before the server, below a path.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"slipway/internal/source/sourcetest"
)

func main() {
	binary := flag.String("slipway", "bin/slipway", "the server to put on the stage")
	seed := flag.Bool("seed", false, "fill it as after some weeks of use")
	builds := flag.Int("builds", 0, "finished builds to add to the project history")
	lines := flag.Int("log-lines", 0, "lines of the log of one of them")
	behind := flag.Bool("proxy", false, "put a proxy with TLS before it, below the path /ci; url and console are there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, options{*binary, *seed, *behind, *builds, *lines}); err != nil {
		fmt.Fprintln(os.Stderr, "stage:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	binary        string
	seed, proxy   bool
	builds, lines int
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "slipway-stage-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &stage{dir: dir, forges: map[string]*forge{}}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	var big string
	if o.lines > 0 {
		if big, err = writeLog(data, o.lines); err != nil {
			return err
		}
	}
	var front net.Listener
	if o.proxy {
		if front, s.public, err = listenTLS(); err != nil {
			return err
		}
	}
	if err := s.serve(ctx, o.binary, data); err != nil {
		return err
	}
	if front != nil {
		if err := proxy(ctx, front, s.client.Endpoint); err != nil {
			return err
		}
	}
	if o.builds > 0 || o.lines > 0 {
		if err := s.history(ctx, data, o.builds, big); err != nil {
			return err
		}
	}
	if o.seed {
		if err := s.seed(ctx); err != nil {
			return err
		}
	}
	control, err := s.control(ctx)
	if err != nil {
		return err
	}
	link, err := s.link(ctx)
	if err != nil {
		return err
	}
	about := map[string]any{
		"console": link, "url": s.public, "control": control, "bigBuild": big, "forges": s.forges,
		"accessKeyId": s.client.Key.ID, "secretAccessKey": s.client.Key.Secret.Reveal(),
	}
	if err := json.NewEncoder(os.Stdout).Encode(about); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started us is gone when this ends
	}()
	select {
	case <-ctx.Done():
	case <-ended:
	case <-s.exited:
		return errors.New("the server ended by itself")
	}
	return nil
}

// A forge is one provider with a private repository and a token for it.
type forge struct {
	at       *sourcetest.Server
	URL      string `json:"url"`
	Owner    string `json:"owner"`
	Location string `json:"location"`
	Token    string `json:"token"`
	Username string `json:"username,omitzero"`
}
