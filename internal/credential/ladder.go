package credential

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// A Want is the repository that a credential is wanted for.
type Want struct {
	Server  api.ServerType
	Host    string          // as Locate returns it; without a port and www. for servers that are not self-hosted
	Path    string          // of the repository, as Locate returns it
	Auth    *api.SourceAuth // what the source itself names; may be nil
	Primary *api.SourceAuth // what a primary source of type NO_SOURCE names for all; may be nil
}

// NewWant returns what is wanted for the repository at a location; ok is false
// if the location is none. Its Auth and Primary are the caller's to set.
func NewWant(server api.ServerType, location string) (w Want, ok bool) {
	host, path, ok := Locate(location)
	if !SelfHosted(server) {
		host, _, _ = strings.Cut(strings.TrimPrefix(host, "www."), ":")
	}
	return Want{Server: server, Host: host, Path: path}, ok
}

// A Rung is one of the credentials that are considered for a repository, and
// what came of it.
type Rung struct {
	Basis   slipway.CredentialBasis
	ARN     string // of the credential, or what a source names; empty if there is nothing
	About   About  // zero if the ARN is none of ours
	Prefix  string // path at the host under which the provider is, as the credential's Hosts say; empty for its root
	Applies bool   // it is meant for this repository
	Wins    bool   // it is the one; of all rungs at most one
	Refused bool   // it wins and cannot be used: nothing below it is tried in its place
	Reason  string // why or why not, in sentences for people
}

// Ladder returns all that is considered for a repository, in CodeBuild's order:
// what the source names, what a primary source of type NO_SOURCE names for all,
// named credentials whose match fits, and the account's default for the server
// type. The first that applies wins. all is every credential of the scope, in
// any order; the answer does not depend on it.
//
// Of several named credentials the most specific is first. The repository's
// part of the match counts before the owner's and that before the host's; in
// each an exact text beats a pattern, a pattern beats none, and a longer one a
// shorter; then the older credential is first. A named credential with neither
// a match nor hosts serves only sources that name it: importing it changes
// nothing for anybody else. One with a match serves nothing else, even if a
// source names it: whoever edits a project cannot have a token fetch more than
// its owner meant it for.
func Ladder(w Want, all []About) []Rung {
	all = slices.SortedFunc(slices.Values(all), func(a, b About) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ARN, b.ARN))
	})
	rungs := []Rung{
		pointed(slipway.CredentialBasisSourceAuth, w, w.Auth, all),
		pointed(slipway.CredentialBasisNoSourceAuth, w, w.Primary, all),
	}
	rungs = append(rungs, matching(w, all)...)
	rungs = append(rungs, fallback(w, all))
	winner := ""
	for i := range rungs {
		r := &rungs[i]
		switch {
		case !r.Applies:
		case winner == "":
			winner, r.Wins = "what the source names", true
			if r.Basis != slipway.CredentialBasisSourceAuth {
				winner = title(*r)
			}
		default:
			r.Refused = false
			r.Reason = fmt.Sprintf("It fits, but %s comes before it.", winner)
		}
	}
	return rungs
}

// Winner returns the rung that wins; ok is false if none does.
func Winner(rungs []Rung) (r Rung, ok bool) {
	i := slices.IndexFunc(rungs, func(r Rung) bool { return r.Wins })
	if i < 0 {
		return Rung{}, false
	}
	return rungs[i], true
}

// title names a rung in a sentence about another.
func title(r Rung) string {
	switch {
	case r.Basis == slipway.CredentialBasisNoSourceAuth:
		return "what the project's primary source names"
	case r.About.Name != "":
		return "the named credential " + r.About.Name
	}
	return "the account's default"
}

