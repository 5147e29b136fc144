package checkup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// maxBranches is how many branches are listed.
const maxBranches = 1000

// Branches lists the branches of the repository at a URL as git sees them, the
// default one first and at most a thousand; by name. They are read with the
// credential that is given by name or ARN, or with the one that would serve the
// repository's builds, or as by everyone if there is none. Without a server type
// it is the credential's, or told from the URL's host. A token for a self-hosted
// server goes to no host that somebody just names: see Check. What the provider
// refuses is a fault of kind Provider.
func (c *Checker) Branches(ctx context.Context, scope arn.Scope, in *slipway.ListBranchesInput) (byDefault string, all []slipway.Branch, err error) {
	at, err := c.reading(ctx, scope, in)
	if err != nil {
		return "", nil, err
	}
	reader, ok := c.parts.Providers[at.repository.Server].(source.BranchReader)
	if !ok {
		return "", nil, fault.New(fault.Invalid, "The branches of sources of type %s cannot be listed.", at.repository.Server)
	}
	byDefault, commits, err := reader.Branches(ctx, *at.repository, at.login)
	if refusal, is := errors.AsType[*source.Refusal](err); is {
		return "", nil, fault.New(fault.Provider, "%s", refusal.Error())
	}
	if err != nil {
		return "", nil, err
	}
	names := slices.Sorted(maps.Keys(commits))
	if byDefault != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name == byDefault })
		names = slices.Insert(names, 0, byDefault)
	}
	for _, name := range names[:min(len(names), maxBranches)] {
		all = append(all, slipway.Branch{Name: name, CommitID: commits[name]})
	}
	return byDefault, all, nil
}

// reading returns the repository to be read, and with which login.
func (c *Checker) reading(ctx context.Context, scope arn.Scope, in *slipway.ListBranchesInput) (place, error) {
	ask := &slipway.ExplainCredentialInput{RepositoryURL: in.RepositoryURL, ServerType: in.ServerType}
	if in.Credential != "" {
		a, err := c.parts.Keys.Pick(ctx, scope, in.Credential)
		if err != nil {
			return place{}, err
		}
		if in.ServerType != "" && api.ServerType(in.ServerType) != a.ServerType {
			return place{}, fault.New(fault.Invalid, "The source credential %s is for %s and not for %s.", a.Title(), a.ServerType, in.ServerType)
		}
		return c.readingBy(ctx, a, in.RepositoryURL)
	}
	n, err := c.question(ctx, scope, ask)
	if err != nil {
		return place{}, err
	}
	_, by, served, err := c.parts.Keys.Ladder(ctx, n)
	if err != nil {
		return place{}, err
	}
	if served {
		return c.readingBy(ctx, by, in.RepositoryURL)
	}
	found, err := c.parts.Keys.Find(ctx, n) // says why, if there is one that must not be used
	return place{site: found.Repository.Site, repository: &found.Repository, login: found.Login}, err
}

func (c *Checker) readingBy(ctx context.Context, a credential.About, repositoryURL string) (place, error) {
	l, holder, err := c.parts.Keys.Login(ctx, a)
	if err != nil {
		return place{}, err
	}
	if m, wrong := mistakeOf(a, l); wrong {
		return place{}, fault.New(fault.Provider, "%s %s", m.message, m.nextStep)
	}
	all, unknown, err := c.places(ctx, a, holder, l, repositoryURL)
	if err != nil {
		return place{}, err
	}
	if unknown != nil {
		return place{}, fault.New(fault.Invalid, "%s", strings.TrimSpace(unknown.Message+" "+unknown.NextStep))
	}
	return all[0], nil
}
