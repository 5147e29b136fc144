package fetch

import (
	"errors"
	"regexp"
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
)

// signs tell the kind of a failure by git's words, first match first. They are
// words of git 2.31 and newer in the C locale.
var signs = []struct {
	kind kind
	re   *regexp.Regexp
}{
	{noSSL, regexp.MustCompile(`(?i)SSL certificate problem|certificate verif|SSL: |SSL_connect|gnutls_handshake|certificate subject name|SSL peer|schannel`)},
	{noLogin, regexp.MustCompile(`could not read (Username|Password) for`)},
	{unauthenticated, regexp.MustCompile(`Authentication failed for|requested URL returned error: 401`)},
	{unauthorised, regexp.MustCompile(`requested URL returned error: 403`)},
	{redirected, regexp.MustCompile(`requested URL returned error: 30[12378]|update_url_from_redirect|unable to update url base from redirection`)},
	{busy, regexp.MustCompile(`requested URL returned error: (429|5\d\d)|due to load`)},
	{noRepository, regexp.MustCompile(`repository '[^']*' not found|requested URL returned error: 4(04|10)|remote: Repository not found`)},
	{noReference, regexp.MustCompile(`Remote branch .* not found in upstream|couldn't find remote ref|not our ref|unadvertised object`)},
	{notAllowed, regexp.MustCompile(`transport '[^']*' not allowed`)},
	{notGit, regexp.MustCompile(`not valid: is this a git repository|invalid server response|bad line length|protocol error`)},
	{silent, regexp.MustCompile(`Operation too slow|timed out|Timeout was reached`)},
	{unreachable, regexp.MustCompile(`Could not resolve|Couldn't connect|Failed to connect|Connection refused|No route to host|Network is unreachable|Proxy CONNECT|Connection reset|Empty reply|early EOF|hung up|unexpected disconnect`)},
	{noSpace, regexp.MustCompile(`No space left on device|Disk quota exceeded`)},
}

func kindOf(err error) kind {
	switch {
	case errors.Is(err, errEmpty), errors.Is(err, errNoDefault), errors.Is(err, errNoCommit):
		return noReference
	}
	if e, ok := errors.AsType[*gitError](err); ok {
		for _, sign := range signs {
			if sign.re.MatchString(e.words) {
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
	other:           "git clone failed",
}

// providers are what users call the source types.
var providers = map[api.SourceType]string{
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
