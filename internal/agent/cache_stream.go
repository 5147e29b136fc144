package agent

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"slipway/internal/agent/door"
	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
)

// streamFile is the socket between the agent and what it has done in the place,
// while there is something to send.
const streamFile = "readonly/stream"

// cachePatience is how long a build without its server goes on asking for a
// cache, or saving it: builds do without, too.
const cachePatience = 10 * time.Second

// errNoFiles means that a cache would be empty.
var errNoFiles = errors.New("no file matches")

// A stream is one connection between the agent and a duty in the place. User
// code that runs on could connect first: it would harm its own build's cache.
type stream struct {
	listener *net.UnixListener

	mu     sync.Mutex // guards what follows
	conn   *net.UnixConn
	closed bool
}

func (e *engine) openStream(ctx context.Context) (*stream, error) {
	l, err := door.Listen(ctx, e.w.path(streamFile), 0o600)
	if err != nil {
		return nil, err
	}
	return &stream{listener: l}, nil
}

// accept waits for the duty to connect, or for close.
func (s *stream) accept() (*net.UnixConn, error) {
	c, err := s.listener.AcceptUnix()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	s.conn = c
	return c, nil
}

// close ends the stream, also while it is used.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.listener.Close()
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// unpackCache restores the cache that serves this build. NotFound means that
// there is none.
func (e *engine) unpackCache(ctx context.Context) (agentapi.ObjectInfo, *inside.CacheAnswer, error) {
	var info agentapi.ObjectInfo
	var body io.ReadCloser
	err := persistFor(ctx, cachePatience, func(ctx context.Context) (err error) {
		body, info, err = e.client.Get(ctx, e.cache.object)
		return err
	})
	if err != nil {
		return info, nil, err
	}
	defer body.Close()
	e.log.Service("Unarchiving cache...")
	s, err := e.openStream(ctx)
	if err != nil {
		return info, nil, err
	}
	sent := make(chan error, 1)
	from := &counted{r: body}
	go func() {
		sent <- func() error {
			c, err := s.accept()
			if err != nil {
				return nil // the duty says why it did not come
			}
			defer c.Close()
			to := inside.NewSender(c)
			if _, err := io.Copy(to, from); err != nil {
				return from.err // that it could not be written, the duty knows better
			}
			return to.Close()
		}()
	}()
	answer := new(inside.CacheAnswer)
	err = e.inside(inside.UnpackCache, e.cacheRequest(), answer)
	s.close()
	if lost := <-sent; lost != nil && err != nil {
		err = lost
	}
	info.Size = from.n
	if err != nil {
		return info, nil, err
	}
	return info, answer, nil
}

// A counted reader knows how much was read, and why no more could be.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// packCache saves the cache. The answer may be nil, also without an error: then
// nothing was packed, since there was no need to.
func (e *engine) packCache(ctx context.Context) (agentapi.ObjectInfo, *inside.CacheAnswer, error) {
	var info agentapi.ObjectInfo
	var answer *inside.CacheAnswer
	var no error
	err := persistFor(ctx, cachePatience, func(ctx context.Context) error {
		p := &packing{e: e, ctx: ctx}
		i, err := e.client.Put(ctx, e.cache.object, p)
		a, problem := p.finish()
		if problem != nil && !i.Exists { // packing again would not help
			no, answer = problem, a
			return nil
		}
		info, answer = i, a
		return err
	})
	return info, answer, cmp.Or(no, err)
}

// A packing is the archive of a cache as it comes out of the place. Nothing
// happens there until the first Read: a server that has the cache already does
// not ask for it.
type packing struct {
	e   *engine
	ctx context.Context

	mu      sync.Mutex // guards what follows
	stream  *stream
	from    *inside.Receiver
	done    chan struct{} // closed when the duty has ended
	answer  inside.CacheAnswer
	problem error // why the duty could not be done
	failed  error // why no more could be read
	closed  bool
}

// Read reads the archive.
func (p *packing) Read(b []byte) (int, error) {
	from, err := p.start()
	n := 0
	if err == nil {
		n, err = from.Read(b)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.closed {
			p.failed = err
		}
	}
	return n, err
}

func (p *packing) start() (*inside.Receiver, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, net.ErrClosed
	case p.from != nil:
		return p.from, nil
	case p.done != nil:
		return nil, errNoFiles
	}
	s, err := p.e.openStream(p.ctx)
	if err != nil {
		return nil, err
	}
	p.stream, p.done = s, make(chan struct{})
	go func() {
		defer close(p.done)
		p.problem = p.e.inside(inside.PackCache, p.e.cacheRequest(), &p.answer)
		if p.problem != nil || p.answer.Files == 0 {
			_ = s.listener.Close() // what is in the connection stays there to be read
			return
		}
		_ = s.listener.SetDeadline(time.Now().Add(connectTime)) // it did connect, if its answer is true
	}()
	c, err := s.accept()
	if err != nil { // the duty has ended without connecting
		return nil, errNoFiles
	}
	p.from = inside.NewReceiver(c)
	return p.from, nil
}

// Close lets the duty end: what it still sends goes nowhere.
func (p *packing) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.stream != nil {
		p.stream.close()
	}
	return nil
}

// connectTime is how long a connection may take to be accepted.
const connectTime = 10 * time.Second

// finish ends the duty and returns what it came to; nil and nil if it was not
// begun. Its error says why the archive is not whole, if that is not the fault
// of who reads it.
func (p *packing) finish() (*inside.CacheAnswer, error) {
	_ = p.Close()
	p.mu.Lock()
	done, failed := p.done, p.failed
	p.mu.Unlock()
	if done == nil {
		return nil, failed
	}
	<-done
	if failed != nil {
		return &p.answer, cmp.Or(p.problem, failed)
	}
	return &p.answer, nil
}
