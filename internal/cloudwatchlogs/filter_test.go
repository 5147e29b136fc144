package cloudwatchlogs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api/logs"
	"slipway/internal/fault"
	"slipway/internal/logstream"
)

// filtered goes through all pages of in and returns "stream time message".
func (b *bench) filtered(in logs.FilterLogEventsRequest) (all []string, pages int) {
	b.t.Helper()
	in.LogGroupName = new(webGroup)
	last := ""
	for {
		out, err := b.FilterLogEvents(b.ctx, &in)
		b.must(err)
		pages++
		if out.Events == nil || out.SearchedLogStreams == nil {
			b.t.Fatal("a list is missing")
		}
		for _, e := range out.Events {
			if len(*e.EventID) != 56 || *e.EventID <= last || *e.IngestionTime < *e.Timestamp {
				b.t.Fatalf("event %s at %d follows %s", *e.EventID, *e.Timestamp, last)
			}
			last = *e.EventID
			all = append(all, fmt.Sprintf("%s %d %s", *e.LogStreamName, *e.Timestamp, strings.TrimSuffix(*e.Message, "\n")))
		}
		if out.NextToken == nil {
			return all, pages
		}
		if in.NextToken != nil && *in.NextToken == *out.NextToken {
			b.t.Fatal("the token leads nowhere")
		}
		in.NextToken = out.NextToken
	}
}

func TestFilterLogEvents(t *testing.T) {
	b := newBench(t)
	web, api := b.create(webGroup, "web/1"), b.create(webGroup, "api/1")
	b.create(webGroup, "empty")
	b.write(web, "10 one", "20 two ERROR", "30 three")
	b.write(api, "15 uno", "25 dos ERROR fatal", "35 tres")
	b.write(web, "40 four ERROR")
	for name, c := range map[string]struct {
		in   logs.FilterLogEventsRequest
		want []string
	}{
		"all, merged":                         {logs.FilterLogEventsRequest{Interleaved: new(true)}, []string{"web/1 10 one", "api/1 15 uno", "web/1 20 two ERROR", "api/1 25 dos ERROR fatal", "web/1 30 three", "api/1 35 tres", "web/1 40 four ERROR"}},
		"from a time on, which is included":   {logs.FilterLogEventsRequest{StartTime: new(int64(35))}, []string{"api/1 35 tres", "web/1 40 four ERROR"}},
		"up to a time, which is included too": {logs.FilterLogEventsRequest{EndTime: new(int64(15))}, []string{"web/1 10 one", "api/1 15 uno"}},
		"one stream":                          {logs.FilterLogEventsRequest{LogStreamNames: []string{"api/1", "empty", "api/1"}}, []string{"api/1 15 uno", "api/1 25 dos ERROR fatal", "api/1 35 tres"}},
		"by prefix":                           {logs.FilterLogEventsRequest{LogStreamNamePrefix: new("web/"), StartTime: new(int64(25))}, []string{"web/1 30 three", "web/1 40 four ERROR"}},
		"by prefix, none":                     {logs.FilterLogEventsRequest{LogStreamNamePrefix: new("nope")}, nil},
		"by pattern":                          {logs.FilterLogEventsRequest{FilterPattern: new("ERROR -fatal")}, []string{"web/1 20 two ERROR", "web/1 40 four ERROR"}},
		"by a pattern that nothing matches":   {logs.FilterLogEventsRequest{FilterPattern: new("nope")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{1, 2, 10_000} {
				c.in.Limit = &limit
				got, pages := b.filtered(c.in)
				if !cmp.Equal(got, c.want) {
					t.Errorf("limit %d: %s", limit, cmp.Diff(c.want, got))
				}
				if want := max(1, (len(c.want)+limit-1)/limit); pages > want+1 {
					t.Errorf("limit %d: %d pages, want %d", limit, pages, want)
				}
			}
		})
	}
	for name, c := range map[string]struct {
		in   logs.FilterLogEventsRequest
		kind fault.Kind
		text string
	}{
		"names and prefix":  {logs.FilterLogEventsRequest{LogStreamNames: []string{"web/1"}, LogStreamNamePrefix: new("w")}, fault.Invalid, "mutually exclusive"},
		"an unknown stream": {logs.FilterLogEventsRequest{LogStreamNames: []string{"web/1", "nope"}}, fault.NotFound, "The specified log stream does not exist."},
		"a JSON pattern":    {logs.FilterLogEventsRequest{FilterPattern: new("{ $.level = 1 }")}, fault.Invalid, "JSON patterns"},
		"a token of ours?":  {logs.FilterLogEventsRequest{NextToken: new("???")}, fault.Invalid, "The specified nextToken is invalid."},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.LogGroupName = new(webGroup)
			_, err := b.FilterLogEvents(b.ctx, &c.in)
			wantFault(t, "FilterLogEvents", err, c.kind, c.text)
		})
	}
}

