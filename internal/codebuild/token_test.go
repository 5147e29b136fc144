package codebuild

import (
	"testing"

	"slipway/internal/fault"
)

func TestPageTokens(t *testing.T) {
	if got := pageToken("k", ""); got != nil {
		t.Errorf("pageToken at the end = %q, want none", *got)
	}
	for _, none := range []*string{nil, new("")} {
		if after, err := pageAfter("k", none); after != "" || err != nil {
			t.Errorf("pageAfter without a token = %q, %v", after, err)
		}
	}
	for _, after := range []string{"a", "12/p", "\x00", "𝕏\n"} {
		if got, err := pageAfter("k", pageToken("k", after)); got != after || err != nil {
			t.Errorf("pageAfter(pageToken(%q)) = %q, %v", after, got, err)
		}
		if _, err := pageAfter("other", pageToken("k", after)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a token of another list: %v, want Invalid", err)
		}
	}
}

func FuzzPageAfter(f *testing.F) {
	f.Add("")
	f.Add(*pageToken("k", "after"))
	f.Add("AAAA\r\nAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		after, err := pageAfter("k", &token)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("pageAfter(%q) = %v, want Invalid", token, err)
		}
		if err == nil && token != "" && *pageToken("k", after) != token {
			t.Errorf("%q is not the token of %q", token, after)
		}
	})
}
