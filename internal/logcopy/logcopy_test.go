package logcopy_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/blob"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logcopy"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
	"slipway/internal/outbox"
)

const uuid = "0f0f0f0f-0000-0000-0000-000000000001"

// one is a store with one build.
type one struct{ b *build.Build }

func (o one) Get(_ context.Context, _ arn.Scope, id string) (build.Build, error) {
	if o.b == nil || id != *o.b.Public.ID {
		return build.Build{}, fault.New(fault.NotFound, "no such build")
	}
	return *o.b, nil
}

// fixture is a build that has ended, its log of some blocks, and what is owed.
func fixture(t *testing.T, cloudWatch api.LogsConfigStatusType, location string) (build.Build, *logstream.Store, outbox.Item, string) {
	t.Helper()
	b := build.Build{Scope: arn.Scope{Account: "000000000000", Region: "us-east-1"}, Public: api.Build{
		ID: new("app:" + uuid), ARN: new("arn:aws:codebuild:us-east-1:000000000000:build/app:" + uuid), ProjectName: new("app"), BuildComplete: new(true), BuildStatus: api.StatusTypeSucceeded,
		Logs: &api.LogsLocation{
			CloudWatchLogs: &api.CloudWatchLogsConfig{Status: cloudWatch},
			S3Logs:         &api.S3LogsConfig{Status: api.LogsConfigStatusTypeEnabled, Location: &location},
		},
	}}
	b.State.HasLog = true
	logs, err := logstream.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logs.Close() })
	id := stream(b)
	if err := logs.Create(id, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	want := ""
	for seq := range uint64(3) {
		f := frame.NewBuilder()
		for _, line := range []string{"plain\n", "\x1b[31mred\x1b[0m\n", strings.Repeat("long ", 100) + "\n", "no end"} {
			f.Add(int64(seq), []byte(line))
			want += strings.TrimSuffix(line, "\n") + "\n"
		}
		if err := logs.Append(id, seq, f.Frame()); err != nil {
			t.Fatal(err)
		}
	}
	item, ok, err := b.OweLog(time.Now())
	if err != nil || !ok {
		t.Fatalf("OweLog: %t, %v", ok, err)
	}
	return b, logs, item, want
}

func stream(b build.Build) logstream.StreamID {
	return logstream.StreamID{Scope: b.Scope, Group: b.LogGroup(), Name: b.LogStream()}
}

func TestALogIsCopied(t *testing.T) {
	for name, c := range map[string]struct {
		cloudWatch api.LogsConfigStatusType
		stays      bool
	}{"beside CloudWatch Logs": {api.LogsConfigStatusTypeEnabled, true}, "instead of them": {api.LogsConfigStatusTypeDisabled, false}} {
		t.Run(name, func(t *testing.T) {
			b, logs, item, want := fixture(t, c.cloudWatch, "bucket/logs")
			dir := t.TempDir()
			store := blob.New(blob.Options{Dir: dir})
			t.Cleanup(func() { store.Close() })
			if err := logcopy.New(one{&b}, logs, store).Deliver(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(filepath.Join(dir, "buckets", "bucket", "logs", uuid+".gz"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || string(got) != want {
				t.Errorf("the copy is %q, %v; want %q", got, err, want)
			}
			if _, err := logs.Stat(stream(b)); (err == nil) != c.stays {
				t.Errorf("the stream: %v; want it to stay: %t", err, c.stays)
			}
		})
	}
}

// full is a bucket that reads a little and fails.
type full struct{}

func (full) PutLog(_ context.Context, _ build.Build, body io.Reader) error {
	_, _ = io.CopyN(io.Discard, body, 10)
	return errors.New("no space left")
}

// none is a bucket that is not there.
type none struct{}

func (none) PutLog(context.Context, build.Build, io.Reader) error {
	return fault.New(fault.NotFound, "NoSuchBucket: The specified bucket does not exist")
}

func TestALogThatCannotBeCopied(t *testing.T) {
	b, logs, item, _ := fixture(t, api.LogsConfigStatusTypeDisabled, "bucket")
	for name, c := range map[string]struct {
		bucket interface {
			PutLog(context.Context, build.Build, io.Reader) error
		}
		build *build.Build
		item  outbox.Item
		kind  fault.Kind
		want  string
	}{
		"to a bucket that is full":          {full{}, &b, item, fault.Unavailable, "The log could not be written to S3: no space left"},
		"to a bucket that is not there yet": {none{}, &b, item, fault.Unavailable, "The log could not be written to S3: NoSuchBucket"},
		"of a build that was deleted":       {full{}, nil, item, fault.Invalid, "its build was deleted"},
		"as nobody can read what is owed":   {full{}, &b, outbox.Item{Payload: []byte("[]")}, fault.Invalid, "The item is no log"},
		"to what is no name of a bucket":    {blob.New(blob.Options{Dir: t.TempDir()}), elsewhere(b, "../x"), item, fault.Invalid, "no bucket's name"},
		"of a build that keeps none there":  {blob.New(blob.Options{Dir: t.TempDir()}), nowhere(b), item, fault.Invalid, "does not go to S3"},
	} {
		t.Run(name, func(t *testing.T) {
			err := logcopy.New(one{c.build}, logs, c.bucket).Deliver(t.Context(), c.item)
			if fault.KindOf(err) != c.kind || !strings.Contains(fault.Message(err), c.want) {
				t.Errorf("Deliver = %v, want %q", err, c.want)
			}
			if _, err := logs.Stat(stream(b)); err != nil {
				t.Errorf("the stream is lost: %v", err)
			}
		})
	}
	if err := logs.Delete(stream(b)); err != nil {
		t.Fatal(err)
	}
	if err := logcopy.New(one{&b}, logs, full{}).Deliver(t.Context(), item); fault.KindOf(err) != fault.Invalid {
		t.Errorf("Deliver of a log that was deleted = %v, want Invalid", err)
	}
}

func elsewhere(b build.Build, location string) *build.Build {
	l := *b.Public.Logs
	l.S3Logs = &api.S3LogsConfig{Status: api.LogsConfigStatusTypeEnabled, Location: &location}
	b.Public.Logs = &l
	return &b
}

func nowhere(b build.Build) *build.Build {
	l := *b.Public.Logs
	l.S3Logs = nil
	b.Public.Logs = &l
	return &b
}
