package fetch

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What git and its servers say to each other is packets: four hexadecimal digits
// for the length, which counts them too, and the text (gitprotocol-common).
// Lengths below four are signs: 0 ends a request or an answer.

// maxPacket bounds a packet, in bytes, with its length.
const maxPacket = 65520

// packetLines writes lines as packets.
func packetLines(lines ...string) string {
	var out strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&out, "%04x%s\n", len(line)+5, line)
	}
	return out.String()
}

// linesOf returns the lines of a request that readRequest would read.
func linesOf(request []byte) []string {
	var all []string
	for len(request) >= 4 {
		n, err := strconv.ParseUint(string(request[:4]), 16, 16)
		if err != nil || int(n) > len(request) {
			break
		}
		if n > 4 {
			all = append(all, strings.TrimSuffix(string(request[4:n]), "\n"))
		}
		request = request[max(4, n):]
	}
	return all
}

// readRequest reads one request of git's, up to the packet that ends it; nil if
// there are no more.
func readRequest(in io.Reader) ([]byte, error) {
	var request []byte
	for {
		at := len(request)
		request = append(request, "0000"...)
		if _, err := io.ReadFull(in, request[at:]); err == io.EOF && at == 0 { //nolint:errorlint // a reader's own
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(string(request[at:]), 16, 16)
		switch {
		case err != nil || n > maxPacket || n == 3 || len(request)+int(n) > maxRequest:
			return nil, errors.New("git wrote what is no packet")
		case n == 0 && at == 0: // a farewell
			return nil, nil
		case n == 0:
			return request, nil
		case n > 4:
			request = append(request, make([]byte, n-4)...)
			if _, err := io.ReadFull(in, request[at+4:]); err != nil {
				return nil, err
			}
		}
	}
}

// packets follows the packets of an answer to see where it ends.
type packets struct {
	ended  bool // the last one was that which ends an answer
	length []byte
	rest   int // bytes of the packet to come
}

func (p *packets) pass(text []byte) {
	for len(text) > 0 {
		if n := min(p.rest, len(text)); n > 0 {
			p.rest -= n
			text = text[n:]
			continue
		}
		p.ended = false
		n := min(4-len(p.length), len(text))
		p.length, text = append(p.length, text[:n]...), text[n:]
		if len(p.length) < 4 {
			return
		}
		// What is no length is for git to tell.
		size, err := strconv.ParseUint(string(p.length), 16, 16)
		p.length = p.length[:0]
		p.ended = err == nil && size == 0
		p.rest = max(0, int(size)-4)
	}
}
