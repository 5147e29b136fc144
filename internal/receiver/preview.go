package receiver

import (
	"context"
	"fmt"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// maxPreview bounds the payloads that one preview reads, in bytes.
const maxPreview = 32 << 20

// Preview holds the latest kept deliveries of a project's repository, or of the
// one at a location, against filters, newest first, and tells which of them
// built the project. Nothing is built and nobody is asked: what the filters need
// and a payload does not say makes the verdict FAILED. Of a delivery of several
// events the verdict is that of the first that builds, or else the first. What
// CreateWebhook would refuse of the filters is Invalid, in its words; NotFound if
// there is no such project.
func (r *Receiver) Preview(ctx context.Context, scope arn.Scope, of webhook.Preview) (all []webhook.Previewed, warnings []string, err error) {
	p := project.Project{Scope: scope, Public: api.Project{Source: &api.ProjectSource{Type: api.SourceType(of.Server), Location: &of.Location}}}
	if of.Project != "" {
		if p, err = r.projectNamed(ctx, scope, of.Project); err != nil {
			return nil, nil, err
		}
	}
	server, err := tried(&p, of.Filters)
	if err != nil {
		return nil, nil, err
	}
	deliveries, at, err := r.heard(ctx, p, server, of.Limit)
	if err != nil {
		return nil, nil, err
	}
	left := maxPreview
	for _, d := range deliveries {
		whole, err := r.parts.Deliveries.Find(ctx, scope, d.Sequence)
		if fault.KindOf(err) == fault.NotFound { // it became too old
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if whole.Body == nil || whole.ServerType != server {
			continue
		}
		if left -= len(whole.Body); left < 0 {
			warnings = append(warnings, fmt.Sprintf("The payloads are large, so that only the latest %d deliveries were looked at.", len(all)))
			break
		}
		said, problem := r.read(whole)
		if problem == "" && !at.holds(said.Repository) {
			continue
		}
		v := slipway.ProjectVerdict{Outcome: slipway.VerdictOutcomeIgnored, Reason: "The delivery could not be read: " + problem}
		if problem == "" {
			v = foreseen(p, said)
		}
		v.ProjectName = of.Project
		all = append(all, webhook.Previewed{Delivery: d, Verdict: v, BuiltBefore: built(d, of.Project)})
	}
	return all, append(warnings, webhook.Warnings(server, p.Public.Webhook)...), nil
}

// heard returns the latest deliveries of a project's repository, and which that
// is. A webhook of an organization or group hears many: then it is any.
func (r *Receiver) heard(ctx context.Context, p project.Project, server api.ServerType, limit int) ([]webhook.Delivery, repositoryAt, error) {
	if p.Public.Webhook.ScopeConfiguration != nil {
		page, _, err := r.parts.Deliveries.List(ctx, p.Scope, *p.Public.Name, 0, limit)
		return page, repositoryAt{}, err
	}
	location := ""
	if p.Public.Source.Location != nil {
		location = *p.Public.Source.Location
	}
	host, path, ok := credential.Locate(location)
	if !ok && p.Public.Name != nil { // it is to have the webhook of an organization or group
		return nil, repositoryAt{}, nil
	}
	if !ok {
		return nil, repositoryAt{}, fault.New(fault.Invalid, "A repositoryUrl must be the URL of a repository, such as https://github.com/owner/repository.")
	}
	at := repositoryAt{path: path, selfHosted: credential.SelfHosted(server)}
	at.host, _, _ = strings.Cut(host, ":")
	names := []string{path}
	if at.selfHosted { // it may be below a path, which is no part of the repository's name
		for rest, ok := path, true; ok && len(names) < 5; {
			if _, rest, ok = strings.Cut(rest, "/"); ok && strings.Contains(rest, "/") {
				names = append(names, rest)
			}
		}
	}
	page, err := r.parts.Deliveries.About(ctx, p.Scope, server, names, limit)
	return page, at, err
}

// A repositoryAt is a repository by its address; the zero one is any.
type repositoryAt struct {
	host, path string
	selfHosted bool
}

// holds reports whether a delivery's repository is this one: at servers of their
// own several may have the name.
func (at repositoryAt) holds(said event.Repository) bool {
	if at.path == "" || !at.selfHosted {
		return true
	}
	host, path, ok := credential.Locate(said.CloneURL)
	if !ok {
		return strings.EqualFold(said.FullName, at.path)
	}
	host, _, _ = strings.Cut(host, ":")
	return host == at.host && strings.EqualFold(path, at.path)
}

// foreseen returns what a delivery would come to for p.
func foreseen(p project.Project, said event.Delivery) slipway.ProjectVerdict {
	ignored := slipway.ProjectVerdict{Outcome: slipway.VerdictOutcomeIgnored}
	switch {
	case said.Comment != nil:
		ignored.Reason = "This is a comment on a pull request: it is held against no filter."
		return ignored
	case len(said.Events) == 0:
		if ignored.Reason = said.Note; ignored.Reason == "" {
			ignored.Reason = "Nothing happened that could be built."
		}
		return ignored
	}
	best := verdictOn(p, said, said.Events[0])
	for _, e := range said.Events[1:] {
		if best.Outcome == slipway.VerdictOutcomeBuild {
			break
		}
		if v := verdictOn(p, said, e); v.Outcome == slipway.VerdictOutcomeBuild {
			best = v
		}
	}
	if n := len(said.Events); n > 1 {
		best.Reason += fmt.Sprintf(" This is one of %d events of the delivery.", n)
	}
	return best
}

func verdictOn(p project.Project, said event.Delivery, e event.Event) slipway.ProjectVerdict {
	w := p.Public.Webhook
	if p.Public.Name != nil && e.Type == event.WorkflowJobQueued {
		if _, named := webhook.Label(*p.Public.Name, e.Job); !named {
			return unlabelled(*p.Public.Name, said, e)
		}
	}
	v := webhook.Evaluate(w, said, e)
	files, message := webhook.Needs(w, said, e)
	switch {
	case files || message:
		lacks := "the paths that changed"
		if message {
			lacks = "the commit's message"
		}
		v.Outcome = slipway.VerdictOutcomeFailed
		v.Reason = "The payload does not say " + lacks + ". The provider is asked for them when a delivery comes, and by 'slipway webhook test', but not for this preview."
	case v.Outcome == slipway.VerdictOutcomeBuild && webhook.NeedsApproval(w, e):
		v.Reason += " Unless its author is an approver it waits for approval first."
	}
	return v
}

// built reports whether a delivery started a build of a project.
func built(d webhook.Delivery, projectName string) bool {
	for _, id := range d.Record.BuildIDs {
		if name, _, ok := strings.Cut(id, ":"); ok && name == projectName {
			return true
		}
	}
	return false
}
