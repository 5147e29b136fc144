package project

import (
	"slipway/internal/api"
	"slipway/internal/lazy"
)

// maxSecondary is how many secondary sources, their versions and secondary
// artifacts a project can have each.
const maxSecondary = 12

// source holds one source against the rules of its type. A secondary one
// (primary false) needs an identifier besides.
func (f *faults) source(at path, s *api.ProjectSource, primary bool) {
	if s == nil {
		f.add(at, "", "Project source is required")
		return
	}
	kind, known := sourceKinds[s.Type]
	if !known {
		f.add(at, "type", "Invalid type provided: Project source type")
		return
	}
	f.location(at, s, kind)
	f.identifier(at, s, primary)
	if s.ReportBuildStatus != nil && !kind.provider {
		f.add(at, "reportBuildStatus", "Source type %s does not support ReportBuildStatus", s.Type)
	}
	if s.GitSubmodulesConfig != nil && !kind.git {
		f.add(at, "gitSubmodulesConfig", "Git submodules config is not supported for %s source", kind.name)
	}
	if s.GitCloneDepth != nil && *s.GitCloneDepth < 0 {
		f.add(at, "gitCloneDepth", "Invalid input: gitCloneDepth must not be negative")
	}
	f.sourceAuth(at.field("auth"), s.Auth)
}

// A sourceKind is what a source type can do.
type sourceKind struct {
	name     string // in CodeBuild's sentences
	git      bool
	provider bool // takes commit statuses
}

var sourceKinds = map[api.SourceType]sourceKind{
	api.SourceTypeBitbucket:         {"Bitbucket", true, true},
	api.SourceTypeCodecommit:        {"CodeCommit", true, false},
	api.SourceTypeCodepipeline:      {"CodePipeline", false, false},
	api.SourceTypeGithub:            {"GitHub", true, true},
	api.SourceTypeGithubEnterprise:  {"GitHub Enterprise", true, true},
	api.SourceTypeGitlab:            {"GitLab", true, true},
	api.SourceTypeGitlabSelfManaged: {"GitLab Self Managed", true, true},
	api.SourceTypeNoSource:          {"NO_SOURCE", false, false},
	api.SourceTypeS3:                {"S3", false, false},
}

// The forms of what a source's own login can point at.
var (
	connection = lazy.Regexp(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$`)
	secretARN  = lazy.Regexp(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$`)
)

var identifier = lazy.Regexp(`^[A-Za-z0-9_]{1,127}$`)

func (f *faults) identifier(at path, s *api.ProjectSource, primary bool) {
	id := text(s.SourceIdentifier)
	switch {
	case id == "" && primary:
	case id == "":
		f.add(at, "sourceIdentifier", "Invalid input: sourceIdentifier is required for secondary sources")
	case !identifier().MatchString(id):
		f.add(at, "sourceIdentifier", "Invalid input: identifier must contain only alphanumeric characters and underscores and be less than 128 characters in length")
	}
}

// sourceAuth holds a source's own login against the form its type needs.
// Whether the connection or secret exists is not looked at. OAUTH means the
// account's own credential; its resource is unused.
func (f *faults) sourceAuth(at path, a *api.SourceAuth) {
	if a == nil {
		return
	}
	switch a.Type {
	case api.SourceAuthTypeCodeconnections:
		if !connection().MatchString(text(a.Resource)) {
			f.add(at, "resource", "Invalid input: source auth resource must be a valid CodeConnections arn")
		}
	case api.SourceAuthTypeSecretsManager:
		if !secretARN().MatchString(text(a.Resource)) {
			f.add(at, "resource", "Invalid input: source auth resource must be a valid Secrets Manager secret arn")
		}
	}
}

// secondarySources holds each secondary source against the rules of sources,
// and all of them against each other.
func (f *faults) secondarySources(all []api.ProjectSource) {
	const at path = "secondarySources"
	if len(all) > maxSecondary {
		f.add(at, "", "Invalid input: the maximum number of secondary sources is %d", maxSecondary)
		return
	}
	seen := map[string]bool{}
	for i := range all {
		f.source(at.element(i), &all[i], false)
		id := text(all[i].SourceIdentifier)
		if seen[id] && id != "" {
			f.add(at.element(i), "sourceIdentifier", duplicateIdentifier)
		}
		seen[id] = true
	}
}

// primaryIdentifier refuses a secondary source that is named like the
// primary one: builds tell them apart by identifier.
func (f *faults) primaryIdentifier(primary *api.ProjectSource, secondary []api.ProjectSource) {
	if primary == nil {
		return
	}
	id := text(primary.SourceIdentifier)
	for i := range secondary {
		if id != "" && text(secondary[i].SourceIdentifier) == id {
			f.add(path("secondarySources").element(i), "sourceIdentifier", duplicateIdentifier)
		}
	}
}

const duplicateIdentifier = "Invalid input: sourceIdentifier cannot be duplicated"

// secondarySourceVersions holds versions against the secondary sources they are
// for: each names one of them, none twice.
func (f *faults) secondarySourceVersions(versions []api.ProjectSourceVersion, sources []api.ProjectSource) {
	const at path = "secondarySourceVersions"
	if len(versions) > maxSecondary {
		f.add(at, "", "Invalid input: the maximum number of secondary source versions is %d", maxSecondary)
		return
	}
	open := map[string]bool{}
	for i := range sources {
		open[text(sources[i].SourceIdentifier)] = true
	}
	for i, v := range versions {
		switch left, known := open[v.SourceIdentifier]; {
		case !known:
			f.add(at.element(i), "sourceIdentifier", "Invalid input: secondary source identifier does not exist")
		case !left:
			f.add(at.element(i), "sourceIdentifier", duplicateIdentifier)
		default:
			open[v.SourceIdentifier] = false
		}
	}
}

// filledSource is s with the insecureSsl that CodeBuild answers for every
// primary source. Secondary ones stay as they were sent: members that appear
// there by themselves are endless differences to infrastructure tools.
func filledSource(s *api.ProjectSource) *api.ProjectSource {
	if s == nil || s.InsecureSSL != nil {
		return s
	}
	filled := *s
	filled.InsecureSSL = new(false)
	return &filled
}
