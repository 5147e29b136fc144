package cloudwatchlogs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/logs"
	"slipway/internal/fault"
)

func (b *bench) get(in logs.GetLogEventsRequest) *logs.GetLogEventsResponse {
	b.t.Helper()
	in.LogGroupName = new(webGroup)
	if in.LogStreamName == "" {
		in.LogStreamName = "s"
	}
	out, err := b.GetLogEvents(b.ctx, &in)
	b.must(err)
	if out.NextForwardToken == nil || out.NextBackwardToken == nil || out.Events == nil {
		b.t.Fatalf("GetLogEvents = %+v: something is missing", out)
	}
	return out
}

func TestGetLogEvents(t *testing.T) {
	b := newBench(t)
	s := b.create(webGroup, "s")
	b.write(s, "10 a", "11 b", "12 c")
	b.write(s, "20 d", "21 e")
	b.write(s, "30 f", "30 g", "31 h")
	for name, c := range map[string]struct {
		in   logs.GetLogEventsRequest
		want string
	}{
		"all, by default":                     {logs.GetLogEventsRequest{}, "abcdefgh"},
		"the last ones, by default":           {logs.GetLogEventsRequest{Limit: new(3)}, "fgh"},
		"the first ones":                      {logs.GetLogEventsRequest{Limit: new(4), StartFromHead: new(true)}, "abcd"},
		"start is inclusive":                  {logs.GetLogEventsRequest{StartTime: new(int64(21))}, "efgh"},
		"end is exclusive":                    {logs.GetLogEventsRequest{EndTime: new(int64(21))}, "abcd"},
		"between":                             {logs.GetLogEventsRequest{StartTime: new(int64(12)), EndTime: new(int64(31))}, "cdefg"},
		"between, the first ones":             {logs.GetLogEventsRequest{StartTime: new(int64(12)), EndTime: new(int64(31)), Limit: new(2), StartFromHead: new(true)}, "cd"},
		"between, the last ones":              {logs.GetLogEventsRequest{StartTime: new(int64(12)), EndTime: new(int64(31)), Limit: new(2)}, "fg"},
		"an end before the start":             {logs.GetLogEventsRequest{StartTime: new(int64(31)), EndTime: new(int64(12))}, ""},
		"a start after the end of the stream": {logs.GetLogEventsRequest{StartTime: new(int64(99))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for _, e := range b.get(c.in).Events {
				text.WriteString(strings.TrimSuffix(*e.Message, "\n"))
			}
			if text.String() != c.want {
				t.Errorf("got %s, want %s", text.String(), c.want)
			}
		})
	}
	t.Run("messages keep their line end", func(t *testing.T) {
		if m := *b.get(logs.GetLogEventsRequest{}).Events[0].Message; m != "a\n" {
			t.Errorf("message %q", m)
		}
	})
	t.Run("an unknown stream", func(t *testing.T) {
		_, err := b.GetLogEvents(b.ctx, &logs.GetLogEventsRequest{LogGroupName: new(webGroup), LogStreamName: "t"})
		wantFault(t, "GetLogEvents", err, fault.NotFound, "The specified log stream does not exist.")
	})
}

