package build

import (
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/project"
)

// A Trigger is the event at a source provider that started a build. What an
// event does not have is empty.
type Trigger struct {
	Event        string `json:"event"`                 // as an EVENT filter names it
	Trigger      string `json:"trigger,omitzero"`      // branch/x, tag/x or pr/7
	HeadRef      string `json:"headRef,omitzero"`      // a full ref
	BaseRef      string `json:"baseRef,omitzero"`      // a full ref
	ActorID      string `json:"actorId,omitzero"`      // the account whose doing it was
	PrevCommit   string `json:"prevCommit,omitzero"`   // what a pushed ref was before
	MergeCommit  string `json:"mergeCommit,omitzero"`  // what a merged pull request became
	PullRequest  int64  `json:"pullRequest,omitzero"`  // its number
	Fork         bool   `json:"fork,omitzero"`         // its head is in another repository
	Private      bool   `json:"private,omitzero"`      // the repository is known not to be open to everybody
	Label        string `json:"label,omitzero"`        // of the workflow job, by which it asked for this project
	RunID        string `json:"runId,omitzero"`        // of the workflow job
	JobID        string `json:"jobId,omitzero"`        // of the workflow job
	WorkflowName string `json:"workflowName,omitzero"` // of the workflow job
	DeliveryID   string `json:"deliveryId,omitzero"`   // what we call the delivery, such as d-17
	Retried      bool   `json:"retried,omitzero"`      // this build was asked for by RetryBuild
}

// A WebhookStart is what a webhook asks for.
type WebhookStart struct {
	Input     *api.StartBuildInput // the source's version and, of a fork, its location
	Trigger   Trigger
	Commit    string // the whole id that the source must have at that version; "" leaves that open
	Initiator string // who is shown to have started the build: the provider's user agent
	Once      Idempotency
}

// NewForWebhook is New for what a webhook asks of p.
func NewForWebhook(p project.Project, start WebhookStart, id string, now time.Time) (Build, error) {
	b, err := New(p, start.Input, accesskey.Caller{Scope: p.Scope, User: start.Initiator}, id, now)
	if err != nil {
		return Build{}, err
	}
	b.State.Webhook, b.State.Commit = &start.Trigger, start.Commit
	return b, nil
}

// triggerVariables are what CodeBuild tells a build of its webhook, in
// alphabetical order; one without a value is not set.
func (b Build) triggerVariables(add func(name, value string)) {
	t := b.State.Webhook
	if t == nil {
		return
	}
	for _, v := range []struct{ name, value string }{
		{"ACTOR_ACCOUNT_ID", t.ActorID},
		{"BASE_REF", t.BaseRef},
		{"EVENT", t.Event},
		{"HEAD_REF", t.HeadRef},
		{"JOB_ID", t.JobID},
		{"LABEL", t.Label},
		{"MERGE_COMMIT", t.MergeCommit},
		{"PREV_COMMIT", t.PrevCommit},
		{"RUN_ID", t.RunID},
		{"TRIGGER", t.Trigger},
		{"WORKFLOW_NAME", t.WorkflowName},
	} {
		if v.value != "" {
			add("CODEBUILD_WEBHOOK_"+v.name, v.value)
		}
	}
}
