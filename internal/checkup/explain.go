package checkup

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/source"
)

// Explain tells which credential serves a repository, given by URL or as a
// project's, and why: all that could, in the order in which they are asked.
// Without a server type it is taken from the URL's host; Invalid if that does
// not tell it.
func (c *Checker) Explain(ctx context.Context, scope arn.Scope, in *slipway.ExplainCredentialInput) (*slipway.ExplainCredentialOutput, error) {
	n, err := c.question(ctx, scope, in)
	if err != nil {
		return nil, err
	}
	r, err := c.options.Endpoints.Repository(n.Server, n.Location)
	if err != nil {
		return nil, err
	}
	rungs, by, served, err := c.parts.Keys.Ladder(ctx, n)
	if err != nil {
		return nil, err
	}
	out := &slipway.ExplainCredentialOutput{ServerType: slipway.ServerType(n.Server), RepositoryURL: strings.TrimSuffix(r.CloneURL(), ".git"), Host: hostOf(r.WebBase), Rungs: rungs}
	if !served {
		out.Message = "No credential serves this repository: it is fetched anonymously, which works for public ones only. Import one with " +
			importCommand(credential.About{ServerType: n.Server}) + "."
		return out, nil
	}
	out.ARN = by.ARN
	out.Message = "This repository is served by " + title(by) + "."
	return out, nil
}

func (c *Checker) question(ctx context.Context, scope arn.Scope, in *slipway.ExplainCredentialInput) (keyring.Need, error) {
	switch {
	case in.ProjectName != "" && in.RepositoryURL != "":
		return keyring.Need{}, fault.New(fault.Invalid, "Give a repositoryUrl or a projectName, not both.")
	case in.ProjectName != "":
		p, err := c.parts.Projects.Get(ctx, scope, in.ProjectName)
		if err != nil {
			return keyring.Need{}, err
		}
		sources := sourcesOf(p)
		if len(sources) == 0 {
			return keyring.Need{}, fault.New(fault.Invalid, "Project %s has no source at a source provider, so it needs no credential.", in.ProjectName)
		}
		return needOf(p, sources[0]), nil
	case in.RepositoryURL == "":
		return keyring.Need{}, fault.New(fault.Invalid, "Give a repositoryUrl, such as https://github.com/owner/repository, or a projectName.")
	}
	server := api.ServerType(in.ServerType)
	if server == "" {
		var err error
		if server, err = c.serverOf(ctx, scope, in.RepositoryURL); err != nil {
			return keyring.Need{}, err
		}
	}
	if _, known := madeFor[server]; !known {
		return keyring.Need{}, fault.New(fault.Invalid, "Invalid ServerType provided")
	}
	return keyring.Need{Scope: scope, Server: server, Location: in.RepositoryURL, Purpose: slipway.CredentialPurposeCheck}, nil
}

// public is where everybody knows a provider to be.
var public = map[string]api.ServerType{
	"github.com": api.ServerTypeGithub, "bitbucket.org": api.ServerTypeBitbucket, "gitlab.com": api.ServerTypeGitlab,
}

// serverOf finds what kind of provider is at a URL: by its name, by what its
// type's traffic is sent to, by the hosts of credentials, or by projects.
func (c *Checker) serverOf(ctx context.Context, scope arn.Scope, location string) (api.ServerType, error) {
	host, ok := hostIn(location)
	if !ok { // not repeated: it may be a token, given by mistake
		return "", fault.New(fault.Invalid, "A repositoryUrl must be the URL of a repository, such as https://github.com/owner/repository.")
	}
	if t, ok := public[strings.TrimPrefix(host, "www.")]; ok {
		return t, nil
	}
	for t, base := range c.options.Endpoints {
		if strings.EqualFold(hostOf(base), host) {
			return t, nil
		}
	}
	all, err := c.parts.Keys.List(ctx, scope)
	if err != nil {
		return "", err
	}
	for _, a := range all {
		for _, h := range a.Hosts {
			if strings.EqualFold(hostOf(webBase(h)), host) {
				return a.ServerType, nil
			}
		}
	}
	uses, err := c.uses(ctx, scope)
	if err != nil {
		return "", err
	}
	for _, u := range uses {
		if strings.EqualFold(hostOf(u.repository.WebBase), host) {
			return api.ServerType(u.source.Type), nil
		}
	}
	return "", fault.New(fault.Invalid, "Which kind of source provider is at %s is not known: give the server type, GITHUB_ENTERPRISE or GITLAB_SELF_MANAGED.", host)
}

