// Package door is the way by which the commands of a build ask something of
// its agent: a Unix socket that the place of the build shows. Strangers' code
// may ask anything; what is answered is the handler's to decide.
package door

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// A Request asks for one thing.
type Request struct {
	Mask  []string `json:"mask,omitzero"`  // values that the log must not show
	Login *Login   `json:"login,omitzero"` // git asks how to log in there
}

// A Login is where git wants to log in, in the words of its credential protocol.
type Login struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"` // host[:port]
	Path     string `json:"path"`
}

// An Answer is what the agent says. Without a problem, what was asked for is
// done when it arrives. The login is empty if there is none.
type Answer struct {
	Problem  string `json:"problem,omitzero"`
	Username string `json:"username,omitzero"`
	Password string `json:"password,omitzero"`
}

// A Handler answers requests, several at once. ctx ends with the door.
type Handler func(ctx context.Context, r Request) Answer

// What strangers may take of the agent.
const (
	maxRequest = 8 << 20 // bytes
	maxAnswer  = 64 << 10
	atOnce     = 16               // connections; others wait in the kernel's queue
	askTime    = 10 * time.Second // for a request to arrive, and for an answer to leave
	answerTime = time.Minute      // for the agent to find one
)

// A Door is open until it is closed.
type Door struct {
	listener net.Listener
	handle   Handler
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// Open opens a door at path, which must be free, for all users that can get
// there. ctx ends the answers in flight.
func Open(ctx context.Context, path string, handle Handler) (*Door, error) {
	listener, err := Listen(ctx, path, 0o666)
	if err != nil {
		return nil, err
	}
	d := &Door{listener: listener, handle: handle}
	d.ctx, d.cancel = context.WithCancel(ctx)
	d.wg.Go(d.listen)
	return d, nil
}

// Close closes the door and returns when nothing is being answered any more.
func (d *Door) Close() error {
	err := d.listener.Close()
	d.cancel()
	d.wg.Wait()
	return err
}

func (d *Door) listen() {
	free := make(chan struct{}, atOnce)
	for {
		free <- struct{}{}
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.wg.Go(func() {
			defer func() { <-free }()
			defer c.Close()
			defer context.AfterFunc(d.ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
			d.talk(c)
		})
	}
}

// talk answers one request.
func (d *Door) talk(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(askTime))
	text, err := io.ReadAll(io.LimitReader(c, maxRequest+1))
	if err != nil || d.ctx.Err() != nil {
		return
	}
	var r Request
	a := Answer{Problem: "the request is too long, or not understood"}
	if len(text) <= maxRequest && json.Unmarshal(text, &r) == nil {
		ctx, cancel := context.WithTimeout(d.ctx, answerTime)
		a = d.handle(ctx, r)
		cancel()
	}
	text, err = json.Marshal(a)
	if err != nil || d.ctx.Err() != nil {
		return
	}
	_ = c.SetWriteDeadline(time.Now().Add(askTime))
	_, _ = c.Write(text) // who has gone away misses it
}

// Ask asks at the door at path.
func Ask(path string, r Request) (Answer, error) {
	var a Answer
	text, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if len(text) > maxRequest {
		return a, errors.New("that is too much at once")
	}
	c, err := Dial(path)
	if err != nil {
		return a, errors.New("the build's agent cannot be reached from here")
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(answerTime + 2*askTime))
	_, err = c.Write(text)
	if err == nil {
		err = c.CloseWrite()
	}
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(c, maxAnswer))
	}
	if err != nil || json.Unmarshal(text, &a) != nil {
		return Answer{}, errors.New("the build's agent does not answer")
	}
	return a, nil
}

// Listen listens at a socket in the place of what is there, for the users that
// perm gives the right to write. The socket stays when the listener closes.
func Listen(ctx context.Context, path string, perm fs.FileMode) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var listener net.Listener
	err := shorten(path, func(short string) (err error) {
		listener, err = new(net.ListenConfig).Listen(ctx, "unix", short)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listener.(*net.UnixListener)
	l.SetUnlinkOnClose(false) // it knows the short name only; the place goes as a whole
	if err := os.Chmod(path, perm); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Dial connects to a socket.
func Dial(path string) (c *net.UnixConn, err error) {
	err = shorten(path, func(short string) (err error) {
		c, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	return c, err
}

// maxSocketPath is what a socket's address holds on Linux, less its final zero.
const maxSocketPath = 107

// shorten calls do with a name for path that fits into a socket's address.
func shorten(path string, do func(short string) error) error {
	if len(path) <= maxSocketPath {
		return do(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return do("/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(path))
}
