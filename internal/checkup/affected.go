package checkup

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/source"
)

// maxCompared is at how many repositories a new token is compared with the
// present one before it replaces it.
const maxCompared = 20

// Replace tells what importing a credential would do: what the new token is
// and can do, whether it replaces one, and which projects it would serve and
// what each would lose. It is not stored, and the token goes nowhere where it
// might not go once it is.
func (c *Checker) Replace(ctx context.Context, n credential.Credential) (health slipway.CredentialHealth, replaces bool, affected []slipway.AffectedProject, err error) {
	p, err := c.plan(ctx, &n)
	if err != nil {
		return health, false, nil, err
	}
	login := source.NewLogin(n.ServerType, n.Username, n.Token)
	wrong, isWrong := mistakeOf(n.About, login)
	compared := map[string][2]slipway.CredentialHealth{}
	var found []slipway.CredentialHealth
	for _, u := range p.uses {
		served, serves := u.served && u.by.ARN == n.ARN, p.serves(u)
		if !serves && !(p.replaces && served) {
			continue
		}
		a := affectedProject(u)
		key := u.repository.CloneURL()
		pair, known := compared[key]
		if !known && serves && len(compared) < maxCompared && !n.Token.IsZero() && p.allowed(u) {
			if pair[1], err = c.compare(ctx, n.About, login, wrong, isWrong, u.repository); err != nil {
				return health, p.replaces, nil, err
			}
			if u.served {
				if pair[0], err = c.examine(ctx, u.by, text(u.source.Location)); err != nil {
					return health, p.replaces, nil, err
				}
			}
			compared[key], known = pair, true
			found = append(found, pair[1])
		}
		switch {
		case !serves:
			a.Then = "It would not be served by this credential any more."
		case served:
			a.Then = "It would go on with the new token."
		case u.served:
			a.Then = "It is served by " + title(u.by) + " now, and would be by the new credential."
		default:
			a.Then = "It is served by no credential now, and would be by the new one."
		}
		if known {
			a.Lose = lost(u, pair[0], pair[1])
		}
		affected = append(affected, a)
	}
	switch {
	case len(found) > 0:
		health = c.finished(n.About, worst(found))
	case isWrong:
		health = c.finished(n.About, wrong.health(login.Kind))
	default:
		health, err = c.alone(ctx, n, login)
	}
	return health, p.replaces, affected, err
}

// A plan is what would be if a credential were stored.
type plan struct {
	about    credential.About
	replaces bool
	all      []credential.About // with it
	uses     []use              // as they are without it
}

// plan returns what would be if n were stored, and gives n the hosts and
// certificates that it would keep of the one it replaces.
func (c *Checker) plan(ctx context.Context, n *credential.Credential) (p plan, err error) {
	if p.all, err = c.parts.Keys.List(ctx, n.Scope); err != nil {
		return p, err
	}
	if i := slices.IndexFunc(p.all, func(a credential.About) bool { return a.ARN == n.ARN }); i >= 0 {
		p.replaces = true
		if was := p.all[i]; was.ServerType == n.ServerType {
			if len(n.Hosts) == 0 {
				n.Hosts = was.Hosts
			}
			n.CA = cmp.Or(n.CA, was.CA)
		}
		p.all = slices.Delete(slices.Clone(p.all), i, i+1)
	}
	p.about, p.all = n.About, append(p.all, n.About)
	p.uses, err = c.uses(ctx, n.Scope)
	return p, err
}

// serves reports whether the credential would serve a use.
func (p plan) serves(u use) bool {
	winner, ok := credential.Winner(credential.Ladder(wantOf(u), p.all))
	return ok && !winner.Refused && winner.About.ARN == p.about.ARN
}

// allowed reports whether the token, which would serve u, may go there before
// it is stored: a self-hosted one that is bound to no host yet only if all that
// it would serve is at one host, to which its first use would bind it. Nobody
// knows else which of them its owner means.
func (p plan) allowed(u use) bool {
	if !selfHosted(p.about.ServerType) || len(p.about.Hosts) > 0 { // the ladder holds it to its hosts
		return true
	}
	host := wantOf(u).Host
	return p.about.Name == "" && !slices.ContainsFunc(p.uses, func(other use) bool { return wantOf(other).Host != host && p.serves(other) })
}

// wantOf is what a use asks of credentials.
func wantOf(u use) credential.Want {
	w, _ := credential.NewWant(u.need.Server, u.need.Location) // it has a repository, so it is one
	w.Path, w.Auth, w.Primary = u.repository.FullName(), u.need.Auth, u.need.Primary
	return w
}

// compare tells what a new login could do at a repository.
func (c *Checker) compare(ctx context.Context, a credential.About, l source.Login, m mistake, isWrong bool, r source.Repository) (slipway.CredentialHealth, error) {
	if isWrong {
		h := m.health(l.Kind)
		h.Repository = r.FullName()
		return h, nil
	}
	return c.ask(ctx, a, []place{at(a, r, l)})
}

