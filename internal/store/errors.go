package store

import (
	"errors"
	"fmt"

	"slipway/internal/fault"
)

// errBroken is a record that is no JSON of its shape. What the decoder says is
// left out, since it may repeat the record.
var errBroken = errors.New("the stored record is broken")

// doing says what failed, unless err is nil or a fault, whose sentence is for
// the caller as it is.
func doing(err error, format string, args ...any) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
