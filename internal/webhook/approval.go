package webhook

import (
	"regexp"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/webhook/event"
)

// ApprovalRequired is what a withheld pull request's commit status says, in
// CodeBuild's words.
const ApprovalRequired = "Pull request approval required for starting a build"

// Approval returns which pull requests of w build only after a comment. A
// webhook without a policy is one from before there were policies: none do.
func Approval(w *api.Webhook) api.PullRequestBuildCommentApproval {
	if w.PullRequestBuildPolicy == nil || w.PullRequestBuildPolicy.RequiresCommentApproval == "" {
		return api.PullRequestBuildCommentApprovalDisabled
	}
	return w.PullRequestBuildPolicy.RequiresCommentApproval
}

// NeedsApproval reports whether a build for e must be approved unless those
// whose doing it is have the role of an approver.
func NeedsApproval(w *api.Webhook, e event.Event) bool {
	if e.PullRequest == nil || !e.Type.IsPullRequest() {
		return false
	}
	switch Approval(w) {
	case api.PullRequestBuildCommentApprovalDisabled:
		return false
	case api.PullRequestBuildCommentApprovalForkPullRequests:
		return e.PullRequest.Fork
	}
	return true // also for a word that we do not know
}

// An Author is somebody who must have the role of an approver for a build to
// start by itself.
type Author struct {
	ID   string
	Name string // the name that the provider's permission API takes
}

// Authors returns whose doing e is. The author of the pull request wrote what
// would be built, and so may have whoever pushed to it or opened it again: both
// count. A merge is its merger's doing alone, since it is the base that changed.
func Authors(e event.Event) []Author {
	if e.PullRequest == nil {
		return nil
	}
	author, actor := Author{e.PullRequest.AuthorID, e.PullRequest.AuthorName}, Author{e.ActorID, e.ActorName}
	switch {
	case e.Type == event.PullRequestMerged:
		return []Author{actor}
	case author.ID == actor.ID && author.ID != "":
		return []Author{author}
	}
	return []Author{author, actor}
}

// approvers are the roles that approve if a policy lists none.
var approvers = map[api.ServerType][]api.PullRequestBuildApproverRole{
	api.ServerTypeGithub:            gitHubApprovers,
	api.ServerTypeGithubEnterprise:  gitHubApprovers,
	api.ServerTypeGitlab:            gitLabApprovers,
	api.ServerTypeGitlabSelfManaged: gitLabApprovers,
	api.ServerTypeBitbucket:         {api.PullRequestBuildApproverRoleBitbucketAdmin, api.PullRequestBuildApproverRoleBitbucketWrite},
}

var (
	gitHubApprovers = []api.PullRequestBuildApproverRole{
		api.PullRequestBuildApproverRoleGithubAdmin, api.PullRequestBuildApproverRoleGithubMaintain, api.PullRequestBuildApproverRoleGithubWrite,
	}
	gitLabApprovers = []api.PullRequestBuildApproverRole{
		api.PullRequestBuildApproverRoleGitlabOwner, api.PullRequestBuildApproverRoleGitlabMaintainer, api.PullRequestBuildApproverRoleGitlabDeveloper,
	}
)

// Approvers returns the roles that approve builds of w: those that its policy
// lists, or CodeBuild's defaults for the provider. A role approves only if it is
// among them; a higher one does not stand in for it.
func Approvers(server api.ServerType, w *api.Webhook) []api.PullRequestBuildApproverRole {
	if w.PullRequestBuildPolicy != nil && len(w.PullRequestBuildPolicy.ApproverRoles) > 0 {
		return w.PullRequestBuildPolicy.ApproverRoles
	}
	return slices.Clone(approvers[server])
}

var command = regexp.MustCompile(`(?m)^[ \t]*/codebuild_run\(([^()\r\n]*)\)[ \t]*\r?$`)

// Approved returns the commit that a comment approves: the whole id between the
// parentheses of "/codebuild_run(…)", which must stand alone on a line. asked is
// false if the comment asks for nothing; commit is "" if what stands there is no
// whole id.
func Approved(comment string) (commit string, asked bool) {
	found := command.FindStringSubmatch(comment)
	if found == nil {
		return "", false
	}
	commit = strings.ToLower(strings.TrimSpace(found[1]))
	if !WholeID(commit) {
		return "", true
	}
	return commit, true
}

var wholeID = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// WholeID reports whether text is the whole id of a git commit, in lower case.
func WholeID(text string) bool { return wholeID.MatchString(text) }