// Tokens lead through a stream in both directions, whatever the page size, and
// the ones that lead no further come back.
func TestTokens(t *testing.T) {
	b := newBench(t)
	s := b.create(webGroup, "s")
	var want []string
	for i := range 40 {
		lines := []string{}
		for j := range 1 + i%5 {
			lines = append(lines, fmt.Sprintf("%d line %d.%d", 10*i+j, i, j))
		}
		b.write(s, lines...)
		want = append(want, lines...)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, bounds := range [][2]*int64{{nil, nil}, {new(int64(55)), nil}, {nil, new(int64(300))}, {new(int64(55)), new(int64(300))}} {
		within := []string{}
		for _, w := range want {
			var ms int64
			fmt.Sscan(w, &ms)
			if (bounds[0] == nil || ms >= *bounds[0]) && (bounds[1] == nil || ms < *bounds[1]) {
				within = append(within, w)
			}
		}
		for _, forward := range []bool{true, false} {
			var all []string
			in := logs.GetLogEventsRequest{StartTime: bounds[0], EndTime: bounds[1], StartFromHead: &forward}
			for pages := 0; ; pages++ {
				in.Limit = new(1 + r.IntN(9))
				out := b.get(in)
				next := out.NextForwardToken
				if forward {
					all = append(all, got(out.Events)...)
				} else {
					next = out.NextBackwardToken
					all = append(got(out.Events), all...)
				}
				if in.NextToken != nil && *next == *in.NextToken {
					if len(out.Events) > 0 {
						t.Error("the token stays although there are events")
					}
					break
				}
				in.NextToken = next
				if pages > len(want) {
					t.Fatal("there is no end")
				}
			}
			if !cmp.Equal(all, within) {
				t.Errorf("forward %v, %v: %s", forward, bounds, cmp.Diff(within, all))
			}
		}
	}
	t.Run("back and forth is the same page", func(t *testing.T) {
		one := b.get(logs.GetLogEventsRequest{StartFromHead: new(true), Limit: new(7)})
		two := b.get(logs.GetLogEventsRequest{StartFromHead: new(true), Limit: new(7), NextToken: one.NextForwardToken})
		back := b.get(logs.GetLogEventsRequest{StartFromHead: new(true), Limit: new(7), NextToken: two.NextBackwardToken})
		if !cmp.Equal(got(one.Events), got(back.Events)) {
			t.Error(cmp.Diff(got(one.Events), got(back.Events)))
		}
	})
	t.Run("a token that is none, or of another stream", func(t *testing.T) {
		other := b.create(webGroup, "other")
		b.write(other, "1 x")
		foreign := b.get(logs.GetLogEventsRequest{LogStreamName: "other"}).NextForwardToken
		for _, token := range []string{"x", "f/12/s", *foreign, strings.Replace(*foreign, "f/", "g/", 1), "f/" + strings.Repeat("9", 56) + "/s"} {
			_, err := b.GetLogEvents(b.ctx, &logs.GetLogEventsRequest{LogGroupName: new(webGroup), LogStreamName: "s", NextToken: &token})
			wantFault(t, "GetLogEvents with token "+token, err, fault.Invalid, "The specified nextToken is invalid.")
		}
	})
}

func TestPagesHoldOneMegabyte(t *testing.T) {
	b := newBench(t)
	s := b.create(webGroup, "s")
	for i := range 25 {
		b.write(s, fmt.Sprintf("%d %s", i, strings.Repeat("x", 99_973))) // with its line end and the 26 bytes: 100,000
	}
	head := b.get(logs.GetLogEventsRequest{StartFromHead: new(true)})
	tail := b.get(logs.GetLogEventsRequest{})
	if len(head.Events) != 10 || *head.Events[0].Timestamp != 0 || len(tail.Events) != 10 || *tail.Events[9].Timestamp != 24 {
		t.Errorf("%d events from the head, %d from the tail", len(head.Events), len(tail.Events))
	}
	if next := b.get(logs.GetLogEventsRequest{NextToken: tail.NextBackwardToken}); len(next.Events) != 10 || *next.Events[9].Timestamp != 14 {
		t.Errorf("%d events before", len(next.Events))
	}
	if next := b.get(logs.GetLogEventsRequest{NextToken: head.NextForwardToken, StartFromHead: new(true)}); len(next.Events) != 10 || *next.Events[0].Timestamp != 10 {
		t.Errorf("%d events after", len(next.Events))
	}
}

// A client that polls with the last forward token, as the GitHub action does,
// sees every line once while the build writes, and ends with two empty pages.
func TestPolling(t *testing.T) {
	b := newBench(t)
	s := b.create(webGroup, "s")
	var token *string
	var all, want []string
	poll := func() int {
		out := b.get(logs.GetLogEventsRequest{StartFromHead: new(true), NextToken: token})
		token = out.NextForwardToken
		all = append(all, got(out.Events)...)
		return len(out.Events)
	}
	for i := range 20 {
		if i%3 == 0 && poll() > 0 && i == 0 {
			t.Error("an empty stream has events")
		}
		line := fmt.Sprintf("%d line %d", 100, i) // all at one time
		b.write(s, line)
		want = append(want, line)
	}
	b.must(b.store.Sync(s))
	for empty := 0; empty < 2; {
		before := token
		if poll() == 0 {
			empty++
			if *before != *token {
				t.Error("an empty page changes the token")
			}
		}
	}
	if !cmp.Equal(all, want) {
		t.Error(cmp.Diff(want, all))
	}
}

func FuzzPosition(f *testing.F) {
	f.Add(position{true, fingerprint("s"), 7}.String())
	f.Add("b/00000000000000000000000000000000000000000000000000000000/s")
	f.Add("f/+0000000000000000000000000000000000000000000000000000001/s")
	f.Fuzz(func(t *testing.T, token string) {
		p, ok := parsePosition(token)
		if ok && (p.String() != token || p.event < 0) {
			t.Errorf("parsePosition(%q) = %+v", token, p)
		}
	})
}

func BenchmarkGetLogEvents(b *testing.B) {
	bench := newBench(b)
	s := bench.create(webGroup, "s")
	var lines []string
	for i := range 2_600 {
		lines = append(lines, fmt.Sprintf("%d [INFO] compiling src/main/java/com/example/service/Module%d.java (3 warnings)", i, i))
	}
	for range 40 {
		bench.write(s, lines...)
	}
	b.Run("the last page", func(b *testing.B) {
		for b.Loop() {
			bench.get(logs.GetLogEventsRequest{})
		}
	})
	b.Run("nothing new", func(b *testing.B) {
		token := bench.get(logs.GetLogEventsRequest{}).NextForwardToken
		for b.Loop() {
			bench.get(logs.GetLogEventsRequest{NextToken: token, StartFromHead: new(true)})
		}
	})
}
