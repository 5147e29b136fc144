package buildspec_test

import (
	"strings"
	"testing"

	"slipway/internal/buildspec"
)

func TestFormsOfOnFailure(t *testing.T) {
	retry := func(n int, pattern string) buildspec.OnFailure {
		return buildspec.OnFailure{Action: buildspec.Retry, Retries: n, Pattern: pattern}
	}
	for text, want := range map[string]buildspec.OnFailure{
		"":                       {},
		"ABORT":                  {Action: buildspec.Abort},
		"abort":                  {Action: buildspec.Abort},
		"CONTINUE":               {Action: buildspec.Continue},
		"Continue":               {Action: buildspec.Continue},
		"RETRY":                  retry(3, ""),
		"retry":                  retry(3, ""),
		"RETRY-4":                retry(4, ""),
		"RETRY-0":                retry(0, ""),
		"RETRY-100":              retry(100, ""),
		"RETRY-007":              retry(7, ""),
		"RETRY-invalid+":         retry(3, "invalid+"),
		"RETRY-8-invalid+":       retry(8, "invalid+"),
		"Retry-3-exit status 75": retry(3, "exit status 75"),
		"RETRY-.*timed-out.*":    retry(3, ".*timed-out.*"),
		"RETRY-2-a-b":            retry(2, "a-b"),
		"RETRY-2-3":              retry(2, "3"),
		"RETRY-2-":               retry(2, ""),
		"RETRY-[0-9]+":           retry(3, "[0-9]+"),
		"RETRY--5":               retry(3, "-5"),
		"RETRY-5x":               retry(3, "5x"),
		"RETRY-Mixed Case":       retry(3, "Mixed Case"),
	} {
		if got, err := buildspec.ParseOnFailure(text); got != want || err != nil {
			t.Errorf("ParseOnFailure(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestAnOnFailureThatIsNoneIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"STOP":                       "on-failure must be ABORT, CONTINUE or RETRY, not STOP",
		"RETRY-":                     "on-failure must be ABORT, CONTINUE or RETRY, not RETRY-",
		"RETRY 3":                    "on-failure must be ABORT, CONTINUE or RETRY, not RETRY 3",
		"ABORT-3":                    "on-failure must be ABORT, CONTINUE or RETRY, not ABORT-3",
		"whatever it takes":          "on-failure must be ABORT, CONTINUE or RETRY, not whateve...",
		strings.Repeat("\x80", 20):   "on-failure must be ABORT, CONTINUE or RETRY, not ...",
		"RETRY-101":                  "on-failure may retry at most 100 times, not 101",
		"RETRY-101-timeout":          "on-failure may retry at most 100 times, not 101",
		"RETRY-99999999999999999999": "on-failure may retry at most 100 times, not 9999999...",
	} {
		if got, err := buildspec.ParseOnFailure(text); err == nil || err.Error() != want || got != (buildspec.OnFailure{}) {
			t.Errorf("ParseOnFailure(%q) = %+v, %v, want %s", text, got, err, want)
		}
	}
}
