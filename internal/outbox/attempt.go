package outbox

import (
	"strings"
	"time"
	"unicode/utf8"
)

const (
	firstWait = 2 * time.Second
	longest   = time.Hour      // the most we wait by ourselves
	politest  = 24 * time.Hour // the most we wait because we were told to
	patience  = 72 * time.Hour // since the item was made; then it is given up
	maxText   = 1000           // bytes of a message, which strangers write
)

// Retry returns i after an attempt that failed for now, to be tried again after
// 2s, 4s, 8s … up to an hour, or after the time that was asked for, if that is
// longer (a day counts as the most). An item older than three days is Refused
// instead. Message is what was said, cut to 1,000 bytes.
func (i Item) Retry(now time.Time, message string, after time.Duration) Item {
	if now.Sub(i.Created) >= patience {
		return i.Refuse(now, message)
	}
	i = i.attempted(now, message)
	i.NotBefore = now.Add(max(wait(i.Attempts), min(after, politest)))
	return i
}

// Deliver returns i after an attempt that succeeded.
func (i Item) Deliver(now time.Time, message string) Item {
	i = i.attempted(now, message)
	i.State = Delivered
	return i
}

// Refuse returns i after an attempt that cannot succeed later either.
func (i Item) Refuse(now time.Time, message string) Item {
	i = i.attempted(now, message)
	i.State = Refused
	return i
}

func (i Item) attempted(now time.Time, message string) Item {
	i.Attempts++
	i.LastAttempt = now
	i.Message = cut(message)
	i.Outcome.NextStep, i.Outcome.Link = cut(i.Outcome.NextStep), cut(i.Outcome.Link)
	return i
}

// wait is how long to wait after so many attempts.
func wait(attempts int) time.Duration {
	d := firstWait
	for n := 1; n < attempts && d < longest; n++ {
		d *= 2
	}
	return min(d, longest)
}

// cut returns text as valid UTF-8 of at most maxText bytes.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxText {
		return text
	}
	end := maxText - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
