package buildspec

import (
	"fmt"
	"strconv"
	"strings"
)

// OnFailure is what a phase asks for when it fails. The zero value is
// CodeBuild's default transition.
type OnFailure struct {
	Action  Action
	Retries int    // for Retry: how often, 0 to 100
	Pattern string // for Retry: the regular expression that the error's message must match; empty matches any
}

// An Action is the first word of on-failure.
type Action string

// The actions.
const (
	DefaultAction Action = ""
	Abort         Action = "ABORT"    // end the build after this phase
	Continue      Action = "CONTINUE" // go on to the next phase
	Retry         Action = "RETRY"    // start the build anew
)

const (
	defaultRetries = 3
	maxRetries     = 100
)

// ParseOnFailure reads ABORT, CONTINUE, RETRY, RETRY-n, RETRY-regex and
// RETRY-n-regex, the words in any case. A first part of digits is a count.
func ParseOnFailure(text string) (OnFailure, error) {
	switch strings.ToUpper(text) {
	case "":
		return OnFailure{}, nil
	case string(Abort):
		return OnFailure{Action: Abort}, nil
	case string(Continue):
		return OnFailure{Action: Continue}, nil
	case string(Retry):
		return OnFailure{Action: Retry, Retries: defaultRetries}, nil
	}
	const prefix = "RETRY-"
	if len(text) <= len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return OnFailure{}, fmt.Errorf("on-failure must be ABORT, CONTINUE or RETRY, not %s", clip(text))
	}
	out := OnFailure{Action: Retry, Retries: defaultRetries, Pattern: text[len(prefix):]}
	first, rest, _ := strings.Cut(out.Pattern, "-")
	if first == "" || strings.Trim(first, "0123456789") != "" {
		return out, nil
	}
	n, err := strconv.Atoi(first)
	if err != nil || n > maxRetries {
		return OnFailure{}, fmt.Errorf("on-failure may retry at most %d times, not %s", maxRetries, clip(first))
	}
	out.Retries, out.Pattern = n, rest
	return out, nil
}
