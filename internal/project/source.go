package project

import (
	"regexp"

	"slipway/internal/api"
)

// maxSecondary is how many secondary sources, their versions and secondary
// artifacts a project can have each.
const maxSecondary = 12

// CheckSource holds one source against the rules of its type. A secondary one
// (primary false) needs an identifier besides.
func CheckSource(s *api.ProjectSource, primary bool) error {
	if s == nil {
		return invalid("Project source is required")
	}
	kind, known := sourceKinds[s.Type]
	if !known {
		return invalid("Invalid type provided: Project source type")
	}
	if err := checkLocation(s, kind); err != nil {
		return err
	}
	if err := checkIdentifier(s, primary); err != nil {
		return err
	}
	switch {
	case s.ReportBuildStatus != nil && !kind.provider:
		return invalid("Source type %s does not support ReportBuildStatus", s.Type)
	case s.GitSubmodulesConfig != nil && !kind.git:
		return invalid("Git submodules config is not supported for %s source", kind.name)
	case s.GitCloneDepth != nil && *s.GitCloneDepth < 0:
		return invalid("Invalid input: gitCloneDepth must not be negative")
	}
	return CheckSourceAuth(s.Auth)
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
	connection = regexp.MustCompile(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$`)
	secretARN  = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$`)
)

var identifier = regexp.MustCompile(`^[A-Za-z0-9_]{1,127}$`)

func checkIdentifier(s *api.ProjectSource, primary bool) error {
	id := text(s.SourceIdentifier)
	switch {
	case id == "" && primary:
		return nil
	case id == "":
		return invalid("Invalid input: sourceIdentifier is required for secondary sources")
	case !identifier.MatchString(id):
		return invalid("Invalid input: identifier must contain only alphanumeric characters and underscores and be less than 128 characters in length")
	}
	return nil
}

// CheckSourceAuth holds a source's own login against the form its type needs.
// Whether the connection or secret exists is not looked at. nil is fine.
func CheckSourceAuth(a *api.SourceAuth) error {
	if a == nil {
		return nil
	}
	switch a.Type {
	case api.SourceAuthTypeCodeconnections:
		if !connection.MatchString(text(a.Resource)) {
			return invalid("Invalid input: source auth resource must be a valid CodeConnections arn")
		}
	case api.SourceAuthTypeSecretsManager:
		if !secretARN.MatchString(text(a.Resource)) {
			return invalid("Invalid input: source auth resource must be a valid Secrets Manager secret arn")
		}
	}
	return nil // OAUTH means the account's own credential; its resource is unused
}

// CheckSecondarySources holds each secondary source against CheckSource, and
// all of them against each other.
func CheckSecondarySources(all []api.ProjectSource) error {
	if len(all) > maxSecondary {
		return invalid("Invalid input: the maximum number of secondary sources is %d", maxSecondary)
	}
	seen := map[string]bool{}
	for i := range all {
		if err := CheckSource(&all[i], false); err != nil {
			return err
		}
		id := *all[i].SourceIdentifier
		if seen[id] {
			return errDuplicateIdentifier()
		}
		seen[id] = true
	}
	return nil
}

// checkPrimaryIdentifier refuses a secondary source that is named like the
// primary one: builds tell them apart by identifier.
func checkPrimaryIdentifier(primary *api.ProjectSource, secondary []api.ProjectSource) error {
	id := text(primary.SourceIdentifier)
	for i := range secondary {
		if id != "" && text(secondary[i].SourceIdentifier) == id {
			return errDuplicateIdentifier()
		}
	}
	return nil
}

func errDuplicateIdentifier() error {
	return invalid("Invalid input: sourceIdentifier cannot be duplicated")
}

// CheckSecondarySourceVersions holds versions against the secondary sources
// they are for: each names one of them, none twice.
func CheckSecondarySourceVersions(versions []api.ProjectSourceVersion, sources []api.ProjectSource) error {
	if len(versions) > maxSecondary {
		return invalid("Invalid input: the maximum number of secondary source versions is %d", maxSecondary)
	}
	open := map[string]bool{}
	for i := range sources {
		open[text(sources[i].SourceIdentifier)] = true
	}
	for _, v := range versions {
		again, known := open[v.SourceIdentifier]
		if !known {
			return invalid("Invalid input: secondary source identifier does not exist")
		}
		if !again {
			return errDuplicateIdentifier()
		}
		open[v.SourceIdentifier] = false
	}
	return nil
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