// Pages, whatever their size, and however little memory and work are allowed,
// are what sorting all events by time gives.
func TestFilterModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.maxHeld = rapid.SampledFrom([]int{0, 100, 32 << 20}).Draw(rt, "memory")
		b.maxScan = rapid.SampledFrom([]int{0, 1000, 64 << 20}).Draw(rt, "work")
		type sorted struct {
			time   int64
			stream string
			n      int
			text   string
		}
		var model []sorted
		for i := range rapid.IntRange(1, 6).Draw(rt, "streams") {
			id := b.create(webGroup, fmt.Sprint("stream", i))
			ms, n := rapid.Int64Range(0, 50).Draw(rt, "start"), 0
			for range rapid.IntRange(0, 5).Draw(rt, "frames") {
				var events []string
				for range rapid.IntRange(1, 30).Draw(rt, "events") {
					ms += rapid.Int64Range(0, 3).Draw(rt, "later")
					text := rapid.SampledFrom([]string{"a", "b", "a b"}).Draw(rt, "text")
					events = append(events, fmt.Sprint(ms, " ", text))
					model = append(model, sorted{ms, id.Name, n, text})
					n++
				}
				b.write(id, events...)
			}
			if rapid.Bool().Draw(rt, "synced") {
				b.must(b.store.Sync(id))
			}
		}
		in := logs.FilterLogEventsRequest{Limit: new(rapid.IntRange(1, 50).Draw(rt, "limit"))}
		low, high := int64(0), int64(1000)
		if rapid.Bool().Draw(rt, "bounded") {
			low, high = rapid.Int64Range(0, 100).Draw(rt, "low"), rapid.Int64Range(0, 200).Draw(rt, "high")
			in.StartTime, in.EndTime = &low, &high
		}
		term := rapid.SampledFrom([]string{"", "a", "nothing"}).Draw(rt, "term")
		in.FilterPattern = &term
		slices.SortFunc(model, func(x, y sorted) int {
			p, q := place{x.time, fingerprint(x.stream), int64(x.n)}, place{y.time, fingerprint(y.stream), int64(y.n)}
			if p.less(q) {
				return -1
			}
			return 1
		})
		var want []string
		for _, m := range model {
			if m.time >= low && m.time <= high && strings.Contains(m.text, term) {
				want = append(want, fmt.Sprintf("%s %d %s", m.stream, m.time, m.text))
			}
		}
		if got, _ := b.filtered(in); !cmp.Equal(got, want) {
			rt.Fatal(cmp.Diff(want, got))
		}
	})
}

