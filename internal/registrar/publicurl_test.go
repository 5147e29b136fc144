package registrar

import (
	"net/url"
	"strings"
	"testing"
)

func TestParsePublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"https://ci.example.com":           "https://ci.example.com",
		"https://ci.example.com/":          "https://ci.example.com",
		"http://10.0.0.1:4680/slipway//":   "http://10.0.0.1:4680/slipway",
		"ci.example.com":                   "error",
		"ftp://ci.example.com":             "error",
		"https://":                         "error",
		"https://:4680":                    "error",
		"https://ci.example.com/?a=b":      "error",
		"https://ci.example.com?":          "error",
		"https://ci.example.com/#x":        "error",
		"https://me:secret@ci.example.com": "error",
	} {
		got, err := ParsePublicURL(text)
		if err != nil {
			if got = "error"; strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: the error repeats it: %v", text, err)
			}
		}
		if got != want {
			t.Errorf("ParsePublicURL(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

// Whatever is taken, a payload URL can be made of it.
func FuzzParsePublicURL(f *testing.F) {
	f.Add("https://ci.example.com/slipway/")
	f.Add("http://[::1]:4680")
	f.Fuzz(func(t *testing.T, text string) {
		base, err := ParsePublicURL(text)
		if err != nil || base == "" {
			return
		}
		u, err := url.Parse(base + "/webhooks?t=key&v=1")
		if err != nil || u.Hostname() == "" || u.RawQuery != "t=key&v=1" || u.User != nil || u.Fragment != "" || !strings.HasSuffix(u.Path, "/webhooks") {
			t.Errorf("%q became %q: %v", text, base, err)
		}
	})
}
