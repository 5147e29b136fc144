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
	ServerType   api.ServerType     `json:"serverType"`
	Location     string             `json:"location"`     // of the repository, as the source says it
	Commit       string             `json:"commit"`       // the whole id
	Ref          string             `json:"ref,omitzero"` // the branch that was built, as a full ref, if known
	State        string             `json:"state"`        // pending, success, failure, error or stopped: a source.State
	Context      string             `json:"context"`      // what the status is about; the key that later ones replace
	Description  string             `json:"description"`  // at most 140 characters
	TargetURL    string             `json:"targetUrl,omitzero"`
	AuthType     api.SourceAuthType `json:"authType,omitzero"` // what the source names as its credential
	AuthResource string             `json:"authResource,omitzero"`
	Insecure     bool               `json:"insecure,omitzero"` // the source's insecureSsl
}

// Auth returns what the source names as its credential, or nil.
func (s CommitStatus) Auth() *api.SourceAuth {
	if s.AuthType == "" {
		return nil
	}
	return &api.SourceAuth{Type: s.AuthType, Resource: &s.AuthResource}
}

// maxDescription is GitHub's limit.
const maxDescription = 140

// outcomes says how a provider hears of a build's status.
var outcomes = map[api.StatusType]struct{ state, words string }{
	api.StatusTypeInProgress: {"pending", "Build started for project "},
	api.StatusTypeSucceeded:  {"success", "Build succeeded for project "},
	api.StatusTypeFailed:     {"failure", "Build failed for project "},
	api.StatusTypeTimedOut:   {"failure", "Build timed out for project "},
	api.StatusTypeFault:      {"error", "Build faulted for project "},
	api.StatusTypeStopped:    {"stopped", "Build stopped for project "},
}

// CommitStatus returns the status owed for the build as it is now. ok is false
// if none is: nobody asks for it, the source's provider takes none, or the
// commit is not known. It leads to where the source says, or else to the build
// in the console at consoleURL; with "" it leads nowhere.
func (b Build) CommitStatus(consoleURL string) (s CommitStatus, ok bool) {
	if !b.reportsStatus() || text(b.Public.ResolvedSourceVersion) == "" {
		return CommitStatus{}, false
	}
	source := b.Public.Source
	switch source.Type {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise, api.SourceTypeBitbucket, api.SourceTypeGitlab, api.SourceTypeGitlabSelfManaged:
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
		Ref:         branchRef(b.State.SourceVersion),
		State:       outcome.state,
		Context:     "AWS CodeBuild " + b.Scope.Region + " (" + project + ")",
		Description: event.Cut(outcome.words+project, maxDescription),
		TargetURL:   b.page(consoleURL),
		Insecure:    source.InsecureSSL != nil && *source.InsecureSSL,
	}
	// A fork's branch is none of the repository that is told, unless the fork is.
	if t := b.State.Webhook; t != nil && s.Ref == "" && strings.HasPrefix(t.HeadRef, "refs/heads/") && (!t.Fork || source.Type == api.SourceTypeBitbucket) {
		s.Ref = t.HeadRef
	}
	if a := source.Auth; a != nil {
		s.AuthType, s.AuthResource = a.Type, text(a.Resource)
	}
	if c := source.BuildStatusConfig; c != nil {
		if text(c.Context) != "" {
			s.Context = b.expand(*c.Context, consoleURL)
		}
		if text(c.TargetURL) != "" {
			s.TargetURL = b.expand(*c.TargetURL, consoleURL)
		}
	}
	return s, true
}

// reportsStatus reports whether statuses are owed for the build at all: always
// for what a webhook started, but its retries and all others only if the source
// asks for it.
func (b Build) reportsStatus() bool {
	source := b.Public.Source
	if source == nil {
		return false
	}
	if t := b.State.Webhook; t != nil && !t.Retried {
		return true
	}
	return source.ReportBuildStatus != nil && *source.ReportBuildStatus
}

var (
	commitID    = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)
	pullRequest = regexp.MustCompile(`^(pr|mr|pull|merge-requests)/[0-9]+`)
	oddInRef    = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{`)
)

// branchRef returns the branch that a source version names, as a full ref; ""
// if it names something else. A name without "refs/" may be that of a tag, too,
// which nothing here can know: providers show the status on its commit then.
func branchRef(version string) string {
	name, full := strings.CutPrefix(version, "refs/heads/")
	switch {
	case name == "" || oddInRef.MatchString(name):
		return ""
	case !full && (strings.HasPrefix(name, "refs/") || commitID.MatchString(name) || pullRequest.MatchString(name)):
		return ""
	}
	return "refs/heads/" + name
}

var reference = regexp.MustCompile(`\$(?:\{(?:CODEBUILD|AWS)_\w+\}|(?:CODEBUILD|AWS)_\w+)`)

// expand replaces $NAME and ${NAME} of the service's variables in s; one that
// this build does not have, such as $CODEBUILD_WEBHOOK_TRIGGER of a build that
// no webhook started, becomes empty. The user's own variables stay as they are
// written, since their values may be secrets.
func (b Build) expand(s, consoleURL string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	values := map[string]string{"CODEBUILD_RESOLVED_SOURCE_VERSION": text(b.Public.ResolvedSourceVersion)}
	for _, v := range b.ServiceVariables(consoleURL) {
		values[v.Name] = v.Value
	}
	return reference.ReplaceAllStringFunc(s, func(ref string) string {
		return values[strings.Trim(ref, "${}")]
	})
}
