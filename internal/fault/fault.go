// Package fault names the few kinds of failure a caller can act on.
package fault

import (
	"errors"
	"fmt"
)

// A Kind says what a caller can do about a failure.
type Kind int

// The kinds. An error that nobody gave a kind is Internal.
const (
	Internal    Kind = iota // our fault: the caller learns nothing but that
	Invalid                 // the request is wrong: its sentence says how
	Constraint              // a constraint of the model is broken
	NotFound                // what the request names does not exist
	Exists                  // what the request makes exists already
	Limit                   // an account or project limit is reached
	Provider                // the source provider refused or failed
	Unavailable             // we are starting or stopping: try again
	Denied                  // whoever asks may not
	Gone                    // what the request is about is no longer the asker's
)

// A Reason tells failures of one Kind apart where a service has a name for each.
// Most have none.
type Reason string

// Error is a failure with a Kind. Message reaches the caller as is, so it holds
// no secret, path or SQL; Err is for our log only and may be nil.
type Error struct {
	Kind    Kind
	Reason  Reason
	Message string
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// New returns an Error whose message is formatted like fmt.Sprintf.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because is New with a Reason.
func Because(reason Reason, kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first Error in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// ReasonOf returns the reason of the first Error in err's chain, or "".
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// Message returns the sentence meant for the caller, or "" for an Internal error.
func Message(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal {
		return e.Message
	}
	return ""
}
