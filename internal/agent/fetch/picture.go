package fetch

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
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
	desk       *desk
	moved      *url.URL // where the repository is now, if that is known
}

func newPicture(s Source, where *url.URL, c *agentapi.Credential, d *desk) *picture {
	return &picture{source: s, where: where, credential: c, desk: d}
}

// mask returns text without any of the fetch's tokens in any form.
func (p *picture) mask(text string) string {
	var b strings.Builder
	w := redact.New(&b, p.desk.wallet.secrets())
	_, _ = w.Write([]byte(text))
	_ = w.Flush()
	return b.String()
}

// explain returns the failure whose message tells the user what happened, or
// err itself if it is no failure of git.
func (p *picture) explain(ctx context.Context, err error) error {
	if _, isLarge := errors.AsType[*lfsError](err); isLarge {
		return &failure{p.mask(p.large(err))}
	}
	_, isGit := errors.AsType[*gitError](err)
	k := kindOf(err)
	if !isGit && k != noReference {
		return err
	}
	below, isSubmodule := errors.AsType[*submoduleError](err)
	if isSubmodule && below.sub != nil && below.sub.where != nil {
		p = p.of(below.sub)
	}
	if k == redirected {
		p.moved = movedTo(ctx, p.source, p.where, p.credential, p.desk.trusted)
	}
	message := reasons[k] + about(p.source) + ": "
	if k == noSSL {
		message = "Git clone failed: unable to access '" + p.url() + "': SSL certificate problem: " + p.sslProblem(err) + ". "
	}
	if isSubmodule {
		message += p.submodule(err, k, below.sub)
	} else {
		message += p.happened(err, k) + p.quote(err) + p.advice(k)
	}
	return &failure{p.mask(strings.TrimSpace(message))}
}

// of returns the picture of a submodule.
func (p *picture) of(sub *submodule) *picture {
	here := *p
	here.where, here.credential = sub.where, sub.grant.credential
	here.source.Insecure = p.source.Insecure && root(sub.where) == root(p.where)
	if root(sub.where) != root(p.where) {
		here.source.Type = ""
		for t, host := range clouds {
			if host == strings.ToLower(sub.where.Host) {
				here.source.Type = t
			}
		}
	}
	return &here
}

// happened says what the provider did, in a sentence or more.
func (p *picture) happened(err error, k kind) string {
	who, what := p.provider(), p.location()
	if p.source.Type == api.SourceTypeCodecommit && refusals[k] {
		return who + " did not give " + what + " to " + p.arn() + ": it has no such repository, or does not allow it."
	}
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
		return who + " answered that " + what + " is " + p.elsewhere() + ": it was renamed or moved, or the location is spelled differently. Redirects are not followed, since the token would be sent along."
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

// refusals are the ways in which CodeCommit says no.
var refusals = map[kind]bool{unauthenticated: true, unauthorised: true, noRepository: true, noLogin: true}

// advice says what to do, in a sentence or more.
func (p *picture) advice(k kind) string {
	if p.source.Type == api.SourceTypeCodecommit && refusals[k] {
		return " Check the region and the name in the project's source location, allow the user or role of that key codecommit:GitPull on the repository, and check that the server's clock is right: the login is signed with the time."
	}
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
		return p.trusting()
	case redirected:
		to := "<address>"
		if p.moved != nil && p.stays() {
			to = p.moved.String()
		}
		return " Set the project's source location to the present address: aws codebuild update-project --name <project> --source type=" + string(p.source.Type) + ",location=" + to
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

// stays reports whether what moved is still at the same host.
func (p *picture) stays() bool {
	return strings.EqualFold(p.moved.Hostname(), p.where.Hostname()) && p.moved.Port() == p.where.Port()
}

// elsewhere says where a repository is now.
func (p *picture) elsewhere() string {
	switch {
	case p.moved == nil:
		return "somewhere else"
	case p.stays():
		return "at " + clean(p.moved.String(), maxShown) + " now"
	}
	return "at another host, " + clean(p.moved.Host, maxShown) + ", to which no token of ours is sent"
}

// trusting says how to make a certificate trusted.
func (p *picture) trusting() string {
	advice := " Give the certificate of its authority with the credential: " + p.named() + " --ca-file <file>. Or "
	if selfHosted(p.source.Type) && p.credential.CA == "" {
		advice += "put it into a bucket and name that in the project's environment.certificate, "
	}
	advice += "start the server with SSL_CERT_FILE set, " +
		"or add it to the trusted ones of the machine that builds (update-ca-certificates on Debian)."
	if p.source.Type == api.SourceTypeGithubEnterprise && p.credential.CA == "" {
		advice += " To try without checking, set insecureSsl on the project's source."
	}
	return advice
}

func (p *picture) anonymous() bool { return p.credential.Password.IsZero() }

// provider names the provider, with its host where the name alone says too little.
func (p *picture) provider() string {
	name, known := providers[p.source.Type]
	switch {
	case !known:
		return p.where.Host
	case clouds[p.source.Type] == strings.ToLower(p.where.Host):
		return name
	}
	return name + " at " + p.where.Host
}

// named is the command that imports a credential for the repository's owner
// alone.
func (p *picture) named() string {
	server := string(p.source.Type)
	if server == "" {
		server = "<GITHUB_ENTERPRISE or GITLAB_SELF_MANAGED>"
	}
	owner := strings.Trim(path.Dir(strings.Trim(p.where.Path, "/")), "/.")
	name := strings.ToLower(strings.ReplaceAll(owner, "/", "-"))
	if !plain(owner) {
		owner, name = "<owner>", "<name>"
	}
	host := p.where.Host
	if !plain(host) {
		host = "<host>"
	}
	return "slipway credential import --name " + name + " --server-type " + server + " --host " + host + " --owner " + owner + " --token-file <file>"
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
	for line := range strings.Lines(withoutLogins(e.words)) {
		line = strings.TrimSpace(line)
		text, isRemote := strings.CutPrefix(line, "remote:")
		text = strings.TrimSpace(text)
		switch {
		case isRemote && text != "" && len(remote) < 4 && !slices.Contains(remote, text): // git tries submodules twice
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
	return withoutLogins(strings.TrimRight(e.words, "\n")) + "\n"
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
