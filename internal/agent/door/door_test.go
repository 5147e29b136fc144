package door_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/agent/door"
)

// open opens a door in a directory whose path is too long for a socket's address.
func open(t *testing.T, handle door.Handler) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "door")
	d, err := door.Open(t.Context(), path, handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return path
}

func TestAskingAtADoor(t *testing.T) {
	path := open(t, func(_ context.Context, r door.Request) door.Answer {
		if r.Login != nil {
			return door.Answer{Username: r.Login.Host, Password: "secret"}
		}
		return door.Answer{Problem: strings.Join(r.Mask, " and ")}
	})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if a, err := door.Ask(path, door.Request{Mask: []string{"one", "two"}}); err != nil || a.Problem != "one and two" {
				t.Errorf("Ask = %v, %v", a, err)
			}
		})
	}
	wg.Wait()
	a, err := door.Ask(path, door.Request{Login: &door.Login{Protocol: "https", Host: "example.com", Path: "a/b"}})
	if err != nil || a != (door.Answer{Username: "example.com", Password: "secret"}) {
		t.Errorf("Ask = %v, %v", a, err)
	}
	if _, err := door.Ask(path, door.Request{Mask: []string{strings.Repeat("x", 9<<20)}}); err == nil {
		t.Error("9 MiB are taken")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the socket is %v, %v", info, err)
	}
}

// Whoever says nothing, or nonsense, does not keep others from being answered
// or the door from being closed.
func TestADoorAndThoseWhoSayNothing(t *testing.T) {
	entered := make(chan struct{})
	dir := t.TempDir()
	path := filepath.Join(dir, "door")
	d, err := door.Open(t.Context(), path, func(ctx context.Context, r door.Request) door.Answer {
		if len(r.Mask) > 0 {
			close(entered)
			<-ctx.Done() // a server that never answers
		}
		return door.Answer{}
	})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	nonsense, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer nonsense.Close()
	if _, err := nonsense.Write([]byte(`{"mask": 7`)); err != nil {
		t.Fatal(err)
	}
	if err := nonsense.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(nonsense); err != nil || !strings.Contains(string(text), "not understood") {
		t.Errorf("nonsense is answered %q, %v", text, err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := door.Ask(path, door.Request{Mask: []string{"x"}})
		asked <- err
	}()
	<-entered
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := <-asked; err == nil {
		t.Error("a closed door answers")
	}
	if _, err := door.Ask(path, door.Request{}); err == nil {
		t.Error("a closed door answers")
	}
}
