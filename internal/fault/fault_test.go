package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"slipway/internal/fault"
)

var kinds = []fault.Kind{
	fault.Internal, fault.Invalid, fault.Constraint, fault.NotFound, fault.Exists, fault.Limit,
	fault.Provider, fault.Unavailable, fault.Denied, fault.Gone,
}

func TestAnErrorKeepsItsKindHoweverItIsWrapped(t *testing.T) {
	for i, kind := range kinds {
		if int(kind) != i {
			t.Errorf("kind %d has the number %d", i, kind)
		}
		err := fault.New(kind, "no project %s", "app")
		for name, err := range map[string]error{
			"alone":       err,
			"wrapped":     fmt.Errorf("update: %w", err),
			"twice":       fmt.Errorf("server: %w", fmt.Errorf("update: %w", err)),
			"joined":      errors.Join(fs.ErrClosed, err),
			"with cause":  &fault.Error{Kind: kind, Message: "no project app", Err: fs.ErrNotExist},
			"over others": &fault.Error{Kind: kind, Message: "no project app", Err: fault.New(fault.Limit, "too many")},
		} {
			if got := fault.KindOf(err); got != kind {
				t.Errorf("KindOf(%s) = %d, want %d", name, got, kind)
			}
			want := "no project app"
			if kind == fault.Internal {
				want = ""
			}
			if got := fault.Message(err); got != want {
				t.Errorf("Message(%s) of kind %d = %q, want %q", name, kind, got, want)
			}
		}
	}
}

func TestAnErrorNobodyGaveAKindIsInternal(t *testing.T) {
	for _, err := range []error{nil, fs.ErrNotExist, errors.New("disk full"), fmt.Errorf("write: %w", fs.ErrInvalid), &fault.Error{Message: "disk full"}} {
		if kind, message := fault.KindOf(err), fault.Message(err); kind != fault.Internal || message != "" {
			t.Errorf("%v is of kind %d and tells the caller %q, want Internal and nothing", err, kind, message)
		}
	}
}

func TestTheCauseIsForTheLogOnly(t *testing.T) {
	err := error(&fault.Error{Kind: fault.Provider, Message: "the provider refused", Err: &fs.PathError{Op: "open", Path: "/secret", Err: fs.ErrPermission}})
	if got, want := fault.Message(fmt.Errorf("clone: %w", err)), "the provider refused"; got != want {
		t.Errorf("the caller reads %q, want %q", got, want)
	}
	if got, want := err.Error(), "the provider refused: open /secret: permission denied"; got != want {
		t.Errorf("the log reads %q, want %q", got, want)
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Error("the cause cannot be found")
	}
	if cause, ok := errors.AsType[*fs.PathError](err); !ok || cause.Path != "/secret" {
		t.Errorf("the cause is %v", cause)
	}
}

func TestNewFormatsItsMessage(t *testing.T) {
	err := fault.New(fault.Limit, "%d of %q", 5, "app")
	if got, want := err.Error(), `5 of "app"`; got != want {
		t.Errorf("New = %s, want %s", got, want)
	}
	if cause := errors.Unwrap(err); cause != nil {
		t.Errorf("a new error has the cause %v", cause)
	}
}

func TestAReasonIsKeptBesideTheKind(t *testing.T) {
	err := fmt.Errorf("put: %w", fault.Because("too deep", fault.Invalid, "%d levels", 16))
	if fault.KindOf(err) != fault.Invalid || fault.ReasonOf(err) != "too deep" || fault.Message(err) != "16 levels" {
		t.Errorf("%v is of kind %d for %q and says %q", err, fault.KindOf(err), fault.ReasonOf(err), fault.Message(err))
	}
	for _, err := range []error{nil, fs.ErrNotExist, fault.New(fault.Invalid, "wrong")} {
		if got := fault.ReasonOf(err); got != "" {
			t.Errorf("%v has the reason %q", err, got)
		}
	}
}
