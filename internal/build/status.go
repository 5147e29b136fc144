package build

import (
	"regexp"
	"strings"

	"slipway/internal/api"
	"slipway/internal/build/event"
)

// A CommitStatus is what is owed to a source provider about a build. It is
// kept as JSON until the provider has taken it.
type CommitStatus struct {
	ServerType  api.ServerType `json:"serverType"`
	Location    string         `json:"location"`    // of the repository, as the source says it
	Commit      string         `json:"commit"`      // the whole id
	State       string         `json:"state"`       // pending, success, failure or error
	Context     string         `json:"context"`     // what the status is about; the key that later ones replace
	Description string         `json:"description"` // at most 140 characters
	TargetURL   string         `json:"targetUrl,omitzero"`
}

// maxDescription is GitHub's limit.
const maxDescription = 140

// outcomes says how GitHub hears of a build's status.
var outcomes = map[api.StatusType]struct{ state, words string }{
	api.StatusTypeInProgress: {"pending", "Build started for project "},
	api.StatusTypeSucceeded:  {"success", "Build succeeded for project "},
	api.StatusTypeFailed:     {"failure", "Build failed for project "},
	api.StatusTypeTimedOut:   {"failure", "Build timed out for project "},
	api.StatusTypeFault:      {"error", "Build faulted for project "},
	api.StatusTypeStopped:    {"error", "Build stopped for project "},
}

// CommitStatus returns the status owed for the build as it is now. ok is false
// if none is: the source does not ask for it, its provider takes none, or the
// commit is not known.
func (b Build) CommitStatus() (s CommitStatus, ok bool) {
	source := b.Public.Source
	if source == nil || !b.reportsStatus() || text(b.Public.ResolvedSourceVersion) == "" {
		return CommitStatus{}, false
	}
	switch source.Type {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise:
	default:
		return CommitStatus{}, false
	}
	outcome, known := outcomes[b.Public.BuildStatus]
	if !known {
		return CommitStatus{}, false
	}
	project := text(b.Public.ProjectName)
	s = CommitStatus{
		ServerType:  api.ServerType(source.Type),
		Location:    text(source.Location),
		Commit:      *b.Public.ResolvedSourceVersion,
		State:       outcome.state,
		Context:     "AWS CodeBuild " + b.Scope.Region + " (" + project + ")",
		Description: event.Cut(outcome.words+project, maxDescription),
	}
	if c := source.BuildStatusConfig; c != nil {
		if text(c.Context) != "" {
			s.Context = b.expand(*c.Context)
		}
		s.TargetURL = b.expand(text(c.TargetURL))
	}
	return s, true
}

// reportsStatus reports whether statuses are owed for the build at all: always
// for what a webhook started, but its retries and all others only if the source
// asks for it.
func (b Build) reportsStatus() bool {
	if t := b.State.Webhook; t != nil && !t.Retried {
		return true
	}
	source := b.Public.Source
	return source != nil && source.ReportBuildStatus != nil && *source.ReportBuildStatus
}

var reference = regexp.MustCompile(`\$(?:\{(?:CODEBUILD|AWS)_\w+\}|(?:CODEBUILD|AWS)_\w+)`)

// expand replaces $NAME and ${NAME} of the service's variables in s; one that
// this build does not have, such as $CODEBUILD_WEBHOOK_TRIGGER of a build that
// no webhook started, becomes empty. The user's own variables stay as they are
// written, since their values may be secrets.
func (b Build) expand(s string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	values := map[string]string{"CODEBUILD_RESOLVED_SOURCE_VERSION": text(b.Public.ResolvedSourceVersion)}
	for _, v := range b.ServiceVariables("") {
		values[v.Name] = v.Value
	}
	return reference.ReplaceAllStringFunc(s, func(ref string) string {
		return values[strings.Trim(ref, "${}")]
	})
}
