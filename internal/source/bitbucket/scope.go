package bitbucket

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
)

// A right is something that a token may be allowed, under the name that API
// tokens have for it and the one of access tokens. The former do not imply each
// other: one that writes does not read.
type right struct{ granular, classic string }

var (
	readRepository = right{"read:repository:bitbucket", "repository"}
	readPulls      = right{"read:pullrequest:bitbucket", "pullrequest"}
	readWebhooks   = right{"read:webhook:bitbucket", "webhook"}
	writeWebhooks  = right{"write:webhook:bitbucket", "webhook"}
	deleteWebhooks = right{"delete:webhook:bitbucket", "webhook"}
	readUser       = right{"read:user:bitbucket", "account"}
	readWorkspaces = right{"read:workspace:bitbucket", "account"}
)

// recommended is what a token needs for everything that we do.
var recommended = []right{readRepository, readPulls, readWebhooks, writeWebhooks, deleteWebhooks, readUser, readWorkspaces}

// implied is which classic scopes hold others.
var implied = map[string][]string{
	"repository:write":  {"repository"},
	"pullrequest":       {"repository"},
	"pullrequest:write": {"pullrequest", "repository", "repository:write"},
	"account:write":     {"account"},
}

// granted reports whether scopes hold one, themselves or by implication.
func granted(scopes []string, one string) bool {
	return slices.ContainsFunc(scopes, func(have string) bool {
		return have == one || slices.Contains(implied[have], one)
	})
}

// missing returns the rights that scopes do not hold, by the names that the
// kind of token has for them.
func missing(scopes []string, by source.Login, rights ...right) []string {
	var out []string
	for _, r := range rights {
		name := r.name(by)
		if !granted(scopes, r.granular) && !granted(scopes, r.classic) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (r right) name(by source.Login) string {
	if accessToken(by.Kind) {
		return r.classic
	}
	return r.granular
}

// accessToken reports whether a token is a repository's, project's or
// workspace's own, not a user's.
func accessToken(k slipway.TokenKind) bool {
	switch k {
	case slipway.TokenKindBitbucketAccessToken, slipway.TokenKindBitbucketRepositoryToken,
		slipway.TokenKindBitbucketProjectToken, slipway.TokenKindBitbucketWorkspaceToken:
		return true
	}
	return false
}

// scopesIn reads a header that lists scopes; known is false if it is not there.
func scopesIn(h http.Header, name string) (scopes []string, known bool) {
	values, known := h[http.CanonicalHeaderKey(name)]
	for _, v := range values {
		for scope := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, known
}

func names(by source.Login, rights []right) []string {
	return missing(nil, by, rights...)
}

// series writes names as people list them: "a, b and c".
func series(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
