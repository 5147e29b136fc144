package cloudwatchlogs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/logs"
	"slipway/internal/fault"
)

func TestDescribeLogGroups(t *testing.T) {
	b := newBench(t)
	for _, g := range []string{"/aws/codebuild/web", "/aws/codebuild/api", "other", "/aws/codebuild/Web"} {
		b.create(g, "s")
	}
	for name, c := range map[string]struct {
		in   logs.DescribeLogGroupsRequest
		want []string
	}{
		"all":                 {logs.DescribeLogGroupsRequest{}, []string{"/aws/codebuild/Web", "/aws/codebuild/api", "/aws/codebuild/web", "other"}},
		"by prefix":           {logs.DescribeLogGroupsRequest{LogGroupNamePrefix: new("/aws/codebuild/w")}, []string{"/aws/codebuild/web"}},
		"by part of the name": {logs.DescribeLogGroupsRequest{LogGroupNamePattern: new("build/w")}, []string{"/aws/codebuild/web"}},
		"by identifiers":      {logs.DescribeLogGroupsRequest{LogGroupIdentifiers: []string{"other", "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/codebuild/api", "nope"}}, []string{"/aws/codebuild/api", "other"}},
		"of another class":    {logs.DescribeLogGroupsRequest{LogGroupClass: logs.LogGroupClassInfrequentAccess}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for limit := 1; limit < 6; limit++ {
				var got []string
				in := c.in
				in.Limit = &limit
				for {
					out, err := b.DescribeLogGroups(b.ctx, &in)
					b.must(err)
					for _, g := range out.LogGroups {
						got = append(got, *g.LogGroupName)
					}
					if in.NextToken = out.NextToken; in.NextToken == nil {
						break
					}
				}
				if !cmp.Equal(got, c.want) {
					t.Errorf("limit %d: %s", limit, cmp.Diff(c.want, got))
				}
			}
		})
	}
	t.Run("a group in full", func(t *testing.T) {
		out, err := b.DescribeLogGroups(b.ctx, &logs.DescribeLogGroupsRequest{LogGroupNamePrefix: new("other")})
		b.must(err)
		want := []logs.LogGroup{{
			LogGroupName: new("other"), CreationTime: new(int64(1000)), MetricFilterCount: new(0), LogGroupClass: "STANDARD",
			LogGroupARN: new("arn:aws:logs:eu-central-1:123456789012:log-group:other"), ARN: new("arn:aws:logs:eu-central-1:123456789012:log-group:other:*"),
		}}
		if !cmp.Equal(out.LogGroups, want) {
			t.Error(cmp.Diff(want, out.LogGroups))
		}
	})
	_, err := b.DescribeLogGroups(b.ctx, &logs.DescribeLogGroupsRequest{LogGroupNamePrefix: new("a"), LogGroupNamePattern: new("b")})
	wantFault(t, "prefix and pattern", err, fault.Invalid, "mutually exclusive")
	_, err = b.DescribeLogGroups(b.ctx, &logs.DescribeLogGroupsRequest{NextToken: new("!")})
	wantFault(t, "a token that is none", err, fault.Invalid, "The specified nextToken is invalid.")
}

func TestDescribeLogStreams(t *testing.T) {
	b := newBench(t)
	var names []string
	for i, name := range []string{"c", "a", "b/2", "b/1", "e"} {
		id := b.create(webGroup, name)
		if name != "e" { // which is empty, and was created at 1000
			b.write(id, fmt.Sprintf("%d first", 2000+10*i), fmt.Sprintf("%d last", 2001+10*i))
		}
		if i%2 == 0 {
			b.must(b.store.Sync(id))
		}
		names = append(names, name)
	}
	byName := slices.Sorted(slices.Values(names))
	byTime := []string{"e", "c", "a", "b/2", "b/1"}
	reversed := func(s []string) []string { s = slices.Clone(s); slices.Reverse(s); return s }
	for name, c := range map[string]struct {
		in   logs.DescribeLogStreamsRequest
		want []string
	}{
		"by name":             {logs.DescribeLogStreamsRequest{}, byName},
		"by name, descending": {logs.DescribeLogStreamsRequest{Descending: new(true), OrderBy: "LogStreamName"}, reversed(byName)},
		"by time":             {logs.DescribeLogStreamsRequest{OrderBy: "LastEventTime"}, byTime},
		"by time, descending": {logs.DescribeLogStreamsRequest{OrderBy: "LastEventTime", Descending: new(true)}, reversed(byTime)},
		"by prefix":           {logs.DescribeLogStreamsRequest{LogStreamNamePrefix: new("b/")}, []string{"b/1", "b/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			for limit := 1; limit < 7; limit++ {
				var got []string
				in := c.in
				in.LogGroupName, in.Limit = new(webGroup), &limit
				for {
					out, err := b.DescribeLogStreams(b.ctx, &in)
					b.must(err)
					for _, s := range out.LogStreams {
						got = append(got, *s.LogStreamName)
					}
					if in.NextToken = out.NextToken; in.NextToken == nil {
						break
					}
				}
				if !cmp.Equal(got, c.want) {
					t.Errorf("limit %d: %s", limit, cmp.Diff(c.want, got))
				}
			}
		})
	}
	t.Run("a stream in full", func(t *testing.T) {
		out, err := b.DescribeLogStreams(b.ctx, &logs.DescribeLogStreamsRequest{LogGroupName: new(webGroup), LogStreamNamePrefix: new("c")})
		b.must(err)
		s := out.LogStreams[0]
		if s.StoredBytes == nil || *s.StoredBytes <= 0 || s.LastIngestionTime == nil || *s.LastIngestionTime < 2001 {
			t.Errorf("%+v", s)
		}
		s.StoredBytes, s.LastIngestionTime = nil, nil
		want := logs.LogStream{
			LogStreamName: new("c"), ARN: new("arn:aws:logs:eu-central-1:123456789012:log-group:/aws/codebuild/web:log-stream:c"),
			CreationTime: new(int64(1000)), FirstEventTimestamp: new(int64(2000)), LastEventTimestamp: new(int64(2001)),
		}
		if !cmp.Equal(s, want) {
			t.Error(cmp.Diff(want, s))
		}
	})
	_, err := b.DescribeLogStreams(b.ctx, &logs.DescribeLogStreamsRequest{LogGroupName: new(webGroup), LogStreamNamePrefix: new("c"), OrderBy: "LastEventTime"})
	wantFault(t, "by time with a prefix", err, fault.Invalid, "Cannot order by LastEventTime")
	out, err := b.DescribeLogStreams(b.ctx, &logs.DescribeLogStreamsRequest{LogGroupName: new(webGroup), Limit: new(1)})
	b.must(err)
	_, err = b.DescribeLogStreams(b.ctx, &logs.DescribeLogStreamsRequest{LogGroupName: new(webGroup), NextToken: out.NextToken, Descending: new(true)})
	wantFault(t, "a token of another order", err, fault.Invalid, "The specified nextToken is invalid.")
}
