package outbox

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestWaitsDoubleUpToAnHour(t *testing.T) {
	item := Item{State: Owed, Created: start}
	var got []time.Duration
	for range 13 {
		item = item.Retry(start, "down", 0)
		got = append(got, item.NotBefore.Sub(start))
	}
	s, h := time.Second, time.Hour
	want := []time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 512 * s, 1024 * s, 2048 * s, h, h}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if wait(1<<40) != h {
		t.Errorf("wait after very many attempts = %v, want %v", wait(1<<40), h)
	}
}

func TestAttempt(t *testing.T) {
	item := Item{ID: 7, Kind: CommitStatus, Subject: "app:1", State: Owed, Attempts: 1, Created: start, NotBefore: start}
	now := start.Add(time.Minute)
	for _, c := range []struct {
		name   string
		change func(Item) Item
		want   Item
	}{
		{"a delivered item is owed no more",
			func(i Item) Item { return i.Deliver(now, "created") },
			Item{State: Delivered, Message: "created", NotBefore: start}},
		{"a refused item keeps what was said",
			func(i Item) Item { return i.Refuse(now, "Bad credentials") },
			Item{State: Refused, Message: "Bad credentials", NotBefore: start}},
		{"a retry waits its step",
			func(i Item) Item { return i.Retry(now, "502", 0) },
			Item{State: Owed, Message: "502", NotBefore: now.Add(4 * time.Second)}},
		{"a retry waits as long as it was told",
			func(i Item) Item { return i.Retry(now, "429", 2*time.Hour) },
			Item{State: Owed, Message: "429", NotBefore: now.Add(2 * time.Hour)}},
		{"a retry does not wait for a year",
			func(i Item) Item { return i.Retry(now, "429", 365*24*time.Hour) },
			Item{State: Owed, Message: "429", NotBefore: now.Add(24 * time.Hour)}},
		{"a negative time to wait counts for nothing",
			func(i Item) Item { return i.Retry(now, "429", -time.Hour) },
			Item{State: Owed, Message: "429", NotBefore: now.Add(4 * time.Second)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			want.ID, want.Kind, want.Subject, want.Created = 7, CommitStatus, "app:1", start
			want.Attempts, want.LastAttempt = 2, now
			if d := cmp.Diff(want, c.change(item)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestItemIsGivenUpAfterThreeDays(t *testing.T) {
	item := Item{State: Owed, Created: start, NotBefore: start}
	for item.State == Owed {
		item = item.Retry(item.NotBefore, "down", 0)
	}
	age := item.LastAttempt.Sub(start)
	if item.State != Refused || age < 72*time.Hour || age > 73*time.Hour || item.Attempts > 100 {
		t.Errorf("ended %s after %v and %d attempts, want REFUSED after about 72h and fewer than 100", item.State, age, item.Attempts)
	}
}

func FuzzMessageIsBoundedText(f *testing.F) {
	f.Add("Bad credentials")
	f.Add(strings.Repeat("ü", 700))
	f.Add(strings.Repeat("a", 996) + "\xf0\x9f\x98" + strings.Repeat("b", 9))
	f.Fuzz(func(t *testing.T, text string) {
		got := Item{}.Refuse(start, text).Message
		if !utf8.ValidString(got) || len(got) > 1000 {
			t.Errorf("message of %d bytes, valid UTF-8 %v; want at most 1000, valid", len(got), utf8.ValidString(got))
		}
		if utf8.ValidString(text) && len(text) <= 1000 && got != text {
			t.Errorf("message = %q, want %q", got, text)
		}
	})
}
