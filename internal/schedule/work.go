package schedule

import (
	"cmp"
	"net/url"
	"strings"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/source"
)

// maxDepth is the deepest clone that is not a full one: CodeBuild takes
// anything above for that.
const maxDepth = 25

// workOf returns what the agent of b needs. A source that cannot be fetched
// from where it is said to be is a fault of kind Invalid.
func (s *Scheduler) workOf(b build.Build) (*agentapi.Work, error) {
	p := &b.Public
	w := &agentapi.Work{
		BuildID: *p.ID, BuildARN: text(p.ARN), ProjectName: text(p.ProjectName), Region: b.Scope.Region,
		Service: variables(b.ServiceVariables(cmp.Or(s.options.ConsoleURL, s.options.LocalURL))),
		// A build's record has no type of artifacts: only its settings do.
		Artifacts: agentapi.Artifact{Type: api.ArtifactsTypeNoArtifacts},
		Deadline:  b.State.Deadline,
	}
	if a := b.State.Artifacts; a != nil {
		w.Artifacts = artifact(a)
		w.Artifacts.Identifier = ""
	}
	for i := range b.State.SecondaryArtifacts {
		w.SecondaryArtifacts = append(w.SecondaryArtifacts, artifact(&b.State.SecondaryArtifacts[i]))
	}
	if p.Cache != nil {
		w.CacheType, w.CacheModes = p.Cache.Type, p.Cache.Modes
	}
	if p.Environment != nil {
		w.Variables = variables(p.Environment.EnvironmentVariables)
		w.Certificate = text(p.Environment.Certificate)
	}
	w.Source.Type = api.SourceTypeNoSource
	if p.Source != nil {
		var err error
		if w.Source, err = fetch(s.options.Endpoints, *p.Source, pinned(b.State.SourceVersion, b.State.Commit)); err != nil {
			return nil, err
		}
		w.Source.Identifier = "" // the primary source is the one without
		w.Buildspec = text(p.Source.Buildspec)
	}
	if l := b.State.Local; l != nil {
		w.Source.Directory, w.Source.Exclude, w.Phases, w.Terminal = l.Directory, l.Exclude, l.Phases, l.Terminal
		for _, s := range l.Secondary {
			w.SecondarySources = append(w.SecondarySources, agentapi.Source{Type: api.SourceTypeNoSource, Identifier: s.Identifier, Directory: s.Directory, Exclude: l.Exclude})
		}
	}
	versions := map[string]string{}
	for _, v := range p.SecondarySourceVersions {
		versions[v.SourceIdentifier] = v.SourceVersion
	}
	for _, secondary := range p.SecondarySources {
		f, err := fetch(s.options.Endpoints, secondary, versions[text(secondary.SourceIdentifier)])
		if err != nil {
			return nil, err
		}
		w.SecondarySources = append(w.SecondarySources, f)
	}
	return w, nil
}

func artifact(a *api.ProjectArtifacts) agentapi.Artifact {
	return agentapi.Artifact{Type: a.Type, Identifier: text(a.ArtifactIdentifier), Zip: a.Packaging == api.ArtifactPackagingZip}
}

// pinned returns a version that is good only if it is a certain commit; "" lets
// it be any.
func pinned(version, commit string) string {
	if commit == "" || version == commit || strings.Contains(version, "^{") {
		return version
	}
	if version == "" {
		return commit
	}
	return version + "^{" + commit + "}"
}

// fetch says how to fetch one source at a version. Types that are not git's
// have no URL: what to do with them is the agent's to know.
func fetch(endpoints source.Endpoints, in api.ProjectSource, version string) (agentapi.Source, error) {
	out := agentapi.Source{
		Type: in.Type, Identifier: text(in.SourceIdentifier), Location: withoutLogin(text(in.Location)), Version: version,
		// Whoever may edit a project must not be able to have its token sent
		// in sight of others, unless it is to a server with a name of its own.
		Insecure: in.Type == api.SourceTypeGithubEnterprise && in.InsecureSSL != nil && *in.InsecureSSL,
	}
	if in.GitCloneDepth != nil && *in.GitCloneDepth <= maxDepth {
		out.Depth = max(0, *in.GitCloneDepth)
	}
	if in.GitSubmodulesConfig != nil {
		out.Submodules = in.GitSubmodulesConfig.FetchSubmodules
	}
	server, ok := serverOf(in.Type)
	if in.Type == api.SourceTypeCodecommit {
		server, ok = source.CodeCommit, true
	}
	if !ok {
		return out, nil
	}
	var err error
	out.URL, err = endpoints.CloneURL(server, text(in.Location))
	return out, err
}

// serverOf returns the server type whose credential opens sources of type t.
func serverOf(t api.SourceType) (api.ServerType, bool) {
	switch t {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise, api.SourceTypeBitbucket, api.SourceTypeGitlab, api.SourceTypeGitlabSelfManaged:
		return api.ServerType(t), true
	}
	return "", false
}

func variables(in []api.EnvironmentVariable) []agentapi.Variable {
	var out []agentapi.Variable
	for _, v := range in {
		out = append(out, agentapi.Variable{Name: v.Name, Value: v.Value, Type: v.Type})
	}
	return out
}

// withoutLogin returns a location as it may be shown.
func withoutLogin(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.User == nil {
		return location
	}
	u.User = nil
	return u.String()
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