// hostIn returns the host, with its port, of a repository's location in any form.
func hostIn(location string) (host string, ok bool) {
	if !strings.Contains(location, "://") { // git@host:owner/name
		at, _, found := strings.Cut(location, ":")
		if !found {
			return "", false
		}
		location = "ssh://" + at
	}
	u, err := url.Parse(location)
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	return strings.ToLower(u.Host), true
}

// Repositories lists what a credential reaches, by pages: see source.Lister.
// Without a host it is the credential's first, or that of the first project
// that uses it, to which it is bound by that. What the provider refuses is a
// fault of kind Provider.
func (c *Checker) Repositories(ctx context.Context, a credential.About, host, search, after string) (page []slipway.Repository, next string, warnings []string, err error) {
	l, holder, err := c.parts.Keys.Login(ctx, a)
	if err != nil {
		return nil, "", nil, err
	}
	if m, wrong := mistakeOf(a, l); wrong {
		return nil, "", nil, fault.New(fault.Provider, "%s %s", m.message, m.nextStep)
	}
	lister, ok := c.parts.Providers[a.ServerType].(source.Lister)
	if !ok {
		return nil, "", nil, fault.New(fault.Invalid, "The repositories of type %s cannot be listed.", a.ServerType)
	}
	at, l, err := c.listing(ctx, a, holder, host, l)
	if err != nil {
		return nil, "", nil, err
	}
	if at.WebBase == "" {
		h := homeless(a)
		return nil, "", nil, fault.New(fault.Invalid, "%s %s", h.Message, h.NextStep)
	}
	page, next, warnings, err = lister.Repositories(ctx, at, search, after, l)
	if refusal, is := errors.AsType[*source.Refusal](err); is {
		message := refusal.Error()
		if refusal.Cause == slipway.FailureCauseUnreachable && selfHosted(a.ServerType) && strings.HasPrefix(at.WebBase, "https://") {
			message += " It was asked at " + at.WebBase + "; if it speaks HTTP only, make a project with the http:// URL of one of its repositories first."
		}
		return nil, "", nil, fault.New(fault.Provider, "%s", message)
	}
	for i := range page {
		page[i].CloneURL = c.options.Endpoints.Location(a.ServerType, page[i].CloneURL)
	}
	return page, next, warnings, err
}

// listing returns at which site, and with which login, repositories are listed;
// no site if there is none. Of a host with a port only the location of a project
// tells whether it speaks HTTP or HTTPS.
func (c *Checker) listing(ctx context.Context, a, holder credential.About, host string, l source.Login) (source.Site, source.Login, error) {
	site, ok := c.site(holder, host)
	_, moved := c.options.Endpoints[a.ServerType]
	if moved || !selfHosted(a.ServerType) || !ok && host != "" || ok && !strings.Contains(hostOf(site.WebBase), ":") {
		return site, l, nil
	}
	uses, err := c.usesOf(ctx, a)
	if err != nil {
		return source.Site{}, l, err
	}
	for _, u := range uses {
		if ok && !strings.EqualFold(hostOf(u.repository.WebBase), hostOf(site.WebBase)) {
			continue
		}
		found, err := c.parts.Keys.Find(ctx, u.need) // binds the token there if it is bound nowhere
		if err != nil {
			return source.Site{}, l, err
		}
		if _, below, _ := strings.Cut(found.Repository.WebBase, "://"); !ok || strings.HasSuffix(site.WebBase, "://"+below) {
			return found.Repository.Site, found.Login, nil
		}
	}
	return site, l, nil
}
