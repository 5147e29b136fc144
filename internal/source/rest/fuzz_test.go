package rest

import (
	"strings"
	"testing"
	"unicode/utf8"

	"slipway/internal/secret"
)

// Whatever a server advertises, only whole object ids come out.
func FuzzAdvertised(f *testing.F) {
	f.Add([]byte("001e# service=git-upload-pack\n0000003f0123456789abcdef0123456789abcdef01234567 refs/heads/main\n0000"))
	f.Add([]byte("001e# service=git-upload-pack\n0000"))
	f.Add([]byte("0003"))
	f.Fuzz(func(t *testing.T, body []byte) {
		refs, _, err := advertised(body)
		for ref, id := range refs {
			if err != nil || !objectID.MatchString(id) || strings.HasSuffix(ref, "^{}") {
				t.Errorf("read %q → %q, %v", ref, id, err)
			}
		}
	})
}

// However a provider repeats the token, what is shown is one short line without it.
func FuzzClean(f *testing.F) {
	f.Add("Bad credentials", "ghp_x")
	f.Add("a\x00b\u2028c\xff", "x+y/z")
	f.Fuzz(func(t *testing.T, words, token string) {
		if len(token) < 8 {
			return
		}
		got := Clean(words, secret.New(token))
		if strings.Contains(got, token) || strings.ContainsAny(got, "\n\r\x1b") || !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxMessage {
			t.Errorf("Clean(%q, %q) = %q", words, token, got)
		}
	})
}
