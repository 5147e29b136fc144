package extension

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
)

// machine is where the server runs.
type machine interface {
	// Findings looks at it.
	Findings(ctx context.Context) []slipway.Finding
}

// credentialLister is what Diagnose needs to know of credentials.
type credentialLister interface {
	ListCredentials(ctx context.Context, in *slipway.ListCredentialsInput) (*slipway.ListCredentialsOutput, error)
}

// webhookLister is what Diagnose needs to know of webhooks; with Verify it asks
// their providers.
type webhookLister interface {
	ListWebhooks(ctx context.Context, in *slipway.ListWebhooksInput) (*slipway.ListWebhooksOutput, error)
}

// Doctor is the operation that looks at everything. Its methods may be called
// from several goroutines.
type Doctor struct {
	machine     machine
	credentials credentialLister
	webhooks    webhookLister
	now         func() time.Time
}

// NewDoctor returns a Doctor. webhooks may be nil: none are looked at then. A
// nil now means time.Now.
func NewDoctor(m machine, credentials credentialLister, webhooks webhookLister, now func() time.Time) *Doctor {
	if now == nil {
		now = time.Now
	}
	return &Doctor{machine: m, credentials: credentials, webhooks: webhooks, now: now}
}

// Diagnose answers what is right and wrong with the server's machine, and with
// each credential and webhook of the caller's scope. What cannot be looked at
// is a finding, not an error.
func (d *Doctor) Diagnose(ctx context.Context, _ *slipway.DiagnoseInput) (*slipway.DiagnoseOutput, error) {
	all := d.machine.Findings(ctx)
	all = append(all, d.ofCredentials(ctx)...)
	return &slipway.DiagnoseOutput{Findings: append(all, d.ofWebhooks(ctx)...)}, nil
}

func (d *Doctor) ofCredentials(ctx context.Context) []slipway.Finding {
	out, err := d.credentials.ListCredentials(ctx, &slipway.ListCredentialsInput{})
	if err != nil {
		return unseen("credential", err)
	}
	if len(out.Credentials) == 0 {
		return []slipway.Finding{{Area: "credential", Level: slipway.FindingLevelOk, Message: "There are no source credentials: public repositories are fetched anonymously. 'slipway credential import' adds one."}}
	}
	var all []slipway.Finding
	for _, c := range out.Credentials {
		all = append(all, d.ofCredential(c)...)
	}
	return all
}

// ofCredential tells how one credential is: first its state, then its expiry,
// then what else its provider warned of.
func (d *Doctor) ofCredential(c slipway.CredentialSummary) []slipway.Finding {
	name := c.Name
	if name == "" {
		name = string(c.ServerType)
	}
	finding := func(level slipway.FindingLevel, message, fix string) slipway.Finding {
		return slipway.Finding{Area: "credential", Subject: name, Level: level, Message: message, Fix: fix}
	}
	h := c.Health
	fix := step(h.NextStep, h.Link)
	used := "No project uses it."
	if n := len(c.UsedBy); n > 0 {
		used = fmt.Sprintf("Used by %d projects: %s.", n, few(c.UsedBy))
		if n == 1 {
			used = "Used by the project " + c.UsedBy[0] + "."
		}
	}
	var all []slipway.Finding
	switch h.State {
	case slipway.CredentialStateValid:
		all = append(all, finding(slipway.FindingLevelOk, strings.TrimSpace("It works"+owned(h)+". "+used), ""))
	case slipway.CredentialStateInvalid, slipway.CredentialStateExpired:
		level := slipway.FindingLevelError
		if len(c.UsedBy) == 0 {
			level = slipway.FindingLevelWarning
		}
		all = append(all, finding(level, "It does not work: "+h.Message+" "+used, fix))
	case slipway.CredentialStateLimited:
		for _, g := range lacking(h) {
			all = append(all, finding(slipway.FindingLevelWarning, "It cannot do everything ("+strings.Join(g.jobs, ", ")+"): "+g.reason+" "+used, g.fix))
		}
		if all == nil {
			all = append(all, finding(slipway.FindingLevelWarning, "It cannot do everything. "+h.Message+" "+used, fix))
		}
	case slipway.CredentialStateUnreachable:
		all = append(all, finding(slipway.FindingLevelWarning, "Its provider could not be asked: "+h.Message+" "+used, fix))
	default:
		all = append(all, finding(slipway.FindingLevelWarning, strings.TrimSpace("It was not checked. "+h.Message), fix))
	}
	if h.State != slipway.CredentialStateExpired && !c.Expires.IsZero() {
		all = append(all, d.ofExpiry(c, finding)...)
	}
	for _, w := range h.Warnings {
		all = append(all, finding(slipway.FindingLevelWarning, w, ""))
	}
	return all
}

func (d *Doctor) ofExpiry(c slipway.CredentialSummary, finding func(slipway.FindingLevel, string, string) slipway.Finding) []slipway.Finding {
	left := c.Expires.Sub(d.now())
	if left > 30*24*time.Hour {
		return nil
	}
	level, message := slipway.FindingLevelWarning, fmt.Sprintf("It expires on %s, %s.", c.Expires.UTC().Format(time.DateOnly), within(c.DaysLeft))
	switch {
	case left <= 0:
		level, message = slipway.FindingLevelError, "It was to expire on "+c.Expires.UTC().Format(time.DateOnly)+"."
	case left <= 24*time.Hour:
		level = slipway.FindingLevelError
	}
	fix := "Make a new token and import it with 'slipway credential import --server-type " + string(c.ServerType) + " --token-file FILE'."
	if c.Name != "" {
		fix = "Make a new token and import it with 'slipway credential import --name " + c.Name + " --server-type " + string(c.ServerType) + " --token-file FILE'."
	}
	return []slipway.Finding{finding(level, message, fix)}
}

