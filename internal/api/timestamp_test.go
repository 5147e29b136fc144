package api

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

func TestTimestampOnTheWire(t *testing.T) {
	tests := []struct {
		name string
		ms   int64
		wire string
	}{
		{"three digits after the point", 1472848787882, "1472848787.882"},
		{"two digits", 1472848787880, "1472848787.88"},
		{"one digit", 1472848787800, "1472848787.8"},
		{"zeros after the point stay", 1472848787002, "1472848787.002"},
		{"whole seconds", 1472848787000, "1472848787"},
		{"seconds that end in zero", 1472848780000, "1472848780"},
		{"the epoch", 0, "0"},
		{"before the epoch", -1500, "-1.5"},
		{"just before the epoch", -1, "-0.001"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			at := At(time.UnixMilli(test.ms))
			text, err := json.Marshal(at)
			if err != nil || string(text) != test.wire {
				t.Errorf("Marshal = %s, %v; want %s", text, err, test.wire)
			}
			var back Timestamp
			if err := json.Unmarshal([]byte(test.wire), &back); err != nil || !back.Equal(at.Time) {
				t.Errorf("Unmarshal(%s) = %v, %v; want %v", test.wire, back, err, at)
			}
		})
	}
}

func TestTimestampAbsent(t *testing.T) {
	type structure struct {
		At Timestamp `json:"at,omitzero"`
	}
	if text, err := json.Marshal(structure{}); err != nil || string(text) != "{}" {
		t.Errorf("Marshal = %s, %v; want {}", text, err)
	}
	s := structure{At(time.Now())}
	if err := json.Unmarshal([]byte(`{"at":null}`), &s); err != nil || !s.At.IsZero() {
		t.Errorf("Unmarshal(null) = %v, %v; want the zero Timestamp", s.At, err)
	}
	if text, err := json.Marshal([]Timestamp{{}}); err != nil || string(text) != "[null]" {
		t.Errorf("Marshal = %s, %v; want [null]", text, err)
	}
}

func TestAtCutsToMillisecondsInUTC(t *testing.T) {
	at := At(time.Date(2026, 11, 23, 1, 2, 3, 456_789_000, time.FixedZone("", 3600)))
	if want := time.Date(2026, 11, 23, 0, 2, 3, 456_000_000, time.UTC); at.Time != want {
		t.Errorf("At = %v, want %v", at, want)
	}
}

func TestTimestampRefusesTextAndExtremes(t *testing.T) {
	for _, text := range []string{`"2026-11-23T00:00:00Z"`, `"1"`, `1e300`, `-1e12`, `[]`, `true`, `NaN`, `Inf`} {
		if err := new(Timestamp).UnmarshalJSON([]byte(text)); err == nil || err.Error() != "a timestamp must be a number of seconds since 1970" {
			t.Errorf("Unmarshal(%s): %v", text, err)
		}
	}
}

// FuzzTimestamp holds that what is read is written within half a millisecond of
// the number, and read again as the same time.
func FuzzTimestamp(f *testing.F) {
	for _, text := range []string{"0", "1472848787.882", "-0.0005", "1e9", "99999999999.9995", "-62135596800"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var at Timestamp
		if json.Unmarshal([]byte(text), &at) != nil || at.IsZero() {
			return
		}
		wire, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		var back Timestamp
		if err := json.Unmarshal(wire, &back); err != nil || back != at {
			t.Errorf("%s is written %s and read %v (%v), want %v", text, wire, back, err, at)
		}
		var was, is float64
		if err := errors.Join(json.Unmarshal([]byte(text), &was), json.Unmarshal(wire, &is)); err != nil || math.Abs(was-is) > 0.00052 { // with the grain of a float64 that large
			t.Errorf("%s is written %s", text, wire)
		}
	})
}
