package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"slipway/internal/agent/redact"
)

// masked returns text as it comes out when it is written in pieces that end at cuts.
func masked(t testing.TB, secrets []string, text string, cuts ...int) string {
	t.Helper()
	var out bytes.Buffer
	w := redact.New(&out, secrets)
	for _, cut := range append(cuts, len(text)) {
		cut = min(cut, len(text))
		if n, err := w.Write([]byte(text[:cut])); n != cut || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		text = text[cut:]
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestMasking(t *testing.T) {
	const s = "p4ss/w+rd é=\"1'"
	var (
		jsonText, _ = json.Marshal(s)
		inner       = string(jsonText[1 : len(jsonText)-1])
		ghp         = "ghp_" + strings.Repeat("aB3d", 9)
		long        = strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 4)
		long64      = base64.StdEncoding.EncodeToString([]byte(long + "\n"))
	)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		secrets  []string
		in, want string
	}{
		"nothing to mask":                                {[]string{"hunter22"}, "all is well\n", "all is well\n"},
		"a secret":                                       {[]string{"hunter22"}, "pw=hunter22!\n", "pw=***!\n"},
		"a secret alone":                                 {[]string{"hunter22"}, "hunter22", "***"},
		"a secret at both ends":                          {[]string{"hunter22"}, "hunter22 hunter22", "*** ***"},
		"one after the other":                            {[]string{"hunter22"}, "hunter22hunter22", "******"},
		"half a secret stays":                            {[]string{"hunter22"}, "hunter2", "hunter2"},
		"the longer of two that begin alike":             {[]string{"hunter", "hunter22"}, "hunter22 hunter23", "*** ***23"},
		"the shorter, where the longer does not go on":   {[]string{"abcd", "abcdefgh"}, "abcdefgx", "***efgx"},
		"two that overlap are masked together":           {[]string{"abcdef", "defghi"}, "-abcdefghi-", "-***-"},
		"one within another":                             {[]string{"abcdefgh", "cdef"}, "-abcdefgh-cdef-", "-***-***-"},
		"repeating itself":                               {[]string{"abab"}, "xababababx", "x***x"},
		"too short to be masked":                         {[]string{"abc", ""}, "abc abc", "abc abc"},
		"with a line end that is not printed":            {[]string{"hunter22\n"}, "pw=hunter22!", "pw=***!"},
		"in a query":                                     {[]string{s}, "?a=" + url.QueryEscape(s) + "&b=1", "?a=***&b=1"},
		"in a path":                                      {[]string{s}, "/x/" + url.PathEscape(s) + "/y", "/x/***/y"},
		"escaped with small digits":                      {[]string{"a/b+c"}, "a%2fb%2bc a%2Fb%2Bc", "*** ***"},
		"in JSON":                                        {[]string{s}, `{"a":` + string(jsonText) + `}`, `{"a":"***"}`},
		"in JSON, inner":                                 {[]string{s}, inner, "***"},
		"in JSON, ASCII only":                            {[]string{s}, `"p4ss/w+rd \u00e9=\"1'"`, `"***"`},
		"in a shell's trace":                             {[]string{s}, `+ curl 'p4ss/w+rd é="1'\'''`, `+ curl '***'`},
		"base64, alone":                                  {[]string{s}, "x " + b64(s) + " y", "x *** y"},
		"base64, URL-safe and without padding":           {[]string{"~~~~???>>>>"}, base64.RawURLEncoding.EncodeToString([]byte("~~~~???>>>>")), "***"},
		"base64, as password of basic authentication":    {[]string{"hunter22"}, b64("user:hunter22"), b64("user:hunter22")[:7] + "***"},
		"base64, printed by echo":                        {[]string{"hunter2"}, b64("hunter2\n"), "***o="},
		"base64 in lines of 76":                          {[]string{long}, long64[:76] + "\n" + long64[76:152] + "\n" + long64[152:], "***\n***\n***Cg=="},
		"a GitHub token nobody told us":                  {nil, "remote: " + ghp + "@github.com", "remote: ***@github.com"},
		"a fine-grained GitHub token":                    {nil, "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz,", "***,"},
		"a GitHub App token with a JWT":                  {nil, "ghs_12345_eyJhbGciOi.eyJpc3MiOi.sig_nature ", "*** "},
		"a Bitbucket token":                              {nil, "x ATATT3xFfGF0abcdefghij=ABCDEF x", "x *** x"},
		"a GitLab token":                                 {nil, "oauth2:glpat-abcdefghij0123456789@gitlab", "oauth2:***@gitlab"},
		"a GitLab runner token":                          {nil, "glrtr-abcdefghij0123456789", "***"},
		"an AWS access key id":                           {nil, "key AKIAIOSFODNN7EXAMPLE, temporary ASIAIOSFODNN7EXAMPLE.", "key ***, temporary ***."},
		"what only begins like a token":                  {nil, "ghp_short glpat-short AKIAshort github_pat_ ATAT", "ghp_short glpat-short AKIAshort github_pat_ ATAT"},
		"a token at the end of the text":                 {nil, ghp, "***"},
		"tokens in a row, of one kind":                   {nil, ghp + ghp, "***"},
		"a secret that begins within a token":            {[]string{"WXYZ and more"}, ghp + "WXYZ and more text", "*** text"},
		"a secret that is a line's beginning, then more": {[]string{"-----BEGIN KEY-----\nMIIabcdefgh\nshort\n-----END KEY-----\n"}, "> MIIabcdefgh\n> short\n", "> ***\n> short\n"},
		"several lines at once":                          {[]string{"first line\nsecond line"}, "[first line\nsecond line]", "[***]"},
		"several lines, as a terminal shows them":        {[]string{"first line\nsecond line"}, "[first line\r\nsecond line]", "[***\r\n***]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := masked(t, c.secrets, c.in); got != c.want {
				t.Errorf("masked(%q) = %q, want %q", c.in, got, c.want)
			}
			single := slices.Repeat([]int{1}, len(c.in))
			if got := masked(t, c.secrets, c.in, single...); got != c.want {
				t.Errorf("byte by byte, masked(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestHoldingBack(t *testing.T) {
	var out bytes.Buffer
	w := redact.New(&out, []string{"hunter22"})
	step := func(write, want string) {
		t.Helper()
		io.WriteString(w, write)
		if out.String() != want {
			t.Errorf("after %q: %q, want %q", write, out.String(), want)
		}
		out.Reset()
	}
	step("a line\n", "a line\n")
	step("Password for x: ", "Password for x: ")
	step("hun", "")
	step("ting season", "hunting season")
	step(" hunter2", " ")
	if w.Flush(); out.String() != "hunter2" {
		t.Errorf("after Flush: %q", out.String())
	}
	out.Reset()
	step("2", "2")
	step("ghp_aaaaaaaaaaaaaaaaaaaaaaaa", "***")
	step("aaaa", "")
	step("aaaa.", "")
	step(" x", " x")
}

func TestLongTokensAreMaskedAsTheyGo(t *testing.T) {
	var out bytes.Buffer
	w := redact.New(&out, nil)
	io.WriteString(w, "<ghs_")
	for range 1000 {
		w.Write(bytes.Repeat([]byte("a1B2.ghp_ATAT"), 1000))
	}
	io.WriteString(w, ">")
	if w.Flush(); out.String() != "<***>" {
		t.Errorf("%d bytes came out", out.Len())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestErrorsStay(t *testing.T) {
	full := errors.New("disk full")
	w := redact.New(failing{full}, nil)
	for range 2 {
		if _, err := io.WriteString(w, "text\n"); !errors.Is(err, full) {
			t.Errorf("Write = %v", err)
		}
		if err := w.Flush(); !errors.Is(err, full) {
			t.Errorf("Flush = %v", err)
		}
	}
}

// reference masks by looking for every form everywhere: slow and plain. It
// knows no token shapes.
func reference(secrets []string, text string) string {
	hidden := make([]bool, len(text))
	begins := make([]bool, len(text)+1) // a mask begins here, though the one before may only just have ended
	var forms []string
	for _, s := range secrets {
		forms = slices.AppendSeq(forms, redact.Forms(s))
	}
	reach := 0
	var out strings.Builder
	for i := range len(text) {
		end := 0
		for _, f := range forms {
			if strings.HasPrefix(text[i:], f) {
				end = max(end, i+len(f))
			}
		}
		if end > 0 {
			begins[i] = i >= reach
			reach = max(reach, end)
		}
		hidden[i] = i < reach
		switch {
		case begins[i]:
			out.WriteString(redact.Mask)
		case !hidden[i]:
			out.WriteByte(text[i])
		}
	}
	return out.String()
}

// However the text is cut into writes, no secret nor any form of it is in what
// comes out, what comes out is always the same, and what is no secret passes.
func FuzzWriter(f *testing.F) {
	f.Add("hunter22", "abab", "hunter22 ababab", []byte{3, 9, 1})
	f.Add("line one\nline two", "cret", "line one\r\nsecrecret", []byte{1, 1, 1, 1})
	f.Add("ghp_0123456789012345678901234567890123456789", "012345", "x ghp_0123456789012345678901234567890123456789 012345", []byte{7})
	f.Add("zzzz", "AKIA", "zzzzzAKIAAKIAAKIAAKIAAKIAzzzz", []byte{20, 1})
	f.Fuzz(func(t *testing.T, one, two, text string, cuts []byte) {
		if strings.Contains(one+two, "*") || len(one)+len(two)+len(text) > 4000 {
			return // a secret of asterisks cannot be told from its mask
		}
		secrets := []string{one, two}
		// The secrets are in the text more often than chance would have it.
		text = strings.NewReplacer("1", one, "2", two, "3", base64.StdEncoding.EncodeToString([]byte("u:"+one)),
			"4", url.QueryEscape(two), "5", one+two[:len(two)/2]).Replace(text)
		whole := masked(t, secrets, text)
		var at []int
		for _, c := range cuts {
			at = append(at, int(c)%40)
		}
		if got := masked(t, secrets, text, at...); got != whole {
			t.Errorf("cut at %v: %q, at once: %q", at, got, whole)
		}
		for _, s := range secrets {
			for form := range redact.Forms(s) {
				if strings.Contains(whole, form) {
					t.Errorf("%q (a form of %q) is in %q", form, s, whole)
				}
			}
		}
		for _, prefix := range []string{"gh", "gl", "AT", "AKIA", "ASIA"} {
			if strings.Contains(text, prefix) {
				return
			}
		}
		if want := reference(secrets, text); whole != want {
			t.Errorf("masked(%q) = %q, want %q", text, whole, want)
		}
	})
}

// TestCuts is the fuzz property on texts made for it, at every run.
func TestCuts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"abcab", "cabca", "ghp_", "ATATT", "a", "b", "_", "\n", strings.Repeat("Q", 30), "glpat-", "c", "abcabcabc", "AKIA", "0123456789ABCDEF"}
	for range 3000 {
		secrets := []string{"abcabc", "bcabcab\ncabcabc", "QQQQQQ_a"}
		var text strings.Builder
		for range r.IntN(30) {
			text.WriteString(pieces[r.IntN(len(pieces))])
		}
		var cuts []int
		for range r.IntN(20) {
			cuts = append(cuts, r.IntN(20))
		}
		whole := masked(t, secrets, text.String())
		if got := masked(t, secrets, text.String(), cuts...); got != whole {
			t.Fatalf("%q cut at %v: %q, at once: %q", text.String(), cuts, got, whole)
		}
		for _, s := range secrets {
			if strings.Contains(whole, s) {
				t.Fatalf("%q in %q", s, whole)
			}
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	var log bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&log, "[INFO] %06d compiling src/main/java/com/example/github/service/Module%d.java (%d warnings, %d ms)\n", i, i*7919%977, i%5, i*31%4000)
	}
	text := log.Bytes()[:128<<10]
	r := rand.New(rand.NewPCG(3, 4))
	for _, count := range []int{0, 1, 10, 100} {
		var secrets []string
		for range count {
			secrets = append(secrets, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%016x%016x", r.Uint64(), r.Uint64())))
		}
		b.Run(fmt.Sprintf("%d secrets", count), func(b *testing.B) {
			w := redact.New(io.Discard, secrets)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for rest := text; len(rest) > 0; rest = rest[32<<10:] {
					w.Write(rest[:32<<10])
				}
			}
		})
	}
	b.Run("a secret in every line", func(b *testing.B) {
		w := redact.New(io.Discard, []string{"com/example"})
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			w.Write(text)
		}
	})
	b.Run("nothing but beginnings of tokens", func(b *testing.B) {
		w := redact.New(io.Discard, nil)
		text := bytes.Repeat([]byte("ghp_"), 32<<10)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			w.Write(text)
		}
	})
	b.Run("New with 100 secrets", func(b *testing.B) {
		secrets := make([]string, 100)
		for i := range secrets {
			secrets[i] = fmt.Sprintf("secret number %d of a hundred", i)
		}
		for b.Loop() {
			redact.New(io.Discard, secrets)
		}
	})
}

// A secret that becomes known late is masked in all that was not passed on, and
// the order in which secrets became known makes no difference.
func TestSecretsThatBecomeKnownLate(t *testing.T) {
	var out bytes.Buffer
	w := redact.New(&out, []string{"hunter22"})
	write := func(text string) {
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("late-secret hunter2") // of which "hunter2" is held back
	w.Hide("hunter2-and-more", "late-secret")
	write("-and-more late-secret hunter22 ")
	w.Hide("hunt", "late-secret", "hunter22-longer")
	write("hunter22-longer hunter22 hunting")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "late-secret *** *** *** *** *** ***ing"; got != want {
		t.Errorf("it writes %q, want %q", got, want)
	}
	if got := w.Mask("a late-secret"); got != "a ***" {
		t.Errorf("Mask = %q", got)
	}
}
