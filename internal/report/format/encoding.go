package format

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// declared finds the encoding in an XML declaration.
var declared = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// decoderOf returns what makes UTF-8 of a file, by how it begins. What is no
// text of the encoding becomes U+FFFD: a tool may have written the output of
// anything into its results.
func decoderOf(raw *bufio.Reader) (*encoding.Decoder, error) {
	head, err := raw.Peek(1024)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, err
	}
	utf16 := func(order unicode.Endianness) (*encoding.Decoder, error) {
		return unicode.UTF16(order, unicode.UseBOM).NewDecoder(), nil
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0 && err != nil: // it ends here
		return nil, ErrEmpty
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{'<', 0}):
		return utf16(unicode.LittleEndian)
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}), bytes.HasPrefix(head, []byte{0, '<'}):
		return utf16(unicode.BigEndian)
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		return unicode.UTF8BOM.NewDecoder(), nil
	}
	name := declared.FindSubmatch(head)
	// What can be read byte by byte is no UTF-16, whatever it says: .NET writes
	// that into a file that is UTF-8.
	if name == nil || strings.HasPrefix(strings.ToLower(string(name[1])), "utf-16") {
		return unicode.UTF8.NewDecoder(), nil
	}
	e, err := htmlindex.Get(string(name[1]))
	if err != nil {
		return nil, errors.New("the file is in the encoding " + string(name[1]) + ", which is not known here: have it written in UTF-8")
	}
	return e.NewDecoder(), nil
}
