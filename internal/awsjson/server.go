// Package awsjson speaks the protocols of AWS's clients over HTTP: AWS JSON 1.1
// for every service it is given, and the one STS call that clients make to ask
// who they are.
package awsjson

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/sigv4"
)

// A Service is one AWS service: its operations and the value whose methods
// they are. Implementation need not have all of them: what is missing is
// answered with NotImplementedException.
type Service struct {
	Definition     *api.Definition
	Implementation any
}

// Options says whom a server listens to.
type Options struct {
	Keys    sigv4.Keys       // who may sign requests; needed unless AcceptAny
	Log     *slog.Logger     // nil means no log
	Now     func() time.Time // nil means time.Now
	MaxBody int64            // bytes of a request's body; 0 means 1 MiB

	// AcceptAny takes every request, signed by whomever or not at all, as one
	// of Default. What a request's Authorization header says about its region
	// and key id still holds. It is for test benches.
	AcceptAny bool
	// Default is who sends a request with AcceptAny. Empty parts mean account
	// 000000000000, region us-east-1 and user local.
	Default accesskey.Caller

	// PublicURL is where clients reach the server through a proxy, which may
	// change the Host header and take a path away; "" means that there is none.
	PublicURL string
}

type server struct {
	Options
	public   string // host of PublicURL as browsers write it
	verifier *sigv4.Verifier
	services map[string]Service // by target prefix
}

// NewServer returns the handler for `POST /`. The name and status of each
// failure are in the tables of exceptions.go; an error without a kind is
// answered as an internal failure and its text goes to the log alone, beside
// the request id that the caller got.
//
// Members of a request are matched to their names without regard to case,
// unlike on AWS, if there is no exact match; unknown ones are ignored.
func NewServer(o Options, services ...Service) http.Handler {
	if o.Keys == nil && !o.AcceptAny {
		panic("awsjson: a server needs keys")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	s := &server{Options: o, verifier: sigv4.NewVerifier(o.Keys, o.Now).Behind(o.PublicURL), services: map[string]Service{}}
	s.Default = withDefaults(o.Default)
	if u, err := url.Parse(o.PublicURL); err == nil {
		s.public = hostOf(u)
	}
	for _, service := range services {
		s.services[service.Definition.TargetPrefix] = service
	}
	return s
}

// An exchange is one request and its answer.
type exchange struct {
	*server
	request   *http.Request
	id        string // the request id
	service   string // signing name, once it is known
	operation string // its name, once it is known
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{server: s, request: r, id: uuid.NewString()}
	b := buffers.Get().(*bytes.Buffer)
	defer giveBack(b)
	if isQuery(r) {
		x.serveQuery(w, b)
		return
	}
	failed := x.protect(func() *failure { return x.call(b) })
	x.log(failed)
	status := http.StatusOK
	if failed != nil {
		status = failed.status
		failed.encode(b)
		w.Header().Set("X-Amzn-Errortype", failed.name)
	}
	x.write(w, status, "application/x-amz-json-1.1", b)
}

// call runs the operation that the request names and leaves its answer in b.
func (x *exchange) call(b *bytes.Buffer) *failure {
	service, op, failed := x.target()
	if failed != nil {
		return failed
	}
	x.service, x.operation = service.Definition.Name, op.Name
	if failed := x.read(b); failed != nil {
		return failed
	}
	ctx, err := x.identify(op, b.Bytes())
	if err != nil {
		return x.refused(err)
	}
	in := op.New()
	failed = decode(b.Bytes(), in)
	clear(b.Bytes()) // it may hold a token
	b.Reset()
	if failed != nil {
		return failed
	}
	if op.Check != nil {
		var c api.Checker
		if op.Check(&c, in); c.Message() != "" {
			return x.exception(fault.New(fault.Constraint, "%s", c.Message()))
		}
	}
	out, err := op.Call(ctx, service.Implementation, in)
	switch {
	case errors.Is(err, api.ErrNotImplemented):
		return notImplemented(op.Name)
	case err != nil:
		return x.exception(err)
	}
	if err := encode(b, out); err != nil {
		return x.exception(err)
	}
	return nil
}

// target finds the operation that X-Amz-Target names.
func (x *exchange) target() (Service, *api.Operation, *failure) {
	if x.request.Method != http.MethodPost {
		return Service{}, nil, unknownOperation
	}
	prefix, name, _ := strings.Cut(x.request.Header.Get("X-Amz-Target"), ".")
	service, ok := x.services[prefix]
	if !ok || prefix == "" {
		return Service{}, nil, unknownOperation
	}
	op := service.Definition.Operations[name]
	if op == nil {
		return Service{}, nil, unknownOperation
	}
	return service, op, nil
}

// read reads the request's body into b.
func (x *exchange) read(b *bytes.Buffer) *failure {
	if x.request.ContentLength > x.MaxBody {
		return tooLarge(x.MaxBody)
	}
	if _, err := b.ReadFrom(io.LimitReader(x.request.Body, x.MaxBody+1)); err != nil {
		return bodyUnread
	}
	if int64(b.Len()) > x.MaxBody {
		return tooLarge(x.MaxBody)
	}
	return nil
}

// protect runs f; if that panics, the failure is internal and the log has the stack.
func (x *exchange) protect(f func() *failure) (failed *failure) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			failed = x.exception(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return f()
}

// log records what came of the request: our own failures as errors, those of
// others as warnings, refusals for the operator to see, all else for whoever debugs.
func (x *exchange) log(failed *failure) {
	ctx := x.request.Context()
	level, message := slog.LevelDebug, "call"
	if failed != nil {
		switch {
		case failed.cause != nil && ctx.Err() != nil && errors.Is(failed.cause, context.Canceled):
			message = "caller left"
		case failed.cause != nil && failed.status == http.StatusInternalServerError:
			level, message = slog.LevelError, "internal failure"
		case failed.cause != nil:
			level, message = slog.LevelWarn, "call failed"
		case failed.refusal:
			level, message = slog.LevelInfo, "request refused"
		}
	}
	if !x.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("requestId", x.id), slog.String("service", x.service), slog.String("operation", x.operation)}
	if failed != nil {
		attrs = append(attrs, slog.String("exception", failed.name))
		if failed.cause != nil {
			attrs = append(attrs, slog.String("error", failed.cause.Error()))
		} else if failed.refusal {
			attrs = append(attrs, slog.String("message", failed.message))
		}
	}
	x.Log.LogAttrs(ctx, level, message, attrs...)
}

// write sends the answer in b.
func (x *exchange) write(w http.ResponseWriter, status int, contentType string, b *bytes.Buffer) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("X-Amzn-Requestid", x.id)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusRequestEntityTooLarge {
		h.Set("Connection", "close") // the rest of the body is not worth reading
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a caller who left needs no answer
}

// maxKept is the largest buffer that is used again: a page of logs is rare.
const maxKept = 256 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func giveBack(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		buffers.Put(b)
	}
}
