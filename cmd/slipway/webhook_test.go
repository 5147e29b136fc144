package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/awsjson"
	"slipway/internal/build"
	"slipway/internal/extension"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/receiver"
	"slipway/internal/source"
	"slipway/internal/store"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// jsonProvider delivers our own form of events.
type jsonProvider struct{ source.Provider }

func (jsonProvider) Read(_ http.Header, body []byte) (d event.Delivery, err error) {
	return d, json.Unmarshal(body, &d)
}

// unbuilt starts builds that nobody runs.
type unbuilt struct{}

func (unbuilt) StartWebhookBuild(context.Context, project.Project, build.WebhookStart) (build.Build, error) {
	return build.Build{Public: api.Build{ID: new("app:1")}}, nil
}

func (unbuilt) WakeOutbox() {}

// webhookServer serves the operations on deliveries of one project, app, in a
// data folder, as the commands find them. One delivery, d-1, is evaluated.
func webhookServer(t *testing.T) (data string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data = filepath.Join(t.TempDir(), "data")
	d := dataFolder(data)
	lock, err := d.open()
	check(err)
	t.Cleanup(func() { _ = lock.Close() })
	keys, err := d.keyset("")
	check(err)
	db, err := store.Open(t.Context(), data)
	check(err)
	t.Cleanup(func() { _ = db.Close() })
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	_, err = ownerKey(t.Context(), db, keys, scope.Account)
	check(err)

	filters := [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "^main$", ExcludeMatchedPattern: new(false)}}}
	check(db.Projects().Create(t.Context(), project.Project{Scope: scope, Public: api.Project{
		Name: new("app"), Source: &api.ProjectSource{Type: "GITHUB", Location: new("https://github.com/acme/app")}, Webhook: &api.Webhook{FilterGroups: filters},
	}}))
	log := slog.New(slog.DiscardHandler)
	hears := receiver.New(receiver.Parts{
		Hooks: db.Hooks(), Deliveries: db.Deliveries(), Refs: db.Polls(), Projects: db.Projects(), Opener: keys, Keys: keyring.New(db.Credentials(), keys, log, keyring.Options{}),
		Builds: unbuilt{}, Statuses: unbuilt{}, Providers: map[api.ServerType]source.Provider{"GITHUB": jsonProvider{}}, Log: log,
	}, receiver.Options{})
	pushed := event.Event{Type: event.Push, ActorID: "12345", ActorName: "mona", HeadRef: "refs/heads/main", Commit: strings.Repeat("a", 40)}
	payload, err := json.Marshal(event.Delivery{Name: "push", Repository: event.Repository{FullName: "acme/app"}, Events: []event.Event{pushed}})
	check(err)
	check(os.WriteFile(filepath.Join(data, "push.json"), payload, 0o600))
	said := webhook.Delivery{
		Scope: scope, ServerType: "GITHUB", Hook: "none", ID: "guid", Received: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Pending: true, Body: payload,
		Record: webhook.DeliveryRecord{Event: "push", Signature: slipway.SignatureVerdictValid, State: slipway.DeliveryStatePending},
	}
	_, _, err = db.Deliveries().Accept(t.Context(), said)
	check(err)
	verdict := webhook.Evaluate(&api.Webhook{FilterGroups: filters}, event.Delivery{}, pushed)
	verdict.ProjectName = "app"
	_, err = db.Deliveries().Settle(t.Context(), 1, webhook.Settlement{
		Record:   webhook.DeliveryRecord{Event: "push", Repository: "acme/app", Signature: slipway.SignatureVerdictValid, State: slipway.DeliveryStateDone},
		Verdicts: []webhook.Verdict{{Scope: scope, ProjectVerdict: verdict}},
	})
	check(err)

	handler := awsjson.NewServer(awsjson.Options{AcceptAny: true},
		awsjson.Service{Definition: slipway.Definition, Implementation: extension.NewDeliveries(db.Deliveries(), db.Projects(), db.Builds(), hears)})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	check(d.writeEndpoint(endpoint{URL: server.URL, Region: scope.Region, Account: scope.Account}))
	return data
}

