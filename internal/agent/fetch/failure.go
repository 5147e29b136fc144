package fetch

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/internal/api"
)

// A failure is one that the user can mend; message is for the phase context.
type failure struct{ message string }

func (f *failure) Error() string { return f.message }

// refuse returns the failure of s for reason, in CodeBuild's form, followed by
// what happened in a sentence or more.
func refuse(s Source, reason, sentences string) error {
	return &failure{reason + about(s) + ": " + sentences}
}

// about says which source, and which version of it, as CodeBuild does.
func about(s Source) string {
	text := " for primary source"
	if s.Identifier != "" {
		text = " for source " + clean(s.Identifier, maxShown)
	}
	if s.Version != "" {
		text += " and source version " + clean(s.Version, maxShown)
	}
	return text
}

// maxShown bounds what is shown of a stranger's text, in characters.
const maxShown = 300

// clean makes one short line of text that terminals and pages can show.
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if utf8.RuneCountInString(text) > limit {
		text = string([]rune(text)[:limit]) + "…"
	}
	return text
}

// A kind is what a failed git means.
type kind int

const (
	other kind = iota
	unauthenticated
	unauthorised
	noRepository
	noReference
	noSSL
	redirected
	noLogin // the host asks for one, and none is bound to it
	unreachable
	silent
	busy
	notGit
	noSpace
	notAllowed
	loginInURL
)

// httpStatus is what git says before the status it did not expect.
const httpStatus = "requested URL returned error: "

// signs tell the kind of a failure by git's words, first match first. They are
// words of git 2.31 and newer in the C locale, over OpenSSL or GnuTLS. They are
// no regular expressions, since those would cost every agent's start.
var signs = []struct {
	kind  kind
	words []string
}{
	{noSSL, []string{"SSL certificate problem", "certificate verif", "SSL: ", "SSL_connect", "gnutls_handshake", "certificate subject name", "SSL peer"}},
	{noLogin, []string{"could not read Username for", "could not read Password for"}},
	{unauthenticated, []string{"Authentication failed for", httpStatus + "401"}},
	{unauthorised, []string{httpStatus + "403"}},
	{redirected, []string{httpStatus + "301", httpStatus + "302", httpStatus + "303", httpStatus + "307", httpStatus + "308", "unable to update url base from redirection"}},
	{busy, []string{httpStatus + "429", httpStatus + "5", "due to load"}},
	{noRepository, []string{httpStatus + "404", httpStatus + "410", "remote: Repository not found", "/' not found"}},
	{noReference, []string{"not found in upstream", "couldn't find remote ref", "not our ref", "unadvertised object"}},
	{notAllowed, []string{"' not allowed"}},
	{loginInURL, []string{"uses plaintext credentials"}},
	{notGit, []string{"not valid: is this a git repository", "invalid server response", "bad line length", "protocol error"}},
	{silent, []string{"Operation too slow", "timed out", "Timeout was reached"}},
	{unreachable, []string{"Could not resolve", "Couldn't connect", "Failed to connect", "Connection refused", "No route to host", "Network is unreachable", "Proxy CONNECT", "Connection reset", "Empty reply", "early EOF", "hung up", "unexpected disconnect"}},
	{noSpace, []string{"No space left on device", "Disk quota exceeded"}},
}

// passing are words of failures that may be over in a moment.
var passing = []string{
	httpStatus + "429", httpStatus + "500", httpStatus + "502", httpStatus + "503", httpStatus + "504", "due to load",
	"Connection reset", "Empty reply", "early EOF", "unexpected disconnect", "hung up unexpectedly",
}

// saysAny reports whether one of words is in text.
func saysAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

func kindOf(err error) kind {
	switch {
	case errors.Is(err, errEmpty), errors.Is(err, errNoDefault), errors.Is(err, errNoCommit):
		return noReference
	}
	if _, ok := errors.AsType[*lostError](err); ok {
		return noReference
	}
	if e, ok := errors.AsType[*gitError](err); ok {
		for _, sign := range signs {
			if saysAny(e.words, sign.words) {
				return sign.kind
			}
		}
	}
	return other
}

// reasons are the first words of a message; the first four are CodeBuild's.
var reasons = map[kind]string{
	unauthenticated: "authentication required",
	unauthorised:    "authorization failed",
	noRepository:    "repository not found",
	noReference:     "reference not found",
	noLogin:         "authentication required",
	redirected:      "repository moved",
	unreachable:     "repository not reachable",
	silent:          "repository not reachable",
	busy:            "repository not reachable",
	notGit:          "repository not found",
	noSpace:         "no space left",
	notAllowed:      "URL not allowed",
	loginInURL:      "URL not allowed",
	other:           "git clone failed",
}

// providers are what users call the source types.
var providers = map[api.SourceType]string{
	api.SourceTypeCodecommit:        "AWS CodeCommit",
	api.SourceTypeGithub:            "GitHub",
	api.SourceTypeGithubEnterprise:  "GitHub Enterprise Server",
	api.SourceTypeBitbucket:         "Bitbucket",
	api.SourceTypeGitlab:            "GitLab",
	api.SourceTypeGitlabSelfManaged: "GitLab",
}

// clouds are the hosts that a provider's name alone means.
var clouds = map[api.SourceType]string{
	api.SourceTypeGithub:    "github.com",
	api.SourceTypeBitbucket: "bitbucket.org",
	api.SourceTypeGitlab:    "gitlab.com",
}