// What `aws logs tail --follow` does: it goes through the pages, then asks
// again from the newest time it has seen on, and drops what it has seen.
func TestTailing(t *testing.T) {
	b := newBench(t)
	streams := []logstream.StreamID{b.create(webGroup, "a"), b.create(webGroup, "b")}
	seen := map[string]bool{}
	newest := int64(0)
	var all []string
	in := logs.FilterLogEventsRequest{LogGroupName: new(webGroup), Interleaved: new(true), StartTime: new(int64(0))}
	poll := func() {
		for {
			out, err := b.FilterLogEvents(b.ctx, &in)
			b.must(err)
			for _, e := range out.Events {
				if !seen[*e.EventID] {
					seen[*e.EventID] = true
					all = append(all, *e.LogStreamName+" "+strings.TrimSpace(*e.Message))
				}
				newest = max(newest, *e.Timestamp)
			}
			in.NextToken = out.NextToken
			if out.NextToken == nil {
				in.StartTime = new(newest)
				return
			}
			in.Limit = new(3)
		}
	}
	var want []string
	poll()
	for i := range 60 {
		s := streams[i%7%2]
		b.write(s, fmt.Sprintf("%d line %d", 100+i/4, i), fmt.Sprintf("%d more %d", 100+i/4, i))
		want = append(want, fmt.Sprintf("%s line %d", s.Name, i), fmt.Sprintf("%s more %d", s.Name, i))
		if i%5 == 0 {
			poll()
		}
		if i == 30 {
			b.must(b.store.Sync(streams[0])) // a build ends, another goes on
		}
	}
	poll()
	slices.Sort(all)
	slices.Sort(want)
	if !cmp.Equal(all, want) {
		t.Error(cmp.Diff(want, all))
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern    string
		match, not []string
	}{
		{"", []string{"", "anything"}, nil},
		{"  ", []string{"anything"}, nil},
		{"ERROR", []string{"an ERROR", "xERRORx"}, []string{"error", ""}},
		{"ERROR disk", []string{"disk ERROR"}, []string{"ERROR", "disk"}},
		{`"disk full"`, []string{"the disk full of"}, []string{"full disk"}},
		{`"say \"hi\" \\"`, []string{`say "hi" \`}, []string{"say hi"}},
		{"?WARN ?ERROR", []string{"WARN", "ERROR"}, []string{"INFO"}},
		{`?"a b" ?c`, []string{"a b", "c"}, []string{"a", "b"}},
		{"ERROR -debug", []string{"ERROR"}, []string{"ERROR debug", "x"}},
		{`-"a b"`, []string{"a", ""}, []string{"a b"}},
		{"module ?WARN ?ERROR -test", []string{"module WARN"}, []string{"module", "module WARN test", "WARN"}},
		{`"[INFO]"`, []string{"[INFO] x"}, []string{"INFO"}},
		{"a-b a?c 100%", []string{"a-b a?c 100%"}, []string{"a b"}},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Errorf("parsePattern(%q) = %v", c.pattern, err)
		}
		for _, m := range c.match {
			if !p.match([]byte(m)) {
				t.Errorf("%q does not match %q", c.pattern, m)
			}
		}
		for _, m := range c.not {
			if p.match([]byte(m)) {
				t.Errorf("%q matches %q", c.pattern, m)
			}
		}
	}
	for pattern, text := range map[string]string{
		`{ $.a = 1 }`:   "JSON patterns",
		" [ip, user]":   "space-delimited patterns",
		`%err.*%`:       "regular expressions (%...%)",
		`a "b`:          "not closed",
		`a "b\"`:        "not closed",
		`a "" b`:        "empty",
		`a - b`:         "empty",
		`?`:             "empty",
		`x ?%[a-z]+% y`: "regular expressions",
	} {
		_, err := parsePattern(pattern)
		wantFault(t, fmt.Sprintf("parsePattern(%q)", pattern), err, fault.Invalid, text)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`a "b c" ?d -"e`, "text")
	f.Fuzz(func(t *testing.T, pattern, message string) {
		p, err := parsePattern(pattern)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || fault.Message(err) == "" {
				t.Errorf("parsePattern(%q) = %v", pattern, err)
			}
			return
		}
		p.match([]byte(message))
	})
}

// A group of thousands of old streams, asked for what is new.
func BenchmarkFilterLogEvents(b *testing.B) {
	bench := newBench(b)
	for i := range 5_000 {
		id := bench.create(webGroup, fmt.Sprint(i))
		bench.write(id, fmt.Sprintf("%d line", 1000*i))
		bench.must(bench.store.Sync(id))
	}
	s := bench.create(webGroup, "new")
	bench.write(s, "6000000 line")
	for _, c := range []struct {
		name string
		from int64
	}{{"the latest of 5,000 streams", 5_999_000}, {"all of 5,000 streams", 0}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				bench.filtered(logs.FilterLogEventsRequest{StartTime: &c.from})
			}
		})
	}
}
