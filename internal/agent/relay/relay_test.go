package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns two ends of one connection.
func pair(t testing.TB) (agent *Conn, container *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	agent, err = Open(os.NewFile(uintptr(fds[0]), "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close() })
	f := os.NewFile(uintptr(fds[1]), "container")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return agent, c.(*net.UnixConn)
}

func TestMemory(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  Memory
	}{
		"two":       {map[string]string{"memory.events": "low 0\noom 4\noom_kill 3\noom_group_kill 1\n", "memory.max": "4294967296\n"}, Memory{3, 4 << 30}},
		"two, free": {map[string]string{"memory.events": "oom_kill 0\n", "memory.max": "max\n"}, Memory{}},
		"one":       {map[string]string{"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "memory/memory.limit_in_bytes": "67108864\n"}, Memory{2, 64 << 20}},
		"one, free": {map[string]string{"memory/memory.oom_control": "oom_kill 0\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}, Memory{}},
		"none":      {nil, Memory{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tt.files {
				if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755), os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			if got := memory(dir); got != tt.want {
				t.Errorf("memory = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAwait(t *testing.T) {
	for said, want := range map[string]string{
		"{}\n":                            "",
		`{"problem":"no shell"}` + "\n":   "no shell",
		"":                                "EOF",
		"{}":                              "EOF",
		"ready\n":                         "does not answer",
		strings.Repeat("x", 2*maxMessage): "does not answer",
	} {
		agent, container := pair(t)
		go func() {
			_, _ = io.WriteString(container, said)
			container.Close()
		}()
		err := Await(agent.conn, time.Now().Add(time.Minute))
		if got := errorText(err); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("Await of %.30q = %q, want %q", said, got, want)
		}
	}
	agent, _ := pair(t)
	if err := Await(agent.conn, time.Now().Add(time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Await of one who says nothing = %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestARequestAndItsFilesArrive(t *testing.T) {
	agent, container := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	started := make(chan error, 1)
	go func() {
		started <- agent.Start(Command{Path: "/bin/sh", Args: []string{"-c", strings.Repeat(":\n", 8000)}, Dir: "/x"}, []*os.File{w, w})
	}()
	in, files, err := receive(container)
	if err != nil || in.Start == nil || in.Start.Dir != "/x" || len(in.Start.Args[1]) != 16000 || len(files) != 2 {
		t.Fatalf("receive = %+v, %d files, %v", in, len(files), err)
	}
	if err := (&first{conn: container}).answer(answer{Path: "/usr/bin"}); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil || agent.Path() != "/usr/bin" {
		t.Errorf("Start = %v, PATH %q", err, agent.Path())
	}
	w.Close()
	if _, err := io.WriteString(files[1], "hello"); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("a passed file is left open for whatever is started: %d, %v", flags, err)
		}
		f.Close()
	}
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
		t.Errorf("through the pipe came %q, %v", got, err)
	}
}

// One who holds the other end may be user code.
func TestAnswersOfAStranger(t *testing.T) {
	for _, said := range []string{"", "\n", "null\n", "[]\n", `{"killed":"many"}` + "\n", strings.Repeat("{", 3*maxMessage)} {
		agent, container := pair(t)
		go func() {
			_, _, _ = receive(container)
			_, _ = io.WriteString(container, said)
			container.Close()
		}()
		if m, err := agent.Memory(); m != (Memory{}) || err == nil && said != "null\n" {
			t.Errorf("Memory after %.20q = %+v, %v", said, m, err)
		}
	}
}

func TestEndWaitsNoLongerThanItsLimit(t *testing.T) {
	agent, _ := pair(t)
	asked := make(chan error, 1)
	go func() {
		_, err := agent.Memory()
		asked <- err
	}()
	begin := time.Now()
	agent.End(50 * time.Millisecond)
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("End took %v", took)
	}
	if err := <-asked; err == nil {
		t.Error("Memory succeeded without an answer")
	}
}

func TestMainIsForFirstProcesses(t *testing.T) {
	var said strings.Builder
	if status := Main([]string{"/no/socket"}, &said); status != 2 || !strings.Contains(said.String(), "usage") {
		t.Errorf("Main = %d, %q", status, &said)
	}
	dir := t.TempDir()
	if status := Sweep([]string{dir}, &said); status != 2 {
		t.Errorf("Sweep = %d, %q", status, &said)
	}
}

func TestOwnFollowsNoLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.WriteFile(outside, nil, 0o600), os.Chown(outside, 12345, 12345), os.Mkdir(filepath.Join(dir, "src"), 0o700),
		os.WriteFile(filepath.Join(dir, "src", "file"), nil, 0o600), os.Symlink(outside, filepath.Join(dir, "src", "link")),
		os.Chown(filepath.Join(dir, "src", "file"), 12345, 12345), os.Chown(filepath.Join(dir, "src"), 12345, 12345),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := own(dir); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{filepath.Join(dir, "src", "file"): 0, filepath.Join(dir, "src"): 0, outside: 12345} {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Uid != want {
			t.Errorf("%s belongs to %d, %v, want %d", path, st.Uid, err, want)
		}
	}
	if err := own(filepath.Join(dir, "none")); err == nil {
		t.Error("own of nothing succeeded")
	}
}

func TestEmptyFollowsNoLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(outside, "kept"), nil, 0o600), os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700), os.WriteFile(filepath.Join(dir, "file"), nil, 0o600),
		os.Symlink(outside, filepath.Join(dir, "link")), os.Symlink(outside, filepath.Join(dir, "a", "b", "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := empty(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if _, kept := os.Stat(filepath.Join(outside, "kept")); err != nil || len(left) > 0 || kept != nil {
		t.Errorf("left %v, %v; outside: %v", left, err, kept)
	}
}

// Whatever comes in, a message is understood or refused, and takes no more
// memory than a message may.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"start":{"path":"/bin/sh"}}` + "\n"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		agent, c := pair(t)
		go func() {
			_, _ = agent.conn.Write(said)
			agent.conn.Close()
		}()
		_, files, err := receive(c)
		if len(files) > 0 || err == nil && !strings.Contains(string(said), "\n") {
			t.Errorf("receive(%q) = %d files, %v", said, len(files), err)
		}
	})
}