// alone checks a login that is not stored by what the provider says of it.
func (c *Checker) alone(ctx context.Context, n credential.Credential, l source.Login) (slipway.CredentialHealth, error) {
	if n.Token.IsZero() {
		return c.finished(n.About, slipway.CredentialHealth{State: slipway.CredentialStateUnchecked,
			Message: "What is imported names a token that is kept elsewhere; it is checked after the import."}), nil
	}
	site, ok := c.site(n.About, "")
	if !ok {
		return c.finished(n.About, *homeless(n.About)), nil
	}
	return c.ask(ctx, n.About, []place{{site: site, login: l}})
}

func winning(u use) slipway.CredentialBasis {
	for _, r := range u.rungs {
		if r.Wins {
			return r.Basis
		}
	}
	return ""
}

// Remove tells which projects a credential serves and what would become of
// each without it. Nothing is removed.
func (c *Checker) Remove(ctx context.Context, a credential.About) ([]slipway.AffectedProject, error) {
	all, err := c.uses(ctx, a.Scope)
	if err != nil {
		return nil, err
	}
	var affected []slipway.AffectedProject
	for _, u := range all {
		if !u.served || u.by.ARN != a.ARN {
			continue
		}
		p := affectedProject(u)
		p.Then = without(u)
		if next(u) == nil {
			p.Lose = needs(u)
		}
		affected = append(affected, p)
	}
	return affected, nil
}

// without tells what becomes of a use without the credential that serves it.
func without(u use) string {
	switch basis := winning(u); {
	case basis == slipway.CredentialBasisSourceAuth || basis == slipway.CredentialBasisNoSourceAuth:
		return "Its source names this credential itself (auth): builds would fail until it names another, or none."
	case next(u) != nil:
		r := next(u)
		if r.Name != "" {
			return "The credential " + r.Name + " would serve it."
		}
		return "The account's default, " + r.ARN + ", would serve it."
	}
	return "No other credential serves it: it would be fetched anonymously, which works for public repositories only."
}

// next returns the rung that serves a use if the winner is gone; nil if none does.
func next(u use) *slipway.CredentialRung {
	for i, r := range u.rungs {
		if r.Applies && !r.Wins && r.ARN != u.by.ARN && r.ARN != "" {
			return &u.rungs[i]
		}
	}
	return nil
}

func affectedProject(u use) slipway.AffectedProject {
	return slipway.AffectedProject{
		ProjectName: text(u.project.Name), RepositoryURL: strings.TrimSuffix(u.repository.CloneURL(), ".git"),
		Webhook: u.project.Webhook != nil, ReportsStatus: u.source.ReportBuildStatus != nil && *u.source.ReportBuildStatus,
	}
}

// lost names the jobs that a project needs and that the new token cannot do
// where the present one can, or may.
func lost(u use, present, then slipway.CredentialHealth) []string {
	var all []string
	for _, job := range wanted(u) {
		was, is := ability(present, job), ability(then, job)
		if is.Ability != slipway.AbilityNo || was.Ability == slipway.AbilityNo {
			continue
		}
		said := Words(job)
		if len(is.Missing) > 0 {
			said += ": " + strings.Join(is.Missing, ", ") + " is missing"
		} else if is.Message != "" {
			said += ": " + is.Message
		}
		all = append(all, said)
	}
	return all
}

// needs names the jobs that a project needs a credential for.
func needs(u use) []string {
	var all []string
	for _, job := range wanted(u) {
		if job == slipway.CredentialJobClone {
			all = append(all, "clone, if the repository is private")
			continue
		}
		all = append(all, Words(job))
	}
	return all
}

// wanted returns what a project needs a credential for.
func wanted(u use) []slipway.CredentialJob {
	all := []slipway.CredentialJob{slipway.CredentialJobClone}
	if affectedProject(u).ReportsStatus {
		all = append(all, slipway.CredentialJobCommitStatus)
	}
	if u.project.Webhook != nil {
		all = append(all, slipway.CredentialJobWebhook, slipway.CredentialJobPullRequestFiles)
	}
	return all
}

func ability(h slipway.CredentialHealth, job slipway.CredentialJob) slipway.JobAbility {
	for _, j := range h.Jobs {
		if j.Job == job {
			return j
		}
	}
	if refused(h.State) {
		return slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: h.Cause, Message: h.Message}
	}
	return slipway.JobAbility{Job: job, Ability: slipway.AbilityUnknown}
}

// Words returns a job in words that follow "can".
func Words(job slipway.CredentialJob) string {
	switch job {
	case slipway.CredentialJobClone:
		return "clone"
	case slipway.CredentialJobCommitStatus:
		return "report commit statuses"
	case slipway.CredentialJobWebhook:
		return "manage webhooks"
	case slipway.CredentialJobPullRequestFiles:
		return "read the files of pull requests"
	}
	return strings.ToLower(strings.ReplaceAll(string(job), "_", " "))
}

// title returns how a credential is called in a sentence.
func title(a credential.About) string {
	if a.Name != "" {
		return "the credential " + a.Name
	}
	return "the account's default, " + a.ARN
}
