package bitbucket

import (
	"slices"
	"testing"

	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/source"
)

// What people are told to tick is what checks ask for.
func TestTheGuideNamesTheScopesThatAreChecked(t *testing.T) {
	for _, kind := range []slipway.TokenKind{slipway.TokenKindBitbucketApiToken, slipway.TokenKindBitbucketRepositoryToken} {
		want := names(source.Login{Kind: kind}, recommended)
		if accessToken(kind) {
			want = slices.DeleteFunc(want, func(s string) bool { return s == "account" }) // it has no account
		}
		got := token.Scopes(kind)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the guide names %q, checks want %q", kind, got, want)
		}
	}
}
