// Package relay is what an agent on the host and the first process of a build's
// container say to each other over one Unix socket.
//
// The container's first process is this program, too, shown to it read-only. It
// connects to a socket in the workspace, says whether it can work, and then
// does what the agent asks: it starts the shell that drives the commands, with
// pipes of the agent's own, which travel through the socket. So user code is
// read from and written to as it is on the host. With the connection the
// container ends, however the agent ended.
//
// Each message is a line of JSON. User code in the container is root there and
// may become this process: it then harms nobody but its own build, and what it
// says is read with care all the same.
package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Command is what is started in the container, with the container's own
// environment.
type Command struct {
	Path string   `json:"path"`
	Args []string `json:"args"`
	Dir  string   `json:"dir"`
}

// request is what the agent asks for: one of its parts.
type request struct {
	Start  *Command `json:"start,omitzero"`  // its standard files, and those after them, come with the message
	Memory bool     `json:"memory,omitzero"` // how is the memory?
	Own    string   `json:"own,omitzero"`    // give all below this path to root
}

// Answer is what comes back for a request, and once when the container has
// begun.
type answer struct {
	Problem string `json:"problem,omitzero"`
	Path    string `json:"path,omitzero"` // PATH of the image, with the answer to start
	Memory
}

// Memory is how the memory of a container is.
type Memory struct {
	Killed int   `json:"killed,omitzero"` // processes that the kernel ended because it was used up
	Limit  int64 `json:"limit,omitzero"`  // in bytes; 0 means that it is not known
}

// maxMessage is how long a message may be, in bytes.
const maxMessage = 64 << 10

// answerTime is how long an answer may take. Giving many files to root takes
// longest.
const answerTime = time.Minute

var errAnswer = errors.New("the container's first process does not answer as it should")

// Await reads the first word of a container over its connection, at most until
// the deadline. Its error says, in the words of the container's first process,
// why commands cannot run there. With io.EOF the container is gone.
func Await(conn net.Conn, deadline time.Time) error {
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	line, err := readLine(conn)
	if err != nil {
		return err
	}
	var a answer
	if json.Unmarshal(line, &a) != nil {
		return errAnswer
	}
	if a.Problem != "" {
		return &Problem{a.Problem}
	}
	return conn.SetReadDeadline(time.Time{})
}

// A Problem is why something does not work in a container.
type Problem struct{ Message string }

func (p *Problem) Error() string { return p.Message }

// readLine reads one line, and nothing after it.
func readLine(conn net.Conn) ([]byte, error) {
	var line []byte
	one := make([]byte, 1)
	for len(line) < maxMessage {
		if _, err := conn.Read(one); err != nil {
			return nil, err
		}
		if one[0] == '\n' {
			return line, nil
		}
		line = append(line, one[0])
	}
	return nil, errAnswer
}

// A Conn is the agent's end. Its methods may be called from several goroutines.
type Conn struct {
	conn *net.UnixConn

	mu   sync.Mutex // held while an answer is waited for; guards path
	path string
}

// Open returns the Conn over a connected socket, which it takes over.
func Open(f *os.File) (*Conn, error) {
	c, err := net.FileConn(f) // a copy
	f.Close()
	if err != nil {
		return nil, err
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("the connection to the container is no Unix socket")
	}
	return &Conn{conn: conn}, nil
}

// Start starts a command in the container with these files, from 0 on. They
// stay the caller's to close.
func (c *Conn) Start(command Command, files []*os.File) error {
	fds := make([]int, 0, len(files))
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	a, err := c.ask(request{Start: &command}, unix.UnixRights(fds...))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.path = a.Path
	return err
}

// Path returns the PATH of the container's image, once Start has returned.
func (c *Conn) Path() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path
}

// Memory returns how the container's memory is.
func (c *Conn) Memory() (Memory, error) {
	a, err := c.ask(request{Memory: true}, nil)
	return a.Memory, err
}

// Own gives a folder of the container with all that is in it to root.
func (c *Conn) Own(path string) error {
	_, err := c.ask(request{Own: path}, nil)
	return err
}

func (c *Conn) ask(in request, rights []byte) (answer, error) {
	var a answer
	text, err := json.Marshal(in)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetDeadline(time.Now().Add(answerTime))
	defer c.conn.SetDeadline(time.Time{})
	if n, _, err := c.conn.WriteMsgUnix(append(text, '\n'), rights, nil); err != nil {
		return a, err
	} else if n <= len(text) {
		return a, errAnswer // far less than a socket holds
	}
	line, err := readLine(c.conn)
	if err != nil {
		return a, err
	}
	if json.Unmarshal(line, &a) != nil {
		return a, errAnswer
	}
	if a.Problem != "" {
		return a, &Problem{a.Problem}
	}
	return a, nil
}

// End ends everything in the container and returns when nothing of it is left,
// at the latest after limit. It may be called at any time and more than once.
func (c *Conn) End(limit time.Duration) {
	_ = c.conn.CloseWrite()
	_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // nobody else waits for an answer any more
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetReadDeadline(time.Now().Add(limit))
	rest := make([]byte, 512)
	for {
		if _, err := c.conn.Read(rest); err != nil {
			return
		}
	}
}

// Close closes the connection, with which the container ends.
func (c *Conn) Close() error { return c.conn.Close() }

// receive reads one message and the files that came with it.
func receive(conn *net.UnixConn) (in request, files []*os.File, err error) {
	var line []byte
	buf, oob := make([]byte, 4<<10), make([]byte, unix.CmsgSpace(16*4))
	for len(line) < maxMessage {
		n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return in, files, err
		}
		if oobn > 0 {
			more, err := passed(oob[:oobn])
			if err != nil {
				return in, files, err
			}
			files = append(files, more...)
		}
		if n == 0 {
			return in, files, net.ErrClosed
		}
		line = append(line, buf[:n]...)
		if bytes.HasSuffix(line, []byte("\n")) { // the agent waits for the answer before it says more
			return in, files, json.Unmarshal(line, &in)
		}
	}
	return in, files, errors.New("the message is too long")
}

// passed returns the files in a control message.
func passed(oob []byte) ([]*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), fmt.Sprint("passed-", fd)))
		}
	}
	return files, nil
}
