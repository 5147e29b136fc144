package checkup

import (
	"context"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/source"
)

// A use is one source of a project and the credential that serves it.
type use struct {
	project    *api.Project
	source     api.ProjectSource
	need       keyring.Need
	repository source.Repository
	rungs      []slipway.CredentialRung
	by         credential.About
	served     bool // there is one
}

// pageSize is how many projects are read at a time.
const pageSize = 100

// uses returns every source of every project in a scope that is at a provider,
// by project. Sources whose location is none of their provider's, or whose own
// credential cannot be found, are left out: their builds say so.
func (c *Checker) uses(ctx context.Context, scope arn.Scope) ([]use, error) {
	type question struct {
		server         api.ServerType
		location, auth string
		insecure       bool
	}
	asked := map[question]use{} // many projects have the same repository
	var all []use
	err := c.eachProject(ctx, scope, func(p project.Project) error {
		for _, s := range sourcesOf(p) {
			n := needOf(p, s)
			q := question{n.Server, n.Location, named(n.Auth) + "/" + named(n.Primary), n.Insecure}
			u, known := asked[q]
			if !known {
				var err error
				if u, err = c.use(ctx, n); err != nil {
					return err
				}
				asked[q] = u
			}
			if u.repository.Name != "" {
				u.project, u.source, u.need = &p.Public, s, n
				all = append(all, u)
			}
		}
		return nil
	})
	return all, err
}

// named returns what a source names as its credential, as one word.
func named(a *api.SourceAuth) string {
	if a == nil {
		return ""
	}
	return string(a.Type) + " " + text(a.Resource)
}

// use finds the credential that serves a need; the use has no repository if
// that cannot be told.
func (c *Checker) use(ctx context.Context, n keyring.Need) (use, error) {
	r, err := c.options.Endpoints.Repository(n.Server, n.Location)
	if err != nil {
		return use{}, nil //nolint:nilerr // a project's mistake, not ours
	}
	rungs, by, served, err := c.parts.Keys.Ladder(ctx, n)
	if k := fault.KindOf(err); err != nil && (k == fault.Invalid || k == fault.NotFound) {
		return use{}, nil
	}
	return use{repository: r, rungs: rungs, by: by, served: served}, err
}

func (c *Checker) eachProject(ctx context.Context, scope arn.Scope, each func(project.Project) error) error {
	for after := ""; ; {
		names, next, err := c.parts.Projects.List(ctx, scope, api.ProjectSortByTypeName, false, after, pageSize)
		if err != nil {
			return err
		}
		page, err := c.parts.Projects.GetMany(ctx, scope, names)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := each(p); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// usesOf returns the uses that a credential serves, one for each repository.
func (c *Checker) usesOf(ctx context.Context, a credential.About) ([]use, error) {
	all, err := c.uses(ctx, a.Scope)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(u use) bool {
		key := strings.ToLower(u.repository.CloneURL())
		if !u.served || u.by.ARN != a.ARN || seen[key] {
			return true
		}
		seen[key] = true
		return false
	}), nil
}

// UsedBy returns the names of the projects that each credential of a scope
// serves, by ARN.
func (c *Checker) UsedBy(ctx context.Context, scope arn.Scope) (map[string][]string, error) {
	all, err := c.uses(ctx, scope)
	if err != nil {
		return nil, err
	}
	by := map[string][]string{}
	for _, u := range all {
		if name := text(u.project.Name); u.served && !slices.Contains(by[u.by.ARN], name) {
			by[u.by.ARN] = append(by[u.by.ARN], name)
		}
	}
	return by, nil
}

// sourcesOf returns the sources of a project that are at a provider.
func sourcesOf(p project.Project) []api.ProjectSource {
	var all []api.ProjectSource
	if p.Public.Source != nil {
		all = append(all, *p.Public.Source)
	}
	all = append(all, p.Public.SecondarySources...)
	return slices.DeleteFunc(all, func(s api.ProjectSource) bool {
		_, at := madeFor[api.ServerType(s.Type)]
		return !at
	})
}

// needOf is what a source of a project wants a login for.
func needOf(p project.Project, s api.ProjectSource) keyring.Need {
	var primary *api.SourceAuth
	if p.Public.Source != nil && p.Public.Source.Type == api.SourceTypeNoSource {
		primary = p.Public.Source.Auth // it names a credential for all
	}
	return keyring.Need{
		Scope: p.Scope, Server: api.ServerType(s.Type), Location: text(s.Location), Auth: s.Auth, Primary: primary,
		Insecure: s.InsecureSSL != nil && *s.InsecureSSL,
		Purpose:  slipway.CredentialPurposeCheck, Project: text(p.Public.Name),
	}
}
