// Package source is the family of source providers: what CodeBuild calls
// GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB and GITLAB_SELF_MANAGED.
package source

import (
	"context"
	"time"

	"slipway/internal/secret"
)

// A Repository is one repository at a provider.
type Repository struct {
	APIBase string // the REST base without a trailing slash, such as https://ghe.example/api/v3
	Owner   string // one or more path elements, in the clear
	Name    string // without ".git", in the clear
}

// A Status is what is told of a build on its commit.
type Status struct {
	State       State
	Context     string // what the status is about; the key that later ones replace
	Description string
	TargetURL   string // may be empty
}

// A State of a commit, in GitHub's words.
type State string

// The states.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
	Failed  State = "error" // the build itself could not be carried out
)

// A Provider talks to one kind of source provider. Its methods may be called
// from several goroutines.
type Provider interface {
	// ReportStatus sets s on a commit. A *Refusal tells why it was not taken.
	ReportStatus(ctx context.Context, r Repository, commit string, s Status, token secret.Text) error
}

// A Refusal is a provider's no, or its silence.
type Refusal struct {
	HTTPStatus int           // 0 if there was no answer
	Message    string        // the provider's words and ours; no secret
	Again      bool          // whether trying later may help
	After      time.Duration // how long to wait at least before that
}

func (r *Refusal) Error() string { return r.Message }
