// Package logcopy takes the logs of builds that have ended to S3, for projects
// whose logsConfig says so.
package logcopy

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"

	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/outbox"
)

type builds interface {
	// Get returns one build by id (project:uuid), or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (build.Build, error)
}

type bucket interface {
	// PutLog stores all of body as the build's log, or nothing if it fails.
	PutLog(ctx context.Context, b build.Build, body io.Reader) error
}

// A Copier is a schedule.Deliverer of what build.OweLog returns. Its methods may
// be called from several goroutines.
type Copier struct {
	builds builds
	logs   *logstream.Store
	bucket bucket
}

// New returns a Copier of logs to a bucket.
func New(b builds, logs *logstream.Store, to bucket) *Copier { return &Copier{b, logs, to} }

// Deliver copies the log that item owes, whole or not at all, and again if it
// was copied before. A log that CloudWatch Logs is not to keep is deleted then.
// Invalid means that it can never be copied, since it or its build was deleted;
// Unavailable that the bucket did not take it.
func (c *Copier) Deliver(ctx context.Context, item outbox.Item) error {
	var d build.LogDebt
	if err := json.Unmarshal(item.Payload, &d); err != nil {
		return fault.New(fault.Invalid, "The item is no log.")
	}
	b, err := c.builds.Get(ctx, d.Scope(), d.Build)
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Invalid, "The log is not copied: its build was deleted.")
	}
	if err != nil {
		return err
	}
	id := logstream.StreamID{Scope: b.Scope, Group: b.LogGroup(), Name: b.LogStream()}
	if _, err := c.logs.Stat(id); fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Invalid, "The log is not copied: it was deleted.")
	}
	out, in := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := c.write(ctx, in, id)
		in.CloseWithError(err)
		read <- err
	}()
	err = c.bucket.PutLog(ctx, b, out)
	out.CloseWithError(io.ErrClosedPipe)
	switch wrong := <-read; {
	case wrong != nil && !errors.Is(wrong, io.ErrClosedPipe):
		return wrong
	case err != nil && fault.KindOf(err) != fault.Invalid: // that there is no bucket yet can be mended
		return &fault.Error{Kind: fault.Unavailable, Message: "The log could not be written to S3: " + cmp.Or(fault.Message(err), err.Error()), Err: err}
	case err != nil || b.KeepsStream():
		return err
	}
	return c.logs.Delete(id)
}

// write writes a log as gzip.
func (c *Copier) write(ctx context.Context, w io.Writer, id logstream.StreamID) error {
	z := gzip.NewWriter(w)
	for next := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := c.logs.Block(id, next)
		if err != nil {
			return err
		}
		if b.End <= next {
			return z.Close()
		}
		for _, e := range b.From(next) {
			if _, err := z.Write(e.Message); err != nil {
				return err
			}
			if n := len(e.Message); n == 0 || e.Message[n-1] != '\n' {
				if _, err := z.Write([]byte{'\n'}); err != nil {
					return err
				}
			}
		}
		next = b.End
	}
}
