package registrar

import (
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// anyRepository is the location of a project whose webhook is an organization's,
// enterprise's or group's.
const anyRepository = "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"

// A spot is where a hook is set at a provider, and who may be the one to set it.
type spot struct {
	scope    arn.Scope
	server   api.ServerType
	place    string          // as webhook.Hook has it
	location string          // that a credential is found for
	auth     *api.SourceAuth // that the project's source names; may be nil
	insecure bool            // the source's insecureSsl
	target   source.Target
	domain   string // of a self-hosted provider, if the target has a scope
}

// name is what the lock of a spot is called.
func (s spot) name() string {
	return strings.Join([]string{s.scope.Account, s.scope.Region, string(s.server), s.place}, "\x00")
}

// providers are the types of sources that have webhooks.
var providers = map[api.SourceType]api.ServerType{
	api.SourceTypeGithub:            api.ServerTypeGithub,
	api.SourceTypeGithubEnterprise:  api.ServerTypeGithubEnterprise,
	api.SourceTypeBitbucket:         api.ServerTypeBitbucket,
	api.SourceTypeGitlab:            api.ServerTypeGitlab,
	api.SourceTypeGitlabSelfManaged: api.ServerTypeGitlabSelfManaged,
}

// spotOf returns where the webhook of a project is set.
func (r *Registrar) spotOf(p project.Project, of *api.ScopeConfiguration) (spot, error) {
	if p.Public.Source == nil {
		return spot{}, fault.New(fault.Invalid, "Project source is required")
	}
	src := *p.Public.Source
	server, ok := providers[src.Type]
	if !ok {
		return spot{}, fault.New(fault.Invalid, "Webhooks are for projects whose primary source is of type GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB or GITLAB_SELF_MANAGED. "+
			"The source of project %s is of type %s.", *p.Public.Name, src.Type)
	}
	var location string
	if src.Location != nil {
		location = *src.Location
	}
	if location == anyRepository && of == nil {
		return spot{}, fault.New(fault.Invalid, "The source location of project %s is %s, which stands for every repository of an organization, enterprise or group. "+
			"Name it with scopeConfiguration, or give the project the location of a repository.", *p.Public.Name, anyRepository)
	}
	if location != anyRepository && of != nil {
		return spot{}, fault.New(fault.Invalid, "A webhook with a scopeConfiguration is for every repository there is, so the project's source location must be %s", anyRepository)
	}
	record := webhook.HookRecord{Location: location}
	if of != nil {
		record = webhook.HookRecord{Scope: of.Scope, ScopeName: of.Name}
		if of.Domain != nil {
			record.Domain = *of.Domain
		}
	}
	s, err := r.spot(p.Scope, server, record, src.Auth)
	s.insecure = insecure([]project.Project{p})
	return s, err
}

// spot returns where the hook with such a record is set.
func (r *Registrar) spot(scope arn.Scope, server api.ServerType, record webhook.HookRecord, auth *api.SourceAuth) (spot, error) {
	s := spot{scope: scope, server: server, location: record.Location, auth: auth, domain: record.Domain}
	if record.Scope != "" {
		var err error
		if s.location, err = r.wide(server, record); err != nil {
			return s, err
		}
	}
	repository, err := r.options.Endpoints.Repository(server, s.location)
	if err != nil {
		return s, err
	}
	at, err := url.Parse(repository.WebBase)
	if err != nil {
		return s, err
	}
	s.target = source.Target{Repository: repository}
	s.place = strings.ToLower(at.Host + "/" + repository.FullName())
	if record.Scope != "" {
		s.target = source.Target{Repository: source.Repository{Site: repository.Site}, Scope: record.Scope, ScopeName: record.ScopeName}
		s.place = strings.ToLower(at.Host) + "/" + string(record.Scope) + "/" + strings.ToLower(record.ScopeName)
	}
	return s, nil
}

// scopes are which server types have which kinds of wide webhooks.
var scopes = map[api.WebhookScopeType][]api.ServerType{
	api.WebhookScopeTypeGithubOrganization: {api.ServerTypeGithub, api.ServerTypeGithubEnterprise},
	api.WebhookScopeTypeGithubGlobal:       {api.ServerTypeGithub, api.ServerTypeGithubEnterprise},
	api.WebhookScopeTypeGitlabGroup:        {api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged},
}

// wide returns the location that stands for everything of an organization,
// enterprise or group when a credential is looked for: it is owned by that.
func (r *Registrar) wide(server api.ServerType, of webhook.HookRecord) (string, error) {
	fits := false
	for _, t := range scopes[of.Scope] {
		fits = fits || t == server
	}
	if !fits {
		return "", fault.New(fault.Invalid, "Invalid scopeConfiguration: a webhook of scope %s cannot be made at a source of type %s", of.Scope, server)
	}
	elements := strings.Split(of.ScopeName, "/")
	for _, e := range elements {
		if e == "" || strings.Trim(e, ".") == "" || strings.ContainsAny(e, " ?#%\\") || len(elements) > 1 && of.Scope != api.WebhookScopeTypeGitlabGroup {
			return "", fault.New(fault.Invalid, "Invalid scopeConfiguration: name must be that of the organization, enterprise or group, as it stands in its address")
		}
	}
	var base string
	switch server {
	case api.ServerTypeGithub, api.ServerTypeGitlab:
		base = r.options.Endpoints.Site(server, "").WebBase
	default:
		if of.Domain == "" {
			return "", fault.New(fault.Invalid, "Invalid scopeConfiguration: domain is required for a source of type %s: it is the host of the server, such as git.example.com", server)
		}
		base = of.Domain
		if !strings.Contains(base, "://") {
			base = "https://" + base
		}
		if u, err := url.Parse(base); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return "", fault.New(fault.Invalid, "Invalid scopeConfiguration: domain must be the host of the server, such as git.example.com")
		}
	}
	return strings.TrimSuffix(base, "/") + "/" + of.ScopeName + "/" + elements[len(elements)-1], nil
}

// isSource reports whether a project's primary source is still what it was.
func isSource(p, was project.Project) bool {
	a, b := p.Public.Source, was.Public.Source
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && (a.Location == b.Location || a.Location != nil && b.Location != nil && *a.Location == *b.Location)
}
