// Package event is what source providers tell of their repositories, in one
// language for all of them: CodeBuild's. It holds data and nothing else, so
// that whoever reads deliveries and whoever filters them can share it.
package event

import "time"

// A Delivery is what one call of a provider says.
type Delivery struct {
	ID         string     // the provider's own, the same when it delivers again; "" if it gives none
	Name       string     // what the provider calls it, such as "pull_request opened"; shown to people
	Sender     string     // the caller's user agent: the initiator of the builds it starts
	Repository Repository // what it is about; zero for one that is about no repository
	Events     []Event    // what it says, in the payload's order; most say one thing
	Comment    *Comment   // set if it is a comment on a pull request
	Note       string     // why there is no event, in a sentence for people; "" if there is one
}

// A Repository as a provider names it. Names change, the ID does not.
type Repository struct {
	ID           string // the provider's stable id
	FullName     string // owner/name, or group/subgroup/name
	Name         string // the last element of FullName
	Organization string // the first element of FullName, if that is an organization or group
	CloneURL     string // https, without a login
	Private      bool   // the provider says that it is not open to everybody; false also if it says nothing
}

// A Type is one of the names that an EVENT filter lists.
type Type string

// The types of events.
const (
	Push                Type = "PUSH"
	PullRequestCreated  Type = "PULL_REQUEST_CREATED"
	PullRequestUpdated  Type = "PULL_REQUEST_UPDATED"
	PullRequestReopened Type = "PULL_REQUEST_REOPENED"
	PullRequestMerged   Type = "PULL_REQUEST_MERGED"
	PullRequestClosed   Type = "PULL_REQUEST_CLOSED"
	Released            Type = "RELEASED"
	Prereleased         Type = "PRERELEASED"
	WorkflowJobQueued   Type = "WORKFLOW_JOB_QUEUED"
)

// IsPullRequest reports whether t is about a pull request.
func (t Type) IsPullRequest() bool {
	switch t {
	case PullRequestCreated, PullRequestUpdated, PullRequestReopened, PullRequestMerged, PullRequestClosed:
		return true
	}
	return false
}

// An Event is one thing that happened. What a payload does not say is empty;
// what it only begins to say, and the provider's API would tell whole, is nil.
type Event struct {
	Type      Type
	ActorID   string // what ACTOR_ACCOUNT_ID is held against; "" if the payload names nobody
	ActorName string // for people
	HeadRef   string // a full ref: refs/heads/… or refs/tags/…
	BaseRef   string // a full ref; pull requests only
	Commit    string // what to build, as the payload has it: Bitbucket abbreviates to twelve characters
	Before    string // the commit that a pushed ref had before; "" for a new one
	Merge     string // the commit that a merged pull request became
	Deleted   bool   // a pushed ref was deleted: there is nothing to build
	Repeats   bool   // it comes for a new title or reviewer, too: it is news only if Commit is

	Message *string  // the message of Commit; nil if the payload does not hold it
	Files   []string // every path that changed, old names of renamed files too; nil if the payload does not hold all

	PullRequest *PullRequest // pull requests only
	Tag         string       // releases only
	ReleaseName string       // releases only
	Job         *Job         // workflow jobs only
	At          time.Time    // when it happened, if the payload says so
}

// A PullRequest is a pull or merge request.
type PullRequest struct {
	Number     int64
	AuthorID   string
	AuthorName string     // the name that the provider's permission API takes
	Fork       bool       // its head is in another repository than its base
	Head       Repository // where its head is; zero if that is gone
}

// A Job is a workflow job that waits for a runner.
type Job struct {
	ID       int64
	RunID    int64
	Workflow string
	Labels   []string
}

// A Comment is what somebody wrote below a pull request.
type Comment struct {
	PullRequest int64
	AuthorID    string
	AuthorName  string // the name that the provider's permission API takes
	Text        string // as it was written, at most 64 KiB of it
}
