package event_test

import (
	"bytes"
	"testing"

	"slipway/internal/build/event"
)

const at = "[Container] 2026/11/27 06:20:02.123456 "

func TestParseLine(t *testing.T) {
	tests := []struct {
		line  string
		kind  event.Line
		about string
	}{
		{at + "Waiting for DOWNLOAD_SOURCE\n", event.PhaseLine, "DOWNLOAD_SOURCE"},
		{at + "Entering phase PRE_BUILD\n", event.PhaseLine, "PRE_BUILD"},
		{at + "Running command make all\r\n", event.CommandLine, "make all"},
		{at + "Running command ", event.CommandLine, ""},
		{at + "Command did not exit successfully make all exit status 2\n", event.ErrorLine, "Command did not exit successfully make all exit status 2"},
		{at + "Phase context status code: YAML_FILE_ERROR Message: stat buildspec.yml: no such file\n", event.ErrorLine, "YAML_FILE_ERROR: stat buildspec.yml: no such file"},
		{at + "Phase context status code:  Message: \n", event.OtherLine, ""},
		{at + "Phase complete: BUILD State: FAILED\n", event.OtherLine, ""},
		{at + "Waiting for DOWNLOAD_SOURCE to end\n", event.OtherLine, ""},
		{" " + at + "Entering phase BUILD\n", event.OtherLine, ""},
		{"[Container] Entering phase BUILD\n", event.OtherLine, ""},
		{"[Container] \n", event.OtherLine, ""},
		{"", event.OtherLine, ""},
	}
	for _, tt := range tests {
		if kind, about := event.ParseLine([]byte(tt.line)); kind != tt.kind || string(about) != tt.about {
			t.Errorf("ParseLine(%q) = %d, %q, want %d, %q", tt.line, kind, about, tt.kind, tt.about)
		}
	}
}

// Whatever the line, it is left as it is and what is said of it has no line end.
func FuzzParseLine(f *testing.F) {
	f.Add([]byte(at + "Phase context status code: CODE Message: why\n"))
	f.Add([]byte(at + "Running command \n\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		kind, about := event.ParseLine(line)
		if !bytes.Equal(before, line) || kind == event.OtherLine && about != nil || bytes.HasSuffix(about, []byte("\n")) {
			t.Errorf("ParseLine(%q) = %d, %q", before, kind, about)
		}
	})
}
