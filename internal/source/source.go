// Package source is the family of source providers: what CodeBuild calls
// GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB and GITLAB_SELF_MANAGED. Its
// members are github, bitbucket and gitlab; what all of them share (one way to
// call, refusals, git's refs) is here and in rest.
package source

import (
	"context"
	"net/http"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/webhook/event"
)

// A Site is one installation of a provider.
type Site struct {
	Server   api.ServerType
	APIBase  string // of the REST API, without a trailing slash, such as https://ghe.example/api/v3
	WebBase  string // of web pages and git, without a trailing slash, such as https://ghe.example
	CA       string // PEM of the certificates to trust beside the system's; empty means none
	Insecure bool   // certificates are not checked at all
}

// A Repository is one repository at a provider.
type Repository struct {
	Site
	Owner string // one or more path elements, in the clear
	Name  string // without ".git", in the clear
}

// FullName returns owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// CloneURL returns what git clones.
func (r Repository) CloneURL() string { return r.WebBase + "/" + r.FullName() + ".git" }

// A Status is what is told of a build on its commit.
type Status struct {
	State       State
	Context     string // what the status is about; the key that later ones replace
	Description string
	TargetURL   string // where people look; may be empty
	Ref         string // the branch that was built as a full ref, if known: where providers show the status
}

// A State of a build, as statuses tell it.
type State string

// The states.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
	Errored State = "error"   // the build could not be carried out
	Stopped State = "stopped" // somebody ended it
)

// A Provider talks to one kind of source provider. Where it is comes with each
// call, so one Provider serves every installation of its kind. An error that is
// the provider's no, or its silence, is a *Refusal. Methods may be called from
// several goroutines. They send a login nowhere but to the Site given.
type Provider interface {
	// Check tells what a login is and can do. Without a repository it is judged
	// by what the provider says of it; with one, also by what it may do there.
	// Nothing is changed at the provider. What the provider refuses is in the
	// health; an error is only for what is not the login's or provider's fault.
	Check(ctx context.Context, at Site, r *Repository, by Login) (slipway.CredentialHealth, error)

	// Resolve returns the whole id of the commit that a branch, a tag, a full
	// ref, or a commit id of at least seven characters names.
	Resolve(ctx context.Context, r Repository, version string, by Login) (commit string, err error)

	// ReportStatus sets s on a commit. A status that is there already is no
	// error. What is too long for the provider is cut or hashed.
	ReportStatus(ctx context.Context, r Repository, commit string, s Status, by Login) error

	// Signed tells whether a delivery comes from someone who knows a secret,
	// and which: the first that fits. It reads the raw body and takes the same
	// time whatever is wrong. now is held against the time that some providers
	// sign.
	Signed(h http.Header, body []byte, secrets []secret.Text, now time.Time) (slipway.SignatureVerdict, int)

	// Read reads a delivery. An error says what is wrong with it, for people; a
	// delivery that is about nothing that builds has a Note and no error.
	Read(h http.Header, body []byte) (event.Delivery, error)
}

// A Hooker is a Provider at which webhooks can be made by API.
type Hooker interface {
	// Hooks lists the hooks of a target that lead to payloadURL, whoever made
	// them. The payload URL is compared whole.
	Hooks(ctx context.Context, t Target, payloadURL string, by Login) ([]Hook, error)
	// CreateHook makes a hook. One that leads to the same URL is not looked for.
	CreateHook(ctx context.Context, t Target, s HookSettings, by Login) (Hook, error)
	// UpdateHook makes the hook with this id what s says, the secret included,
	// and active.
	UpdateHook(ctx context.Context, t Target, id string, s HookSettings, by Login) (Hook, error)
	// DeleteHook removes a hook; that it is gone already is no error.
	DeleteHook(ctx context.Context, t Target, id string, by Login) error
}

// A Target is what a hook is set on: a repository, or everything of an
// organization, enterprise or group.
type Target struct {
	Repository                      // with an Owner and Name, or only a Site if Scope is set
	Scope      api.WebhookScopeType // empty for a repository
	ScopeName  string               // of the organization, enterprise or group
}

// HookSettings is what a hook is to be.
type HookSettings struct {
	PayloadURL string
	Secret     secret.Text
	Events     []event.Type // what to deliver; comments on pull requests if Comments is set
	Comments   bool
	Insecure   bool // the provider is not to check our certificate
}

// A Hook is a webhook at a provider.
type Hook struct {
	ID           string
	URL          string // of the hook in the provider's API
	Active       bool
	State        string // why it is not active, or what is wrong with it, in the provider's words
	LastResponse string // what the provider got for its last delivery, such as "200 OK"; empty if it does not tell
	Signed       bool   // deliveries are signed or carry the secret
}

// A Lister is a Provider that lists what a login reaches.
type Lister interface {
	// Repositories returns a page of repositories whose name contains search.
	// after is "" or the next that the page before returned; next is "" after
	// the last page. warnings say what is missing from the list, such as
	// organizations that ask for single sign-on.
	Repositories(ctx context.Context, at Site, search, after string, by Login) (page []slipway.Repository, next string, warnings []string, err error)
}

// A Detailer is a Provider that tells what deliveries leave out.
type Detailer interface {
	// Files returns the paths that e changed; of renamed files both names.
	Files(ctx context.Context, r Repository, e event.Event, by Login) ([]string, error)
	// Message returns the message of a commit.
	Message(ctx context.Context, r Repository, commit string, by Login) (string, error)
	// OpenPullRequests returns the open pull requests as events of type
	// PULL_REQUEST_UPDATED, for those who compare instead of hearing.
	OpenPullRequests(ctx context.Context, r Repository, by Login) ([]event.Event, error)
	// PullRequest returns one pull request, open or not, as such an event.
	PullRequest(ctx context.Context, r Repository, number int64, by Login) (event.Event, error)
}

// A RefReader is a Provider that tells what git ls-remote does.
type RefReader interface {
	// Refs returns the commits that a repository's refs point at, annotated
	// tags peeled.
	Refs(ctx context.Context, r Repository, by Login) (map[string]string, error)
}

// A BranchReader is a Provider that tells of branches what git ls-remote does.
type BranchReader interface {
	// Branches returns the commits of a repository's branches by short name, and
	// which of them is the default; "" if none is, as in a repository without
	// commits.
	Branches(ctx context.Context, r Repository, by Login) (byDefault string, all map[string]string, err error)
}

// A RoleReader is a Provider that tells what role a user has.
type RoleReader interface {
	// Role returns the highest role of a user on a repository, in the words of
	// CodeBuild's approver roles; "" if the user has none.
	Role(ctx context.Context, r Repository, user string, by Login) (api.PullRequestBuildApproverRole, error)
}