// slip runs a command and returns what it printed.
func slip(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestWebhookCommands(t *testing.T) {
	data := webhookServer(t)
	filters := filepath.Join(data, "filters.json")
	if err := os.WriteFile(filters, []byte(`[[{"type":"EVENT","pattern":"PUSH"},{"type":"HEAD_REF","pattern":"main"}]]`), 0o600); err != nil {
		t.Fatal(err)
	}
	payload := filepath.Join(data, "push.json")
	tests := []struct {
		name string
		args []string
		want []string // in what is printed, blanks folded
	}{
		{"deliveries are listed", []string{"deliveries", "--project", "app"}, []string{"ID RECEIVED EVENT REPOSITORY SIGNATURE STATE BUILDS NOTE", "d-1 2026-11-23T12:00:00Z push acme/app VALID DONE 0"}},
		{"a delivery is explained as a table", []string{"explain", "d-1"}, []string{
			"received 2026-11-23T12:00:00Z from GITHUB, which calls it guid", "signature VALID", "app NO_MATCH No filter group matched.",
			"PUSH, head refs/heads/main, commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, actor mona 12345",
			"GROUP FILTER VALUE PATTERN VERDICT NOTE 1 EVENT PUSH PUSH match 1 HEAD_REF refs/heads/main ^main$ no match HEAD_REF holds full refs: 'main' would match, 'refs/heads/main' does not",
		}},
		{"its payload is printed", []string{"explain", "d-1", "--payload"}, []string{`"FullName":"acme/app"`}},
		{"a payload is tested", []string{"test", "app", "--payload", payload, "--event", "push"}, []string{"Warning: The HEAD_REF pattern '^main$' can never match", "app NO_MATCH"}},
		{"other filters are tested on a stored delivery", []string{"test", "app", "--delivery", "d-1", "--filters", filters}, []string{"also matches 'refs/heads/not-main-at-all'", "app BUILD Filter group 1 matched. A build of aaaa"}},
		{"programs get JSON", []string{"explain", "d-1", "--output", "json"}, []string{`"outcome": "NO_MATCH"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := slip(t, append(append([]string{"webhook"}, tt.args...), "--data", data)...)
			if err != nil {
				t.Fatal(err)
			}
			folded := strings.Join(strings.Fields(out), " ")
			for _, want := range tt.want {
				if !strings.Contains(folded, want) {
					t.Errorf("printed\n%s\nwant %q in it", out, want)
				}
			}
		})
	}
	refusals := []struct {
		name string
		args []string
		want string
	}{
		{"no id", []string{"explain"}, "needs one delivery's id, such as d-123"},
		{"an id that is none", []string{"explain", "1"}, "it reads like d-123"},
		{"a delivery that is not there", []string{"explain", "d-9"}, "There is no delivery d-9"},
		{"nothing to test", []string{"test", "app"}, "either --payload FILE or --delivery ID"},
		{"filters that are none", []string{"test", "app", "--payload", payload, "--filters", payload}, "there is no filter group in it"},
		{"a webhook that is gone", []string{"redeliver", "d-1"}, "was deleted"},
		{"an unknown command", []string{"explian"}, "webhook has no command \"explian\""},
		{"a limit beyond bounds", []string{"deliveries", "--limit", "0"}, "expected 1 to 100"},
	}
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"webhook"}, tt.args...)
			if tt.name != "an unknown command" {
				args = append(args, "--data", data)
			}
			if out, err := slip(t, args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("printed %q, %v, want %q", out, err, tt.want)
			}
		})
	}
}

func TestStrangersTextDoesNotMoveTheCursor(t *testing.T) {
	if got := plain("a\x1b[2J\nb\u202ec\u0085ä"); got != "a [2J b c ä" {
		t.Errorf("plain = %q", got)
	}
}
