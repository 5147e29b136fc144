package tool

import (
	"bytes"
	"io"

	"slipway/internal/agent/door"
)

// maxMask bounds a value to mask on standard input, in bytes.
const maxMask = 1 << 20

// mask has the agent mask values in all of the log that is written once this
// has ended. Without arguments the value is what is on standard input.
func mask(c call) int {
	values := c.args
	if len(values) == 0 {
		text, err := io.ReadAll(io.LimitReader(c.stdin, maxMask))
		if err != nil {
			return c.fail("%v", err)
		}
		text = bytes.TrimRight(text, "\r\n") // which echo adds
		if len(text) == 0 {
			return c.misused("VALUE…, or with one value on standard input: other processes can read arguments")
		}
		values = []string{string(text)}
	}
	a, err := door.Ask(c.door, door.Request{Mask: values})
	switch {
	case err != nil:
		return c.fail("%v", err)
	case a.Problem != "":
		return c.fail("%s", a.Problem)
	}
	return exitDone
}
