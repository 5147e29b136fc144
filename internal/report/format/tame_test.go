package format

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzTamer holds: of a file that an XML parser takes, the tamer takes away
// nothing that a reader looks at; and whatever it is given, a parser then
// fails neither over a character nor over an entity.
func FuzzTamer(f *testing.F) {
	names, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("<a b='&lt;&#xe9;&#10;\"' c=\"'\"><![CDATA[]]x>]]>]<!-- - -- ></a>"))
	f.Add([]byte("<a b='&#Xe9;'>&#+9;</a>"))
	f.Add([]byte("<a><!> b <c></a>"))
	f.Add([]byte("<a><!SCDATA[was: <0> '<-1>]]></a>")) // a declaration to a parser, with angles that count
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return
		}
		want, refused := tokens(bytes.NewReader(text))
		got, err := tokens(newTamer(bufio.NewReader(bytes.NewReader(text))))
		if refused == nil && err == nil {
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		}
		if err != nil && (strings.Contains(err.Error(), "illegal character code") || strings.Contains(err.Error(), "entity")) {
			t.Errorf("a tamed file is refused: %v", err)
		}
		if refused == nil && err != nil && !strings.Contains(err.Error(), "is refused, since") && len(text) < maxText {
			t.Errorf("a tamed file is refused, as it is it was not: %v", err)
		}
	})
}

// tokens returns the tags of a file, and its texts joined and without what a
// tamer may change.
func tokens(r io.Reader) (all []string, err error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, fmt.Errorf("another encoding") }
	text := ""
	for {
		token, err := d.Token()
		if _, ok := token.(xml.CharData); !ok && strings.TrimSpace(text) != "" {
			switch token.(type) {
			case xml.StartElement, xml.EndElement:
				all = append(all, text)
				text = ""
			}
		}
		switch token := token.(type) {
		case xml.StartElement:
			text = ""
			all = append(all, fmt.Sprint("<", token.Name.Local, token.Attr))
		case xml.EndElement:
			text = ""
			all = append(all, "/")
		case xml.CharData:
			text += string(token)
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}
