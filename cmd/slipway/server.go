package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/agentapi"
	"slipway/internal/blob"
	"slipway/internal/checkup"
	"slipway/internal/doctor"
	"slipway/internal/extension"
	"slipway/internal/keyring"
	"slipway/internal/logstream"
	"slipway/internal/receiver"
	"slipway/internal/recorder"
	"slipway/internal/registrar"
	"slipway/internal/runner/docker"
	"slipway/internal/schedule"
	"slipway/internal/secret"
	"slipway/internal/store"
	"slipway/internal/vault/embedded"
)

// A server is everything that serve runs, listening but at rest until run.
type server struct {
	o           serveOptions
	url         string
	runners     []string       // by name, where builds can run
	docker      *docker.Runner // nil if builds have no containers
	sandboxNote string         // for people: where user code runs
	link        secret.Text    // signs one person in at the console

	lock      *os.File
	db        *store.DB
	logs      *logstream.Store
	blobs     *blob.Store
	keyring   *keyring.Keyring
	vault     *embedded.Vault
	scheduler *schedule.Scheduler
	checker   *checkup.Checker
	where     doctor.Machine
	registrar *registrar.Registrar
	receiver  *receiver.Receiver
	recorder  *recorder.Recorder
	sessions  *extension.Sessions
	clients   net.Listener // AWS clients
	agents    net.Listener // our agents on this machine
	handler   http.Handler
	agentAPI  http.Handler
}

// start opens the data folder and listens. What it opened is closed by run, or
// by itself if it fails.
func start(ctx context.Context, o serveOptions) (_ *server, err error) {
	s := &server{o: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.lock, err = o.data.open(); err != nil {
		return nil, err
	}
	keys, err := o.data.keyset(o.key)
	if err != nil {
		return nil, err
	}
	if s.db, err = store.Open(ctx, string(o.data)); err != nil {
		return nil, err
	}
	owner, err := ownerKey(ctx, s.db, keys, o.account)
	if err != nil {
		return nil, fmt.Errorf("the owner's access key: %w", err)
	}
	if s.logs, err = logstream.Open(o.data.file("logs")); err != nil {
		return nil, err
	}
	s.blobs = blob.New(blob.Options{Dir: string(o.data), URL: o.bucketURL})
	if s.agents, err = agentapi.ListenUnix(ctx, o.data.file("agent.sock")); err != nil {
		return nil, err
	}
	place, err := s.runner(ctx)
	if err != nil {
		return nil, err
	}
	if s.clients, err = new(net.ListenConfig).Listen(ctx, "tcp", o.listen); err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another address with --listen", o.listen, err)
	}
	s.url = "http://" + s.clients.Addr().String()
	s.wire(keys, place)
	if err := s.invite(ctx, owner); err != nil {
		return nil, err
	}
	return s, o.data.writeEndpoint(endpoint{URL: s.url, Region: o.region, Account: o.account, Key: o.key})
}

// agentCommand is the lean agent beside this program, or else this program.
func agentCommand() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	lean := filepath.Join(filepath.Dir(self), "slipway-agent")
	if info, err := os.Stat(lean); err == nil && info.Mode().IsRegular() {
		return []string{lean}, nil
	}
	return []string{self, "agent"}, nil
}

// run serves until ctx ends, then stops: running builds are waited for as long
// as --drain says, and left to the next start after that.
func (s *server) run(ctx context.Context) error {
	quiet := slog.NewLogLogger(s.o.log.Handler(), slog.LevelDebug)
	clients := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: quiet}
	agents := &http.Server{Handler: s.agentAPI, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	// What must go on while the server drains ends with this context, not ctx.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, gctx := errgroup.WithContext(serving)
	for srv, l := range map[*http.Server]net.Listener{clients: s.clients, agents: s.agents} {
		g.Go(func() error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	if s.o.runner == noRunner {
		s.drain(serving)
	}
	g.Go(func() error { return s.scheduler.Run(gctx) })
	g.Go(func() error { return s.checker.Run(gctx) })
	g.Go(func() error {
		s.keyring.Run(gctx)
		return nil
	})
	g.Go(func() error {
		s.vault.Run(gctx)
		return nil
	})
	g.Go(func() error { return s.registrar.Run(gctx) })
	g.Go(func() error { return s.receiver.Run(gctx) })
	g.Go(func() error { return s.recorder.Run(gctx) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-gctx.Done(): // one of the others failed
		}
		s.drain(serving)
		ending, cancel := context.WithTimeout(serving, 5*time.Second)
		defer cancel()
		_ = clients.Shutdown(ending) // a client that does not finish in time is cut off
		stop()
		return errors.Join(clients.Close(), agents.Close())
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.close())
}

// drain waits for running builds for a while.
func (s *server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.o.drain)
	defer cancel()
	if err := s.scheduler.Drain(ctx); err != nil {
		s.o.log.Info("builds are still running: the next start takes them up if it comes within a minute")
	}
}

// close gives back what start opened. The data folder's lock goes last.
func (s *server) close() error {
	var err error
	for _, l := range []net.Listener{s.clients, s.agents} {
		if l != nil {
			if e := l.Close(); !errors.Is(e, net.ErrClosed) {
				err = errors.Join(err, e)
			}
		}
	}
	if s.docker != nil {
		err = errors.Join(err, s.docker.Close())
	}
	if s.blobs != nil {
		err = errors.Join(err, s.blobs.Close())
	}
	if s.logs != nil {
		err = errors.Join(err, s.logs.Close())
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}
