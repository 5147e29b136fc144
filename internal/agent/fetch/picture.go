package fetch

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"slipway/internal/agent/redact"
	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// A picture is what is known about a source when fetching it failed, for the
// words that tell the user what happened and what to do.
type picture struct {
	source     Source
	where      *url.URL
	credential *agentapi.Credential
}

func newPicture(s Source, where *url.URL, c *agentapi.Credential) *picture {
	return &picture{source: s, where: where, credential: c}
}

// secrets returns the texts that no message may hold.
func (p *picture) secrets() []string {
	token := p.credential.Password.Reveal()
	if token == "" {
		return nil
	}
	return []string{token, base64.StdEncoding.EncodeToString([]byte(p.credential.Username + ":" + token))}
}

// mask returns text without the token in any form.
func (p *picture) mask(text string) string {
	var b strings.Builder
	w := redact.New(&b, p.secrets())
	_, _ = w.Write([]byte(text))
	_ = w.Flush()
	return b.String()
}

// explain returns the failure whose message tells the user what happened, or
// err itself if it is no failure of git.
func (p *picture) explain(err error) error {
	_, isGit := errors.AsType[*gitError](err)
	k := kindOf(err)
	if !isGit && k != noReference {
		return err
	}
	message := reasons[k] + about(p.source) + ": "
	if k == noSSL {
		message = "Git clone failed: unable to access '" + p.url() + "': SSL certificate problem: " + p.sslProblem(err) + ". "
	}
	if _, ok := errors.AsType[*submoduleError](err); ok {
		message += p.submodule(err, k)
	} else {
		message += p.happened(err, k) + p.quote(err) + p.advice(k)
	}
	return &failure{p.mask(strings.TrimSpace(message))}
}

// happened says what the provider did, in a sentence or more.
func (p *picture) happened(err error, k kind) string {
	who, what := p.provider(), p.location()
	switch k {
	case unauthenticated:
		return who + " refused the token of " + p.arn() + " for " + what + "."
	case noLogin:
		if !p.anonymous() {
			return who + " asks for a login to " + what + ", and the token of " + p.arn() + " is sent to " + clean(p.credential.Host, maxShown) + " only."
		}
		return who + " asks for a login to " + what + ", as it does for repositories that are private or not there, and " + p.missing() + "."
	case unauthorised:
		return who + " knows " + p.sender() + " but does not give it " + what + "."
	case noRepository:
		if p.anonymous() {
			return who + " has no public repository " + what + ", and " + p.missing() + ": private repositories look as if they were not there."
		}
		return "either there is no repository " + what + ", or the token of " + p.arn() + " may not see it: " + who + " answers the same in both cases."
	case noReference:
		return p.noReference(err)
	case noSSL:
		return "The certificate that " + p.where.Host + " shows is not trusted here."
	case redirected:
		return who + " answered that " + what + " is somewhere else: it was renamed or moved, or the location is spelled differently. Redirects are not followed, since the token would be sent along."
	case unreachable:
		return p.where.Host + " could not be reached, or broke off the connection."
	case silent:
		return p.where.Host + " stopped answering."
	case busy:
		return who + " could not serve " + what + ", three times in a row."
	case notGit:
		return what + " does not answer as a Git repository does."
	case noSpace:
		return "the disk of the machine that builds is full."
	}
	return "git could not fetch " + what + " from " + who + "."
}

func (p *picture) noReference(err error) string {
	switch {
	case errors.Is(err, errEmpty):
		return p.location() + " is empty: it has no commits yet."
	case errors.Is(err, errNoDefault):
		return "the default branch of " + p.location() + " does not exist."
	}
	if lost, ok := errors.AsType[*lostError](err); ok {
		ref := clean(lost.ref, maxShown)
		if lost.gone {
			return p.location() + " has no " + ref + " any more, as after its branch was deleted or its pull request merged, and does not hand out the commit " + lost.commit + " by its id."
		}
		return p.location() + " has no commit " + lost.commit + " on " + ref + " any more, as after a force push or a squash merge, and does not hand it out by its id."
	}
	return p.location() + " has no branch, tag or commit of that name."
}

