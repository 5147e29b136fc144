package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Shell is what every image must have.
const Shell = "/bin/sh"

// The arguments of a container's first process, after its command: the path of
// the socket, and WithDockerd if it is to start the image's Docker daemon.
const WithDockerd = "dockerd"

// Main is the first process of a container. It returns the exit status.
func Main(args []string, stderr io.Writer) int {
	if len(args) < 1 || os.Getpid() != 1 {
		fmt.Fprintln(stderr, "usage: a container starts this itself, as its first process")
		return 2
	}
	// What the first process does not handle cannot kill it, but Go handles
	// them all. Caught rather than ignored: that would be inherited.
	signal.Notify(make(chan os.Signal, 1))
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: args[0], Net: "unix"})
	if err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return 1
	}
	f := &first{conn: conn}
	if err := f.serve(len(args) > 1 && args[1] == WithDockerd); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		fmt.Fprintln(stderr, "agent:", err)
		return 1
	}
	return 0
}

// Sweep is the first process of a container that empties the folder that its
// argument names, and ends. It returns the exit status.
func Sweep(args []string, stderr io.Writer) int {
	if len(args) != 1 || os.Getpid() != 1 {
		fmt.Fprintln(stderr, "usage: a container starts this itself, as its first process")
		return 2
	}
	if err := empty(args[0]); err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return 1
	}
	return 0
}

// empty removes all that is in a folder, and nothing that links lead to.
func empty(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, root.RemoveAll(e.Name()))
	}
	return err
}

// first is the first process at work.
type first struct {
	conn *net.UnixConn

	mu     sync.Mutex // guards what follows
	driver int        // pid; 0 before it is started
	ending bool       // the agent is gone: all is to end in order
}

func (f *first) serve(dockerd bool) error {
	if out, err := exec.Command(Shell, "-c", "exit 0").CombinedOutput(); err != nil {
		text := strings.TrimSpace(fmt.Sprintf("%v %s", err, out))
		return errors.Join(f.answer(answer{Problem: Shell + " cannot be run: " + text}), io.EOF)
	}
	if dockerd {
		if err := startDockerd(); err != nil {
			return errors.Join(f.answer(answer{Problem: err.Error()}), io.EOF)
		}
	}
	if err := f.answer(answer{}); err != nil {
		return err
	}
	defer f.end()
	for {
		in, files, err := receive(f.conn)
		if err != nil {
			return err
		}
		a, err := f.do(in, files)
		for _, file := range files {
			file.Close()
		}
		if err != nil {
			a = answer{Problem: err.Error()}
		}
		if err := f.answer(a); err != nil {
			return err
		}
	}
}

func (f *first) answer(a answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = f.conn.Write(append(text, '\n'))
	return err
}

func (f *first) do(in request, files []*os.File) (answer, error) {
	switch {
	case in.Start != nil:
		return answer{Path: os.Getenv("PATH")}, f.start(*in.Start, files)
	case in.Memory:
		return answer{Memory: memory(cgroups)}, nil
	case in.Own != "":
		return answer{}, own(in.Own)
	}
	return answer{}, errors.New("the agent asks for what this one does not know")
}

// start starts the driver, and reaps from then on.
func (f *first) start(c Command, files []*os.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.driver != 0 {
		return errors.New("the driver was started before")
	}
	p, err := os.StartProcess(c.Path, append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir: c.Dir, Files: files, Env: os.Environ(), Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return err
	}
	f.driver = p.Pid
	_ = p.Release() // reap waits for everybody
	go f.reap()
	return nil
}

// reap takes the exit statuses of all that end: orphans come to the first
// process. With the driver the place has ended, and this process with it,
// which ends all others.
func (f *first) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err == unix.EINTR {
			continue
		}
		f.mu.Lock()
		ending, driver := f.ending, f.driver
		f.mu.Unlock()
		if err != nil || pid == driver && !ending { // or nobody is left
			os.Exit(0)
		}
	}
}

// end kills all others and does not return: once nobody is left to wait for,
// the process ends.
func (f *first) end() {
	f.mu.Lock()
	f.ending = true
	started := f.driver != 0
	f.mu.Unlock()
	_ = unix.Kill(-1, unix.SIGKILL) // all but this one
	if started {
		select {}
	}
}

// cgroups is where a container sees its own.
const cgroups = "/sys/fs/cgroup"

// memory reads what the kernel says of this container's memory, in either of
// its two ways.
func memory(dir string) Memory {
	var m Memory
	for _, w := range []struct{ events, limit string }{
		{"memory.events", "memory.max"}, {"memory/memory.oom_control", "memory/memory.limit_in_bytes"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, w.events))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			_, _ = fmt.Sscanf(line, "oom_kill %d", &m.Killed)
		}
		if text, err := os.ReadFile(filepath.Join(dir, w.limit)); err == nil {
			_, _ = fmt.Sscan(string(text), &m.Limit) // "max" is none
		}
	}
	if m.Limit >= 1<<62 { // how the older way says that there is none
		m.Limit = 0
	}
	return m
}

// own gives everything below path to root; links are not followed.
func own(path string) error {
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, 0, 0)
	})
}

// DockerdTime is how long the image's Docker daemon may take to answer before
// the container says its first word.
const DockerdTime = time.Minute

// startDockerd starts the image's Docker daemon as CodeBuild does with its own
// images, and returns when it answers.
func startDockerd() error {
	const socket, log = "/var/run/docker.sock", "/var/log/dockerd.log"
	path, err := exec.LookPath("dockerd")
	if err != nil {
		return nil // not an image of that kind: commands may start one themselves
	}
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return err
	}
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	p, err := os.StartProcess(path, []string{path, "--host=unix://" + socket, "--host=tcp://127.0.0.1:2375", "--storage-driver=overlay2"}, &os.ProcAttr{
		Dir: "/", Files: []*os.File{null, out, out}, Env: os.Environ(), Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	for begin := time.Now(); time.Since(begin) < DockerdTime; time.Sleep(20 * time.Millisecond) {
		if pings(socket) {
			_ = p.Release()
			return nil
		}
		var status unix.WaitStatus
		if pid, err := unix.Wait4(p.Pid, &status, unix.WNOHANG, nil); err == nil && pid == p.Pid {
			break
		}
	}
	said, _ := os.ReadFile(log)
	return fmt.Errorf("the image's Docker daemon does not start: %s", said[max(0, len(said)-1000):])
}

// pings reports whether a Docker daemon answers.
func pings(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, "GET /_ping HTTP/1.0\r\n\r\n"); err != nil {
		return false
	}
	status := make([]byte, 12)
	_, err = io.ReadFull(conn, status)
	return err == nil && strings.HasSuffix(string(status), " 200")
}
