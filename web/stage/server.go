package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/awsjson"
	"slipway/internal/secret"
)

// A stage is the server, the providers and the way to both.
type stage struct {
	dir       string
	endpoints []string // for --source-endpoint
	forges    map[string]*forge
	client    *awsjson.Client
	public    string // where browsers and providers reach the server
	process   *exec.Cmd
	exited    chan struct{}
}

// serve starts the server where the providers reach it.
func (s *stage) serve(ctx context.Context, binary, data string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	if s.public == "" {
		s.public = "http://" + address
	}
	s.process = exec.Command(binary, "serve", "--data", data, "--listen", address, "--public-url", s.public,
		"--source-endpoint", strings.Join(s.endpoints, ","), "--drain", "0s", "--log-level", "warn")
	s.process.Stderr = os.Stderr
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to hand on
	printed, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("%w: run make build first", err)
	}
	s.exited = make(chan struct{})
	listens := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(printed); lines.Scan(); {
			if _, url, ok := strings.Cut(lines.Text(), " listens on "); ok {
				listens <- url
			}
		}
		_ = s.process.Wait() // how it ended is what it printed
		close(s.exited)
	}()
	select {
	case url := <-listens:
		s.client = &awsjson.Client{Endpoint: url, Region: "us-east-1"}
	case <-s.exited:
		return errors.New("the server did not start")
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.ownerKey(ctx, binary, data)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// ownerKey takes the owner's key from what slipway env prints.
func (s *stage) ownerKey(ctx context.Context, binary, data string) error {
	out, err := exec.CommandContext(ctx, binary, "env", "--data", data).Output()
	if err != nil {
		return fmt.Errorf("slipway env: %w", err)
	}
	for _, line := range strings.Split(string(out), "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		switch value = strings.Trim(value, "'"); name {
		case "AWS_ACCESS_KEY_ID":
			s.client.Key.ID = value
		case "AWS_SECRET_ACCESS_KEY":
			s.client.Key = accesskey.Key{ID: s.client.Key.ID, Secret: secret.New(value)}
		}
	}
	return nil
}

// link returns a new one-time link into the console.
func (s *stage) link(ctx context.Context) (string, error) {
	var out slipway.CreateSignInLinkOutput
	err := s.client.Call(ctx, slipway.Definition, "CreateSignInLink", &slipway.CreateSignInLinkInput{}, &out)
	return out.URL, err
}

// call calls an operation of CodeBuild.
func call[Out any](ctx context.Context, s *stage, operation string, in any) (*Out, error) {
	out := new(Out)
	return out, s.client.Call(ctx, api.CodeBuild, operation, in, out)
}

func (s *stage) close() error {
	var errs []error
	if s.exited != nil {
		_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-s.exited:
		case <-time.After(20 * time.Second):
			errs = append(errs, s.process.Process.Kill())
		}
	}
	for _, f := range s.forges {
		errs = append(errs, f.at.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Join(s.dir, "data")))...)
}
