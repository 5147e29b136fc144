package extension

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
)

type well struct{}

func (well) Findings(context.Context) []slipway.Finding {
	return []slipway.Finding{{Area: "git", Level: slipway.FindingLevelOk, Message: "It is there."}}
}

type stored []slipway.CredentialSummary

func (s stored) ListCredentials(context.Context, *slipway.ListCredentialsInput) (*slipway.ListCredentialsOutput, error) {
	if s == nil {
		return nil, errors.New("disk full")
	}
	return &slipway.ListCredentialsOutput{Credentials: s}, nil
}

type hooked []slipway.WebhookSummary

func (h hooked) ListWebhooks(_ context.Context, in *slipway.ListWebhooksInput) (*slipway.ListWebhooksOutput, error) {
	if !in.Verify {
		return nil, fault.New(fault.Invalid, "the providers were not asked")
	}
	return &slipway.ListWebhooksOutput{Webhooks: h}, nil
}

func TestDiagnose(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	credential := func(h slipway.CredentialHealth, usedBy ...string) slipway.CredentialSummary {
		return slipway.CredentialSummary{ARN: "arn", Name: "team", ServerType: slipway.ServerTypeGithub, UsedBy: usedBy, Health: &h}
	}
	expiring := func(in time.Duration) slipway.CredentialSummary {
		c := credential(slipway.CredentialHealth{State: slipway.CredentialStateValid, Owner: "ada"}, "app")
		c.Expires, c.DaysLeft = api.At(now.Add(in)), int(in/(24*time.Hour))
		return c
	}
	const (
		ok      = slipway.FindingLevelOk
		warning = slipway.FindingLevelWarning
		bad     = slipway.FindingLevelError
	)
	for _, test := range []struct {
		name        string
		credentials stored
		webhooks    hooked
		level       slipway.FindingLevel
		says, fix   string
	}{
		{"no credentials", stored{}, nil, ok, "There are no source credentials", ""},
		{"credentials that cannot be read", nil, nil, warning, "This could not be looked at: the server's log says why.", ""},
		{"a good one", stored{expiring(100 * 24 * time.Hour)}, nil, ok, "It works, and belongs to ada. Used by the project app.", ""},
		{"one that expires this month", stored{expiring(10 * 24 * time.Hour)}, nil, warning, "It expires on 2026-12-07, in 10 days.", "'slipway credential import --name team --server-type GITHUB --token-file FILE'"},
		{"one that expires tonight", stored{expiring(9 * time.Hour)}, nil, bad, "within a day.", "Make a new token"},
		{"one that is refused", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateInvalid, Message: "GitHub answered 401.", NextStep: "Make a new one.", Link: "https://x"}, "app")}, nil, bad, "It does not work: GitHub answered 401. Used by the project app.", "Make a new one. https://x"},
		{"one that is refused and nobody needs", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateInvalid, NextStep: "x"})}, nil, warning, "No project uses it.", "x"},
		{"one that lacks a scope", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateLimited, Jobs: []slipway.JobAbility{
			{Job: slipway.CredentialJobClone, Ability: slipway.AbilityYes}, {Job: slipway.CredentialJobCommitStatus, Ability: slipway.AbilityNo, Missing: []string{"repo:status"}, NextStep: "Add it."}}})}, nil,
			warning, "(commit status): repo:status is missing.", "Add it."},
		{"one that lacks the same for two jobs", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateLimited, Cause: slipway.FailureCauseMissingScope, NextStep: "Add api at https://x.", Link: "https://x", Jobs: []slipway.JobAbility{
			{Job: slipway.CredentialJobCommitStatus, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Message: "The token lacks api.", NextStep: "Add it."},
			{Job: slipway.CredentialJobWebhook, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Message: "The token lacks api.", NextStep: "Add it."}}}, "app", "lib")}, nil,
			warning, "It cannot do everything (commit status, webhook): The token lacks api. Used by 2 projects: app, lib.", "Add api at https://x."},
		{"one whose provider is away", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateUnreachable, Message: "No answer."})}, nil, warning, "could not be asked: No answer.", ""},
		{"one that was not checked", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, NextStep: "Check it."})}, nil, warning, "It was not checked.", "Check it."},
		{"what the provider warns of", stored{credential(slipway.CredentialHealth{State: slipway.CredentialStateValid, Warnings: []string{"Pending approval."}})}, nil, warning, "Pending approval.", ""},
		{"a webhook that is gone", stored{}, hooked{{ProjectName: "app", State: slipway.ProviderHookStateMissing}}, bad, "gone at the provider", "delete-webhook --project-name app"},
		{"a webhook that is off", stored{}, hooked{{ProjectName: "app", State: slipway.ProviderHookStateDisabled, ProviderURL: "https://p/hooks/1"}}, bad, "switched off", "https://p/hooks/1"},
		{"a webhook that works", stored{}, hooked{{ProjectName: "app", State: slipway.ProviderHookStateActive, LastResponse: "200 OK", LastDelivery: &slipway.WebhookDeliverySummary{Received: api.At(now), Signature: slipway.SignatureVerdictValid}}}, ok, "Last delivery: 2026-11-27T12:00:00Z.", ""},
		{"a delivery that was answered badly", stored{}, hooked{{ProjectName: "app", State: slipway.ProviderHookStateActive, PayloadURL: "https://ci/webhook/x", LastResponse: "502 Bad Gateway"}}, warning, "answered 502 Bad Gateway", "https://ci/webhook/x"},
		{"a delivery with another secret", stored{}, hooked{{ProjectName: "app", State: slipway.ProviderHookStateManual, LastDelivery: &slipway.WebhookDeliverySummary{Signature: slipway.SignatureVerdictInvalid}}}, warning, "was not signed", "update-webhook --rotate-secret --project-name app"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := NewDoctor(well{}, test.credentials, test.webhooks, func() time.Time { return now })
			out, err := d.Diagnose(t.Context(), nil)
			if err != nil || len(out.Findings) < 2 || out.Findings[0].Area != "git" {
				t.Fatalf("Diagnose = %+v, %v", out, err)
			}
			for _, f := range out.Findings {
				if f.Level == test.level && strings.Contains(f.Message, test.says) && strings.Contains(f.Fix, test.fix) {
					return
				}
			}
			t.Errorf("no finding of level %s says %q and %q: %+v", test.level, test.says, test.fix, out.Findings)
		})
	}
	if out, err := NewDoctor(well{}, stored{}, nil, nil).Diagnose(t.Context(), nil); err != nil || len(out.Findings) != 2 {
		t.Errorf("without webhooks: %+v, %v", out, err)
	}
}
