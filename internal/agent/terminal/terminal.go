// Package terminal gives a person at a terminal a shell in the place where a
// build's commands run.
//
// Three processes take part: the person's program, which has the real terminal;
// the agent, which copies; and one in the place, which makes a terminal of its
// own there and starts the shell on it. What the person's side sends are
// records, since besides keys it tells how large the window is; what comes back
// are the bytes to show.
package terminal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The kinds of records.
const (
	keys  = 'k' // the bytes that were typed
	size  = 's' // rows and columns, two bytes each
	named = 't' // the first record: the terminal's type, as in TERM
)

// header is a record's kind and its length, two bytes.
const header = 3

// maxRecord is how many bytes a record has at most, without its header.
const maxRecord = 4 << 10

// maxName is how long the type of a terminal may be.
const maxName = 64

// lastWords is how long what a shell wrote last may take to be read, if others
// still have its terminal.
const lastWords = 200 * time.Millisecond

// A Sender is the person's side. Its methods may be called from several
// goroutines.
type Sender struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

// NewSender returns a Sender to w, and names the terminal.
func NewSender(w io.Writer, term string) (*Sender, error) {
	s := &Sender{w: w}
	return s, s.send(named, []byte(term[:min(len(term), maxName)]))
}

// Size tells how large the window is.
func (s *Sender) Size(rows, columns int) error {
	return s.send(size, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, clamp(rows)), clamp(columns)))
}

func clamp(n int) uint16 { return uint16(max(0, min(n, 1<<16-1))) } //nolint:gosec // within bounds

// Write sends what was typed.
func (s *Sender) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		part := p[n:min(len(p), n+maxRecord)]
		if err := s.send(keys, part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return len(p), nil
}

func (s *Sender) send(kind byte, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := append(binary.BigEndian.AppendUint16([]byte{kind}, clamp(len(body))), body...)
	_, err := s.w.Write(record)
	return err
}

// receive reads one record.
func receive(r io.Reader) (kind byte, body []byte, err error) {
	var head [header]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint16(head[1:])
	if n > maxRecord {
		return 0, nil, fmt.Errorf("a record of %d bytes", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

// Main is the process in the place. Its arguments are the path of the socket at
// which the agent listens, and the command to run. It returns the exit status.
func Main(args []string, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "usage: the agent starts this itself")
		return 2
	}
	if err := serve(args[0], args[1:]); err != nil {
		fmt.Fprintln(stderr, "no shell can be opened:", err)
		return 1
	}
	return 0
}

func serve(socket string, command []string) error {
	conn, err := dial(socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	kind, term, err := receive(in)
	if err != nil || kind != named {
		return errors.Join(errors.New("nobody is at the terminal"), err)
	}
	ours, theirs, err := open()
	if err != nil {
		return fmt.Errorf("make a terminal: %w", err)
	}
	defer ours.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.Env = append(os.Environ(), "TERM="+string(term))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	go func() {
		typed(in, ours)
		_ = cmd.Process.Signal(syscall.SIGHUP) // the person has gone
	}()
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		_, _ = io.Copy(conn, ours) // ends with an error when nobody has the terminal any more
	}()
	_ = cmd.Wait() // how a person's shell ends is of no interest
	// What it left in the background may keep the terminal: only what is there
	// is still shown.
	_ = ours.SetReadDeadline(time.Now().Add(lastWords))
	<-shown
	return nil
}

// typed hands what comes from the person to the terminal until they have gone.
func typed(in io.Reader, terminal *os.File) {
	for {
		kind, body, err := receive(in)
		if err != nil {
			return
		}
		switch {
		case kind == keys:
			if _, err := terminal.Write(body); err != nil {
				return
			}
		case kind == size && len(body) == 4:
			resize(terminal, &unix.Winsize{Row: binary.BigEndian.Uint16(body), Col: binary.BigEndian.Uint16(body[2:])})
		}
	}
}

func resize(terminal *os.File, to *unix.Winsize) {
	if conn, err := terminal.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, to) })
	}
}

// open makes a terminal: our end and the shell's.
func open() (ours, theirs *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	ours = os.NewFile(uintptr(fd), "terminal")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		ours.Close()
		return nil, nil, err
	}
	// By its number rather than its name: a sandbox may not show /dev/pts.
	peer, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if no != 0 {
		ours.Close()
		return nil, nil, no
	}
	return ours, os.NewFile(peer, "terminal"), nil
}

// maxSocket is how long the path of a socket may be.
const maxSocket = 107

func dial(path string) (net.Conn, error) {
	if len(path) <= maxSocket {
		return net.Dial("unix", path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return net.Dial("unix", "/proc/self/fd/"+strconv.Itoa(int(dir.Fd()))+"/"+filepath.Base(path))
}
