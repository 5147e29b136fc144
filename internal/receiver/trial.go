package receiver

import (
	"context"
	"encoding/json"
	"net/http"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

// Test holds a payload against the filters of a project, or others, and builds
// nothing; the provider is asked what the filters need to know, once. NotFound
// if there is no such project or delivery; Invalid says what is wrong with the
// payload or the filters.
func (r *Receiver) Test(ctx context.Context, scope arn.Scope, t webhook.Trial) (webhook.TrialResult, error) {
	p, err := r.projectNamed(ctx, scope, t.Project)
	if err != nil {
		return webhook.TrialResult{}, err
	}
	server, err := tried(&p, t.Filters)
	if err != nil {
		return webhook.TrialResult{}, err
	}
	d := webhook.Delivery{ServerType: server, Body: t.Payload}
	if t.Delivery != 0 {
		if d, err = r.withPayload(ctx, scope, t.Delivery); err != nil {
			return webhook.TrialResult{}, err
		}
		if d.ServerType != server {
			return webhook.TrialResult{}, fault.New(fault.Invalid, "Delivery %s is %s's and the project's source is of type %s", webhook.DeliveryName(t.Delivery), d.ServerType, server)
		}
	} else if d.Header, err = headerOf(server, t); err != nil {
		return webhook.TrialResult{}, err
	}
	said, problem := r.read(d)
	if problem != "" {
		return webhook.TrialResult{}, fault.New(fault.Invalid, "The payload could not be read: %s", problem)
	}
	s := &session{Receiver: r, hook: webhook.Hook{Scope: scope, ServerType: server}, delivery: d, dry: true, until: r.options.Now()}
	s.hear(said)
	out := webhook.TrialResult{Event: said.Name, Note: said.Note, Warnings: webhook.Warnings(server, p.Public.Webhook)}
	if said.Comment != nil {
		out.Note = "This is a comment on a pull request: it is held against no filter, and approves what waits if it comes as a delivery."
		return out, nil
	}
	for i := range said.Events {
		v, err := s.decide(ctx, p, i)
		if err != nil {
			return webhook.TrialResult{}, err
		}
		out.Verdicts = append(out.Verdicts, v)
	}
	return out, nil
}

// projectNamed returns a project, or NotFound.
func (r *Receiver) projectNamed(ctx context.Context, scope arn.Scope, name string) (project.Project, error) {
	p, err := r.parts.Projects.Get(ctx, scope, name)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.NotFound, "The provided project %s does not exist", scope.Project(name))
	}
	return p, err
}

// tried gives p a webhook with filters, or with its own if they are nil, and
// returns its server type. What CreateWebhook would refuse is Invalid.
func tried(p *project.Project, filters [][]api.WebhookFilter) (api.ServerType, error) {
	w := api.Webhook{}
	if p.Public.Webhook != nil {
		w = *p.Public.Webhook
	}
	server := api.ServerType("")
	if p.Public.Source != nil {
		server = api.ServerType(p.Public.Source.Type)
	}
	if filters != nil {
		w.FilterGroups, w.BranchFilter = filters, nil
	}
	p.Public.Webhook = &w
	return server, webhook.Check(server, &w)
}

// headerOf returns the headers with which a provider would have sent a payload.
func headerOf(server api.ServerType, t webhook.Trial) (map[string][]string, error) {
	if len(t.Payload) == 0 {
		return nil, fault.New(fault.Invalid, "There is no payload: give one, such as the file that the provider's page of recent deliveries shows, or the id of a stored delivery")
	}
	if len(t.Payload) > maxBody {
		return nil, fault.New(fault.Invalid, "A payload has at most 25 MiB")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(t.Payload, &top); err != nil {
		return nil, fault.New(fault.Invalid, "The payload is no JSON object")
	}
	name := clean(t.Event)
	if name == "" {
		name = guess(server, top)
	}
	if name == "" {
		return nil, fault.New(fault.Invalid, "The payload does not show which event it is: say it as the header %s does, such as %s.", namings[server].event, examples[server])
	}
	return map[string][]string{
		http.CanonicalHeaderKey(namings[server].event): {name},
		"Content-Type": {"application/json"},
		"User-Agent":   {namings[server].agent},
	}, nil
}

var examples = map[api.ServerType]string{
	api.ServerTypeGithub: "push or pull_request", api.ServerTypeGithubEnterprise: "push or pull_request",
	api.ServerTypeBitbucket: "repo:push or pullrequest:created",
	api.ServerTypeGitlab:    "'Push Hook' or 'Merge Request Hook'", api.ServerTypeGitlabSelfManaged: "'Push Hook' or 'Merge Request Hook'",
}

// objects is how GitLab's payloads say what they are, and the header that goes
// with each.
var objects = map[string]string{
	"push": "Push Hook", "tag_push": "Tag Push Hook", "merge_request": "Merge Request Hook", "note": "Note Hook", "release": "Release Hook", "build": "Job Hook",
}

// guess returns the event that a payload looks like; "" if it could be several.
func guess(server api.ServerType, top map[string]json.RawMessage) string {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := top[name]; !ok {
				return false
			}
		}
		return true
	}
	switch server {
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		var kind string
		_ = json.Unmarshal(top["object_kind"], &kind) // what is no string names nothing
		return objects[kind]
	case api.ServerTypeBitbucket:
		if has("push") {
			return "repo:push"
		}
		return ""
	}
	switch {
	case has("issue", "comment"):
		return "issue_comment"
	case has("pull_request", "number"):
		return "pull_request"
	case has("workflow_job"):
		return "workflow_job"
	case has("release", "action"):
		return "release"
	case has("ref", "before", "after"):
		return "push"
	case has("zen"):
		return "ping"
	}
	return ""
}
