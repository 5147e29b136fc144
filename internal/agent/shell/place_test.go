package shell_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/proctree"
	"slipway/internal/agent/relay"
	"slipway/internal/agent/shell"
)

// TestMain makes this program an agent: what its tests start is ended together,
// so no two of them run at the same time.
func TestMain(m *testing.M) {
	if err := proctree.Adopt(); err != nil {
		panic(err)
	}
	// What this program itself was given is nothing a place could keep back.
	if err := unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		panic(err)
	}
	// nohup and a shell's "&" ignore signals for all that comes after them. To
	// catch them instead, as an agent does, is not inherited.
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	if len(os.Args) > 1 && os.Args[1] == "relay" {
		os.Exit(relay.Main(os.Args[2:], os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		agent(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// agent starts a plain place, has it run a script and waits to be killed.
func agent(dir, script string) {
	p, err := shell.Start("", nil, dir, []string{})
	if err == nil {
		err = p.Ready(limit)
	}
	if err == nil {
		go func() { _, _ = io.Copy(os.Stdout, p.Output) }()
		_, err = p.Run(shell.Path, script)
	}
	fmt.Println(err)
	os.Exit(1)
}

// limit is how long anything may take before a test fails.
const limit = 60 * time.Second

// A place is one under test. Its scripts see their own files in $DIR.
type place struct {
	*shell.Place
	t    testing.TB
	host string // where the scripts' files are
	seen string // where the scripts see them
	out  *bufio.Reader
	n    int
}

// begin starts a place and returns when it is ready.
func begin(t testing.TB, wrapper string) *place {
	t.Helper()
	dir := t.TempDir()
	switch wrapper {
	case "":
		return plain(t, dir, []string{})
	case container:
		return far(t, dir)
	}
	return ready(t, &place{t: t, host: dir, seen: "/mnt"}, wrapper, []string{
		"--unshare-pid", "--die-with-parent", "--new-session", "--clearenv",
		"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--bind", dir, "/mnt", "--chdir", "/mnt",
	}, nil)
}

// container is the wrapper of places behind a relay. What stands for a container
// is a sandbox whose first process is this program.
const container = "container"

// far starts such a place.
func far(t testing.TB, dir string) *place {
	t.Helper()
	c := connect(t, dir)
	p := &place{t: t, host: dir, seen: "/mnt"}
	var err error
	if p.Place, err = shell.StartFar(c, "/mnt"); err != nil {
		t.Fatal(err)
	}
	if c.Path() != "/usr/bin:/bin" {
		t.Errorf("PATH of the image is %q", c.Path())
	}
	return p.await()
}

// connect makes a container and returns the connection to it.
func connect(t testing.TB, dir string) *relay.Conn {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bubblewrap(t), "--unshare-pid", "--as-pid-1", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
		"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--bind", dir, "/mnt", "--", exe, "relay", "/mnt/socket")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	_ = l.SetDeadline(time.Now().Add(limit))
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := relay.Await(conn, time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	f, err := conn.File()
	if err != nil {
		t.Fatal(err)
	}
	c, err := relay.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plain starts a place that is a plain process tree.
func plain(t testing.TB, dir string, env []string) *place {
	t.Helper()
	return ready(t, &place{t: t, host: dir, seen: dir}, "", nil, env)
}

func ready(t testing.TB, p *place, wrapper string, args, env []string) *place {
	t.Helper()
	var err error
	if p.Place, err = shell.Start(wrapper, args, p.host, env); err != nil {
		t.Fatal(err)
	}
	return p.await()
}

// await waits until the place is ready.
func (p *place) await() *place {
	t := p.t
	t.Helper()
	t.Cleanup(func() { p.Output.Close() })
	t.Cleanup(p.End)
	if err := p.Ready(limit); err != nil {
		t.Fatal(err)
	}
	_ = p.Output.SetReadDeadline(time.Now().Add(limit))
	p.out = bufio.NewReader(p.Output)
	return p
}

// script writes a script and returns where the place sees it.
func (p *place) script(text string) string {
	p.t.Helper()
	p.n++
	name := fmt.Sprintf("%d.sh", p.n)
	text = "DIR=" + p.seen + "\n" + text + "\n"
	if err := os.WriteFile(filepath.Join(p.host, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return p.seen + "/" + name
}

// run runs a script.
func (p *place) run(text string) (int, error) {
	p.t.Helper()
	script := p.script(text)
	var status int
	var err error
	p.within("Run", func() { status, err = p.Run(shell.Path, script) })
	return status, err
}

// succeed runs a script that must end with 0.
func (p *place) succeed(text string) {
	p.t.Helper()
	if status, err := p.run(text); status != 0 || err != nil {
		p.t.Fatalf("Run(%s) = %d, %v, want 0", text, status, err)
	}
}

// between runs a script while the driver waits for the next one.
func (p *place) between(text string) {
	p.t.Helper()
	p.n++
	pipe := fmt.Sprintf("%d.pipe", p.n)
	if err := unix.Mkfifo(filepath.Join(p.host, pipe), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.succeed("(trap : TERM INT HUP QUIT ALRM USR1 USR2; read go < $DIR/" + pipe + "; " + text + "; echo done) &")
	if err := os.WriteFile(filepath.Join(p.host, pipe), []byte("go\n"), 0); err != nil {
		p.t.Fatal(err)
	}
	if got := p.line(); got != "done" {
		p.t.Fatalf("the output is %q", got)
	}
}

// line returns the next line that user code has written.
func (p *place) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the output is %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// rest ends the place and returns what user code has written since.
func (p *place) rest() string {
	p.t.Helper()
	p.within("End", p.End)
	text, err := io.ReadAll(p.out) // the end of it comes when no process holds the pipe
	if err != nil {
		p.t.Errorf("a process is left: %v", err)
	}
	return string(text)
}

func (p *place) within(what string, f func()) {
	p.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		p.t.Fatalf("%s does not return", what)
	}
}

// bubblewrap returns its path. A machine without it cannot run the tests that
// want one.
func bubblewrap(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("bwrap")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("bubblewrap is not installed")
		}
		t.Skip("bubblewrap is not installed")
	}
	return path
}

// inEach runs a test in a sandbox, in a container and in a plain process tree.
func inEach(t *testing.T, test func(t *testing.T, wrapper string)) {
	t.Run("sandbox", func(t *testing.T) { test(t, bubblewrap(t)) })
	t.Run("container", func(t *testing.T) { test(t, container) })
	t.Run("plain", func(t *testing.T) { test(t, "") })
}
