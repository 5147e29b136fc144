package api

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Timestamp is a time on the wire: a JSON number of Unix seconds with up to
// three digits after the point. The zero Timestamp is an absent one.
type Timestamp struct{ time.Time }

// At returns t as the wire carries it, cut to milliseconds.
func At(t time.Time) Timestamp { return Timestamp{t.UTC().Truncate(time.Millisecond)} }

// MarshalJSON writes the number; a zero Timestamp is null.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	ms := t.UnixMilli()
	var b []byte
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if rest := ms % 1000; rest > 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
		b = bytes.TrimRight(b, "0")
	}
	return b, nil
}

// UnmarshalJSON reads a number of seconds; null is the zero Timestamp.
func (t *Timestamp) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*t = Timestamp{}
		return nil
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(math.Abs(seconds) <= 1e11) { // so written, NaN is refused
		return fmt.Errorf("a timestamp must be a number of seconds since 1970")
	}
	*t = Timestamp{time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()}
	return nil
}