// advice says what to do, in a sentence or more.
func (p *picture) advice(k kind) string {
	switch k {
	case unauthenticated:
		return " The token may be mistyped, expired or revoked: make a new one " + p.rights() + " and import it: " + p.command()
	case noLogin:
		return " Make a token " + p.rights() + " and import it: " + p.command()
	case unauthorised:
		return " Give the token the right to read this repository (" + p.policies() + "), or make one " + p.rights() + " and import it: " + p.command()
	case noRepository:
		return " Check the project's source location; if it is right, make a token " + p.rights() + " and import it: " + p.command()
	case noReference:
		if strings.Contains(p.source.Version, "^{") {
			return " Push the commit again, or build what is there now: start a build whose source version does not end in ^{…}."
		}
		return " Check sourceVersion, or push it first."
	case noSSL:
		advice := " Add the certificate of its authority to the trusted ones of the machine that builds (update-ca-certificates on Debian), or start the server with SSL_CERT_FILE set."
		if p.source.Type == api.SourceTypeGithubEnterprise {
			advice += " To try without checking, set insecureSsl on the project's source."
		}
		return advice
	case redirected:
		return " Set the project's source location to the present address: aws codebuild update-project --name <project> --source type=" + string(p.source.Type) + ",location=<address>"
	case unreachable, silent:
		return " Check the location, and that the machine that builds reaches that host."
	case busy:
		return " Start the build again later."
	case notGit:
		return " Check the project's source location: it is the address that git clone takes."
	case noSpace:
		return " Free some space and start the build again."
	}
	return ""
}

// submodule says which submodule failed and why.
func (p *picture) submodule(err error, k kind) string {
	address, path := submoduleOf(err)
	text := "a submodule could not be fetched"
	if path != "" {
		text = "the submodule " + clean(strings.TrimPrefix(path, p.source.Dir+"/"), maxShown) + " could not be fetched"
	}
	host := p.where.Host
	if at, err := url.Parse(address); err == nil && at.Host != "" {
		at.User = nil
		text += " from " + clean(at.String(), maxShown)
		host = at.Host
	}
	text += "." + p.quote(err)
	switch {
	case k == notAllowed:
		return text + " Submodules are fetched over HTTPS only: change its url in .gitmodules."
	case k == noReference:
		return text + " The commit that the submodule is pinned to is not in its repository: push it there."
	case k != noLogin && k != unauthenticated && k != unauthorised && k != noRepository:
		return text
	case !strings.EqualFold(host, p.where.Host):
		return text + " The login of the source is sent to " + p.where.Host + " only, and none is known for " + clean(host, maxShown) + "."
	case p.anonymous():
		return text + " It asks for a login, and " + p.missing() + ". Make a token that may also read the submodule and import it: " + p.command()
	}
	return text + " The token of " + p.arn() + " must be allowed to read the submodule's repository too: fine-grained tokens and those of one repository often are not. Import one that is: " + p.command()
}

// submoduleOf finds a failed submodule's address and path in git's words:
//
//	fatal: clone of 'URL' into submodule path 'PATH' failed
//	fatal: … in submodule path 'PATH' …
func submoduleOf(err error) (address, path string) {
	e, ok := errors.AsType[*gitError](err)
	if !ok {
		return "", ""
	}
	if _, rest, ok := strings.Cut(e.words, "clone of '"); ok {
		address, _, _ = strings.Cut(rest, "'")
	}
	if _, rest, ok := strings.Cut(e.words, "submodule path '"); ok {
		path, _, _ = strings.Cut(rest, "'")
	}
	return address, path
}

func (p *picture) anonymous() bool { return p.credential.Password.IsZero() }

// provider names the provider, with its host where the name alone says too little.
func (p *picture) provider() string {
	name := providers[p.source.Type]
	if clouds[p.source.Type] == strings.ToLower(p.where.Host) {
		return name
	}
	return name + " at " + p.where.Host
}

