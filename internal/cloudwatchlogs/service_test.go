package cloudwatchlogs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api/logs"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

const webGroup = "/aws/codebuild/web"

var scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}

// A bench is a service with a store that a test writes to.
type bench struct {
	*Service
	t     testing.TB
	ctx   context.Context
	store *logstream.Store
}

func newBench(t testing.TB) *bench {
	t.Helper()
	store, err := logstream.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &bench{New(store), t, accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope}), store}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) create(group, name string) logstream.StreamID {
	b.t.Helper()
	id := logstream.StreamID{Scope: scope, Group: group, Name: name}
	b.must(b.store.Create(id, time.UnixMilli(1_000)))
	return id
}

// write appends a frame of events, given as "time message".
func (b *bench) write(id logstream.StreamID, events ...string) {
	b.t.Helper()
	builder := frame.NewBuilder()
	for _, e := range events {
		var ms int64
		_, err := fmt.Sscanf(e, "%d", &ms)
		b.must(err)
		_, message, _ := strings.Cut(e, " ")
		builder.Add(ms, []byte(message+"\n"))
	}
	seq, err := b.store.Next(id)
	b.must(err)
	b.must(b.store.Append(id, seq, bytes.Clone(builder.Frame())))
}

func got(events []logs.OutputLogEvent) []string {
	all := []string{}
	for _, e := range events {
		if e.IngestionTime == nil || *e.IngestionTime < *e.Timestamp {
			all = append(all, "WITHOUT INGESTION TIME")
		}
		all = append(all, fmt.Sprintf("%d %s", *e.Timestamp, strings.TrimSuffix(*e.Message, "\n")))
	}
	return all
}

// wantFault checks the kind and text of an error.
func wantFault(t *testing.T, what string, err error, kind fault.Kind, text string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fault.Message(err), text) {
		t.Errorf("%s = %v, want a fault of kind %d with %q", what, err, kind, text)
	}
}

func TestNamingAGroup(t *testing.T) {
	b := newBench(t)
	b.write(b.create(webGroup, "s"), "1 x")
	for name, c := range map[string]struct {
		name, identifier *string
		kind             fault.Kind
		text             string // "" for success
	}{
		"by name":                   {name: new(webGroup)},
		"by name as identifier":     {identifier: new(webGroup)},
		"by ARN":                    {identifier: new("arn:aws:logs:eu-central-1:123456789012:log-group:" + webGroup)},
		"by ARN as groups have it":  {identifier: new("arn:aws:logs:eu-central-1:123456789012:log-group:" + webGroup + ":*")},
		"both":                      {new(webGroup), new(webGroup), fault.Invalid, "mutually exclusive"},
		"neither":                   {nil, nil, fault.Invalid, "must be specified"},
		"unknown":                   {new("nope"), nil, fault.NotFound, "The specified log group does not exist."},
		"an ARN of another account": {nil, new("arn:aws:logs:eu-central-1:999999999999:log-group:" + webGroup), fault.NotFound, "The specified log group does not exist."},
		"an ARN of another region":  {nil, new("arn:aws:logs:us-east-1:123456789012:log-group:" + webGroup), fault.NotFound, "The specified log group does not exist."},
		"an ARN of a stream":        {nil, new("arn:aws:logs:eu-central-1:123456789012:log-group:" + webGroup + ":log-stream:s"), fault.Invalid, "not the ARN of a log group"},
		"an ARN of something else":  {nil, new("arn:aws:codebuild:eu-central-1:123456789012:project/web"), fault.Invalid, "not the ARN of a log group"},
		"half an ARN":               {nil, new("arn:aws"), fault.Invalid, "not the ARN of a log group"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err1 := b.GetLogEvents(b.ctx, &logs.GetLogEventsRequest{LogGroupName: c.name, LogGroupIdentifier: c.identifier, LogStreamName: "s"})
			_, err2 := b.FilterLogEvents(b.ctx, &logs.FilterLogEventsRequest{LogGroupName: c.name, LogGroupIdentifier: c.identifier})
			_, err3 := b.DescribeLogStreams(b.ctx, &logs.DescribeLogStreamsRequest{LogGroupName: c.name, LogGroupIdentifier: c.identifier})
			for i, err := range []error{err1, err2, err3} {
				if c.text == "" {
					b.must(err)
				} else {
					wantFault(t, []string{"GetLogEvents", "FilterLogEvents", "DescribeLogStreams"}[i], err, c.kind, c.text)
				}
			}
		})
	}
	t.Run("another account sees nothing", func(t *testing.T) {
		ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: arn.Scope{Account: "999999999999", Region: scope.Region}})
		_, err := b.GetLogEvents(ctx, &logs.GetLogEventsRequest{LogGroupName: new(webGroup), LogStreamName: "s"})
		wantFault(t, "GetLogEvents", err, fault.NotFound, "The specified log group does not exist.")
		out, err := b.DescribeLogGroups(ctx, &logs.DescribeLogGroupsRequest{})
		if err != nil || len(out.LogGroups) != 0 {
			t.Errorf("DescribeLogGroups = %+v, %v", out, err)
		}
	})
}
