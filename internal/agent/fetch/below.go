package fetch

import "strings"

// submodule says which submodule failed and why. p is the submodule's own
// picture if sub is known, and the source's otherwise.
func (p *picture) submodule(err error, k kind, sub *submodule) string {
	text := p.which(err, sub) + p.quote(err)
	switch k {
	case notAllowed:
		return text + " Submodules are fetched over HTTPS only: change its url in .gitmodules."
	case loginInURL:
		return text + " There is a login in its url in .gitmodules, which everybody can read who can read the repository: take it out there, " +
			"make a new token in its place, and import that: slipway credential import --name <name> --host <host> --owner <owner> --token-file <file>"
	case noReference:
		return text + " The commit that the submodule is pinned to is not in its repository: push it there."
	case noSSL:
		return text + p.trusting()
	case redirected:
		return text + " It is " + p.elsewhere() + ". Redirects are not followed, since the token would be sent along: change its url in .gitmodules."
	case noLogin, unauthenticated, unauthorised, noRepository:
	default:
		return text
	}
	if sub == nil || sub.where == nil {
		return text + " If it asks for a login, import one for it: slipway credential import --name <name> --host <host> --owner <owner> --token-file <file>"
	}
	switch host := clean(p.where.Host, maxShown); {
	case sub.grant.problem != "":
		return text + " No login was given for it: " + clean(sub.grant.problem, maxShown)
	case !sentTo(p.where, p.credential):
		return text + " It asks for a login, or is not there, and no source credential is known for " + host + " that covers it. Make a token " + p.reading() + " and import it: " + p.named()
	case k == unauthenticated:
		return text + " " + p.provider() + " refused the token of " + p.arn() + ": it may be mistyped, expired or revoked. Import one that is good: " + p.named()
	}
	return text + " The token of " + p.arn() + " must be allowed to read the submodule's repository too: fine-grained tokens and those of one repository often are not. Import one that is: " + p.named()
}

// which names the submodule that failed, and its address.
func (p *picture) which(err error, sub *submodule) string {
	address, at := submoduleOf(err)
	address, at = withoutLogins(address), strings.TrimPrefix(at, p.source.Dir+"/")
	if sub != nil {
		address, at = sub.address, sub.path
	}
	text := "a submodule could not be fetched"
	if at != "" {
		text = "the submodule " + clean(at, maxShown) + " could not be fetched"
	}
	if strings.Contains(address, "://") {
		text += " from " + clean(address, maxShown)
	}
	return text + "."
}

// reading names what a token needs to be allowed, for a provider that may not
// be known.
func (p *picture) reading() string {
	if p.source.Type == "" {
		return "that may read it"
	}
	return p.rights()
}