// location is where the project says its source is, without any login.
func (p *picture) location() string {
	text := p.source.Location
	if text == "" {
		return p.url()
	}
	at, err := url.Parse(text)
	switch scheme, rest, ok := strings.Cut(text, "://"); {
	case err == nil && at.User != nil:
		at.User = nil
		text = at.String()
	case err != nil && ok: // a login with characters that a URL cannot have
		text = scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	return clean(text, maxShown)
}

// url is what git was given.
func (p *picture) url() string { return clean(p.where.String(), maxShown) }

func (p *picture) arn() string {
	if p.credential.ARN == "" {
		return "the source credential"
	}
	return p.credential.ARN
}

func (p *picture) sender() string {
	if p.anonymous() {
		return "no login of ours"
	}
	return "the token of " + p.arn()
}

func (p *picture) missing() string {
	return "no source credential for " + string(p.source.Type) + " is imported in this account and region"
}

// rights names what a token needs to be allowed.
func (p *picture) rights() string {
	switch p.source.Type {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise:
		return "with the scope repo (or a fine-grained one with Contents: read for this repository)"
	case api.SourceTypeBitbucket:
		return "with the scope read:repository:bitbucket (or repository, for an access token)"
	}
	return "with the scope read_repository or api"
}

// policies names what else may stand in the way of a good token.
func (p *picture) policies() string {
	switch p.source.Type {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise:
		return "its scopes, single sign-on authorisation, the organization's rules for tokens and its IP allow list"
	case api.SourceTypeBitbucket:
		return "its scopes and the workspace's IP allow list"
	}
	return "its scopes, the role of its owner and the group's IP restriction"
}

// command imports a token.
func (p *picture) command() string {
	return "aws codebuild import-source-credentials --server-type " + string(p.source.Type) + " --auth-type PERSONAL_ACCESS_TOKEN --token <token>"
}

// maxQuote bounds what is quoted of git and the provider, in characters.
const maxQuote = 500

// quote returns the provider's words and git's own last ones, as a sentence.
func (p *picture) quote(err error) string {
	e, ok := errors.AsType[*gitError](err)
	if !ok {
		return ""
	}
	var remote []string
	var last string
	for line := range strings.Lines(e.words) {
		line = strings.TrimSpace(line)
		text, isRemote := strings.CutPrefix(line, "remote:")
		text = strings.TrimSpace(text)
		switch {
		case isRemote && text != "" && len(remote) < 4:
			remote = append(remote, text)
		case !isRemote && isError(line) && (last == "" || !saysAny(line, vague)):
			last = line
		}
	}
	said := ""
	if len(remote) > 0 {
		said += ` Its words: "` + clean(strings.TrimRight(strings.Join(remote, " "), "."), maxQuote) + `".`
	}
	if last != "" {
		said += ` Git says: "` + clean(last, maxQuote) + `".`
	}
	return said
}

func isError(line string) bool {
	return strings.HasPrefix(line, "fatal: ") || strings.HasPrefix(line, "error: ")
}

// vague are beginnings of lines that only repeat that something failed.
var vague = []string{
	"fatal: clone of '", "fatal: could not fetch", "fatal: the remote end hung up", "fatal: expected ", "fatal: fetch-pack: ",
	"fatal: index-pack ", "fatal: Unable to checkout", "fatal: Unable to fetch", "fatal: Failed to clone", "fatal: Failed to recurse",
}

// gitsWords returns what git said, for the build's log.
func (p *picture) gitsWords(err error) string {
	e, ok := errors.AsType[*gitError](err)
	if !ok || strings.TrimSpace(e.words) == "" {
		return ""
	}
	return strings.TrimRight(e.words, "\n") + "\n"
}

// sslProblem returns what is wrong with the certificate.
func (p *picture) sslProblem(err error) string {
	e, ok := errors.AsType[*gitError](err)
	if !ok {
		return "unknown"
	}
	// Debian's git is built with GnuTLS, which has words of its own.
	for _, before := range []string{"SSL certificate problem: ", p.where.String() + "/': "} {
		if _, rest, ok := strings.Cut(e.words, before); ok {
			line, _, _ := strings.Cut(rest, "\n")
			return clean(strings.TrimRight(line, "."), maxShown)
		}
	}
	return "unknown"
}
