package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MinSecret is the length, in bytes, of the shortest secret that is masked.
const MinSecret = 4

// minLine is the length of the shortest line of a longer secret that is masked
// by itself: a shorter one, such as "{", says nothing.
const minLine = 6

// Forms returns the texts by which a secret is recognised; there are none for
// one shorter than MinSecret. Besides the secret itself these are the forms
// that tools print it in: without the blanks around it, each line of it,
// escaped for URLs, JSON and the shell, and base64, also in the middle of a
// longer encoded text and in lines. The same text may come
// more than once.
func Forms(secret string) iter.Seq[string] {
	return func(yield func(string) bool) {
		emit := func(forms ...string) bool {
			for _, f := range forms {
				if len(f) >= MinSecret && !yield(f) {
					return false
				}
			}
			return true
		}
		if len(secret) < MinSecret {
			return
		}
		whole := []string{secret}
		if trimmed := strings.TrimSpace(secret); len(trimmed) >= MinSecret && trimmed != secret {
			whole = append(whole, trimmed)
		}
		for _, s := range whole {
			if !emit(s) || !emit(escapes(s)...) || !emit(base64s(s)...) {
				return
			}
		}
		lines := strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })
		if len(lines) < 2 {
			return
		}
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if len(line) >= minLine && (!emit(line) || !emit(escapes(line)...)) {
				return
			}
		}
	}
}

// escapes returns s as URLs, JSON and shells write it, as far as that differs.
func escapes(s string) []string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || !unreserved[r] }) {
		return nil // as most tokens are
	}
	all := []string{
		url.QueryEscape(s),
		url.PathEscape(s),
		percent(s, ""),
		percent(s, "/"),                // Python's quote
		percent(s, "!'()*"),            // JavaScript's encodeURIComponent
		percent(s, ";/?:@&=+$,#!'()*"), // JavaScript's encodeURI
	}
	for _, f := range all {
		all = append(all, lowerHex(f))
	}
	all = append(all, jsonASCII(s), strings.ReplaceAll(s, "'", `'\''`), strings.ReplaceAll(s, "'", `'"'"'`))
	var plain strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if e.Encode(s) == nil {
		all = append(all, plain.String()[1:plain.Len()-2]) // without the quotes and the line end
	}
	if html, err := json.Marshal(s); err == nil {
		all = append(all, string(html[1:len(html)-1]))
	}
	return append(all, strings.ReplaceAll(all[len(all)-1], "/", `\/`)) // PHP's json_encode
}

// unreserved are the characters of RFC 3986 that nothing escapes.
var unreserved = charsetOf(letters + "-._~")

// percent escapes all of s but the unreserved characters and those in keep.
func percent(s, keep string) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 3*len(s))
	for i := range len(s) {
		c := s[i]
		if unreserved[c] || strings.IndexByte(keep, c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

// lowerHex writes the digits of percent escapes small.
func lowerHex(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// jsonASCII escapes s as Python's json.dumps does: nothing but ASCII is left.
func jsonASCII(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		case r < ' ' || r > '~':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// base64s returns what of base64 text tells that s was encoded: alone, and
// behind one, two or three other bytes, whatever those and the ones that
// follow are.
func base64s(s string) []string {
	var all []string
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			text := e.EncodeToString(append(make([]byte, before), s...))
			first := (before*8 + 5) / 6        // the first character made of s alone
			end := (before + len(s)) * 8 / 6   // the end of those
			all = append(all, text[first:end]) // anything may follow
			all = append(all, text[first:])    // s is the end of the encoded text
			all = append(all, strings.TrimRight(text[first:], "="))
		}
		// base64(1) breaks lines after 76 characters, openssl and PEM after 64.
		whole := e.EncodeToString([]byte(s))
		whole = whole[:len(s)*8/6]
		for _, width := range []int{64, 76} {
			for i := width; i < len(whole); i += width {
				all = append(all, whole[i-width:i])
				if rest := whole[i:]; len(rest) < width && len(rest) >= minLine {
					all = append(all, rest)
				}
			}
		}
	}
	return all
}