// A lack is what keeps a credential from some jobs.
type lack struct {
	jobs        []string
	reason, fix string
}

// lacking returns what a credential lacks, everything once.
func lacking(h *slipway.CredentialHealth) []lack {
	var all []lack
	for _, j := range h.Jobs {
		if j.Ability != slipway.AbilityNo {
			continue
		}
		name, why := strings.ToLower(strings.ReplaceAll(string(j.Job), "_", " ")), reason(j)
		if at := slices.IndexFunc(all, func(l lack) bool { return l.reason == why }); at >= 0 {
			all[at].jobs = append(all[at].jobs, name)
			continue
		}
		fix := step(j.NextStep, j.Link)
		if h.Cause == slipway.FailureCauseMissingScope && j.Cause == h.Cause && h.NextStep != "" {
			fix = step(h.NextStep, h.Link) // which names all scopes that are missing
		}
		all = append(all, lack{[]string{name}, why, fix})
	}
	return all
}

// step returns what to do, and its link if the words do not hold it.
func step(next, link string) string {
	if strings.Contains(next, link) {
		return next
	}
	return strings.TrimSpace(next + " " + link)
}

func within(days int) string {
	switch {
	case days <= 0:
		return "within a day"
	case days == 1:
		return "in 1 day"
	}
	return fmt.Sprintf("in %d days", days)
}

func owned(h *slipway.CredentialHealth) string {
	if h.Owner == "" {
		return ""
	}
	return ", and belongs to " + h.Owner
}

// reason says why a job cannot be done.
func reason(j slipway.JobAbility) string {
	if j.Message == "" && len(j.Missing) > 0 {
		return strings.Join(j.Missing, ", ") + " is missing."
	}
	return j.Message
}

// few names the first of many.
func few(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func (d *Doctor) ofWebhooks(ctx context.Context) []slipway.Finding {
	if d.webhooks == nil {
		return nil
	}
	out, err := d.webhooks.ListWebhooks(ctx, &slipway.ListWebhooksInput{Verify: true})
	if err != nil {
		return unseen("webhook", err)
	}
	var all []slipway.Finding
	for _, w := range out.Webhooks {
		all = append(all, ofWebhook(w)...)
	}
	return all
}

// ofWebhook tells how a webhook is at its provider, and how its last delivery went.
func ofWebhook(w slipway.WebhookSummary) []slipway.Finding {
	finding := func(level slipway.FindingLevel, message, fix string) slipway.Finding {
		return slipway.Finding{Area: "webhook", Subject: w.ProjectName, Level: level, Message: strings.TrimSpace(message), Fix: fix}
	}
	again := "Create it anew: 'aws codebuild delete-webhook --project-name " + w.ProjectName + "' and 'create-webhook'."
	var all []slipway.Finding
	switch w.State {
	case slipway.ProviderHookStateMissing:
		all = append(all, finding(slipway.FindingLevelError, "Its webhook is gone at the provider, so pushes start no builds. "+w.Message, again))
	case slipway.ProviderHookStateDisabled:
		all = append(all, finding(slipway.FindingLevelError, "Its webhook is switched off at the provider, so pushes start no builds. "+w.Message, "Switch it on there: "+w.ProviderURL+" — or create it anew."))
	case slipway.ProviderHookStateManual:
		all = append(all, finding(slipway.FindingLevelOk, "Its webhook was made by hand, so how it is at the provider is not known. "+last(w), ""))
	case slipway.ProviderHookStatePolled:
		all = append(all, finding(slipway.FindingLevelOk, "Its repository is polled. "+w.Message, ""))
	case slipway.ProviderHookStateActive:
		all = append(all, finding(slipway.FindingLevelOk, "Its webhook is active at the provider. "+last(w), ""))
	default:
		all = append(all, finding(slipway.FindingLevelWarning, "How its webhook is at the provider could not be told. "+w.Message, "Check the credential that serves the project: 'slipway credential which --project "+w.ProjectName+"'."))
	}
	if w.LastResponse != "" && !strings.HasPrefix(w.LastResponse, "2") {
		all = append(all, finding(slipway.FindingLevelWarning, "The provider's last delivery was answered "+w.LastResponse+".", "Check that the provider reaches "+w.PayloadURL+", then redeliver from its page of the webhook."))
	}
	if l := w.LastDelivery; l != nil {
		switch l.Signature {
		case slipway.SignatureVerdictInvalid, slipway.SignatureVerdictMissing, slipway.SignatureVerdictStale:
			all = append(all, finding(slipway.FindingLevelWarning, "The last delivery was not signed with the webhook's secret ("+string(l.Signature)+"), so it started nothing.",
				"Set the secret at the provider anew: 'aws codebuild update-webhook --rotate-secret --project-name "+w.ProjectName+"'."))
		}
	}
	for _, warning := range w.Warnings {
		all = append(all, finding(slipway.FindingLevelWarning, warning, ""))
	}
	return all
}

func last(w slipway.WebhookSummary) string {
	if w.LastDelivery == nil {
		return "Nothing was delivered yet."
	}
	return "Last delivery: " + w.LastDelivery.Received.UTC().Format(time.RFC3339) + "."
}

// unseen is the finding that an area could not be looked at.
func unseen(area string, err error) []slipway.Finding {
	message := fault.Message(err)
	if message == "" {
		message = "the server's log says why"
	}
	return []slipway.Finding{{Area: area, Level: slipway.FindingLevelWarning, Message: "This could not be looked at: " + message + "."}}
}