// pointed is the rung of what a source names.
func pointed(basis slipway.CredentialBasis, w Want, auth *api.SourceAuth, all []About) Rung {
	r := Rung{Basis: basis}
	who := "The source"
	if basis == slipway.CredentialBasisNoSourceAuth {
		who = "The project's primary source"
	}
	switch {
	case auth == nil && basis == slipway.CredentialBasisNoSourceAuth:
		r.Reason = "The project has no primary source of type NO_SOURCE that names a credential for all."
		return r
	case auth == nil:
		r.Reason = "The source names no credential."
		return r
	case auth.Type == api.SourceAuthTypeOauth:
		r.Reason = who + " has auth of type OAUTH, which leaves the choice to the account."
		return r
	case auth.Resource == nil || *auth.Resource == "":
		r.Applies, r.Refused = true, true
		r.Reason = fmt.Sprintf("%s has auth of type %s without the ARN of a credential. Set auth.resource.", who, auth.Type)
		return r
	}
	r.ARN, r.Applies = *auth.Resource, true
	about, ours := holder(r.ARN, w.Server, all)
	if !ours {
		r.Reason = fmt.Sprintf("%s names %s, which is none of the credentials here.", who, r.ARN)
		return r
	}
	r.About = about
	if about.ServerType != w.Server {
		r.Reason = fmt.Sprintf("%s names the credential %s, which is for %s and not for %s.", who, about.Title(), about.ServerType, w.Server)
		r.Applies = basis == slipway.CredentialBasisSourceAuth // the other is for all sources that it can serve
		r.Refused = r.Applies
		return r
	}
	r.Reason = fmt.Sprintf("%s names the credential %s.", who, about.Title())
	r.hold(w)
	if fits, why := about.Match.fits(w, r.Prefix); !fits && !r.Refused {
		r.Reason = fmt.Sprintf("%s names the credential %s, which is not for this repository. %s Import it with a wider match, or name another.", who, about.Title(), why)
		r.Applies = basis == slipway.CredentialBasisSourceAuth
		r.Refused = r.Applies
	}
	return r
}

// holder returns the credential that an ARN leads to: one whose own name it is,
// or one for the server type that refers to it and says where it may go.
func holder(arn string, server api.ServerType, all []About) (About, bool) {
	i := slices.IndexFunc(all, func(a About) bool { return a.Is(arn) })
	if i < 0 {
		i = slices.IndexFunc(all, func(a About) bool {
			return a.ServerType == server && a.Resource != "" && Canonical(a.Resource) == Canonical(arn)
		})
	}
	if i < 0 {
		return About{}, false
	}
	return all[i], true
}

// hold refuses r if its credential must not go to where w is.
func (r *Rung) hold(w Want) {
	prefix, ok := r.About.Reach(w)
	r.Prefix = prefix
	if !ok {
		r.Refused = true
		r.Reason = Elsewhere(r.About, r.About.Hosts, w.Host)
	}
}

// Elsewhere says that a credential bound to hosts is not sent to another host,
// and what to do about it.
func Elsewhere(a About, hosts []string, host string) string {
	return fmt.Sprintf("The source credential %s is bound to %s and is not sent to %s. "+
		"Import a credential for that host with 'slipway credential import --name NAME --server-type %s --host %s'.",
		a.Title(), strings.Join(hosts, ", "), host, a.ServerType, host)
}

// matching is the rungs of the named credentials, those that fit first.
func matching(w Want, all []About) []Rung {
	var rungs []Rung
	for _, a := range all {
		if a.Name == "" {
			continue
		}
		r := Rung{Basis: slipway.CredentialBasisNamed, ARN: a.ARN, About: a}
		prefix, reaches := a.Reach(w)
		switch {
		case a.ServerType != w.Server:
			r.Reason = fmt.Sprintf("It is for %s, and the repository is at %s.", a.ServerType, w.Server)
		case !reaches:
			r.Reason = fmt.Sprintf("It is bound to %s, and the repository is at %s.", strings.Join(a.Hosts, ", "), w.Host)
		case a.Match.IsZero() && len(a.Hosts) == 0:
			r.Reason = "It has neither a match nor hosts, so it serves only sources that name it."
		default:
			r.Prefix = prefix
			r.Applies, r.Reason = a.Match.fits(w, prefix)
		}
		rungs = append(rungs, r)
	}
	slices.SortStableFunc(rungs, func(a, b Rung) int {
		switch {
		case a.Applies && b.Applies:
			return cmp.Or(-a.About.Match.compare(b.About.Match), a.About.Created.Compare(b.About.Created))
		case a.Applies:
			return -1
		case b.Applies:
			return 1
		}
		return 0 // by name, as they came
	})
	return rungs
}

// fallback is the rung of the account's default.
func fallback(w Want, all []About) Rung {
	r := Rung{Basis: slipway.CredentialBasisDefault}
	i := slices.IndexFunc(all, func(a About) bool { return a.Name == "" && a.ServerType == w.Server })
	if i < 0 {
		r.Reason = fmt.Sprintf("The account has no default credential for %s.", w.Server)
		return r
	}
	r.About, r.ARN, r.Applies = all[i], all[i].ARN, true
	r.Reason = fmt.Sprintf("It is the account's default for %s, and nothing more specific applies.", w.Server)
	r.hold(w)
	return r
}
