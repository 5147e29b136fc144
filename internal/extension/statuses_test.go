package extension

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

const id = "demo:9b175d16-66fd-4e71-93a0-50a08c4e19aa"

var scope = arn.Scope{Account: "123456789012", Region: "us-west-2"}

// one is a store with a single build.
type one struct{}

func (one) Get(_ context.Context, s arn.Scope, name string) (build.Build, error) {
	if s != scope || name != id {
		return build.Build{}, fault.New(fault.NotFound, "none")
	}
	return build.Build{Scope: scope, Public: api.Build{ID: new(id)}}, nil
}

// owed is an outbox with what one build owes.
type owed []outbox.Item

func (o owed) BySubject(_ context.Context, subject string) ([]outbox.Item, error) {
	if subject != id {
		return nil, nil
	}
	return o, nil
}

func TestListCommitStatuses(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1700000000+seconds, 0).UTC() }
	pending := build.CommitStatus{ServerType: "GITHUB", Location: "https://github.com/o/r", Commit: "abc", State: "pending", Context: "ci", Description: "Build started for project demo", TargetURL: "https://ci.example.com/"}
	success := pending
	success.State, success.Description, success.TargetURL = "success", "Build succeeded for project demo", ""
	payload := func(s build.CommitStatus) json.RawMessage {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s := New(one{}, owed{
		{ID: 1, Kind: outbox.CommitStatus, Subject: id, Payload: payload(pending), State: outbox.Refused, Attempts: 2, Message: "Bad credentials.", Created: at(0), LastAttempt: at(9),
			Outcome: outbox.Outcome{Credential: scope.Token("GITHUB"), Version: 2, HTTPStatus: 401, Cause: slipway.FailureCauseBadToken, NextStep: "Import a new token.", Link: "https://github.com/settings/tokens"}},
		{ID: 2, Kind: "event", Subject: id, Payload: json.RawMessage(`{}`), State: outbox.Owed, Created: at(1)},
		{ID: 3, Kind: outbox.CommitStatus, Subject: id, Payload: payload(success), State: outbox.Owed, Created: at(10)},
	}, nil, nil)
	want := []slipway.CommitStatus{
		{Attempts: 2, CommitID: "abc", Context: "ci", Created: api.At(at(0)), DeliveryStatus: slipway.DeliveryStatusRefused, Description: "Build started for project demo",
			LastAttempt: api.At(at(9)), Message: "Bad credentials. Import a new token. https://github.com/settings/tokens", HttpStatus: 401, CredentialARN: scope.Token("GITHUB"), RepositoryURL: "https://github.com/o/r", State: slipway.CommitStatusStatePending, TargetURL: "https://ci.example.com/"},
		{Attempts: 0, CommitID: "abc", Context: "ci", Created: api.At(at(10)), DeliveryStatus: slipway.DeliveryStatusOwed, Description: "Build succeeded for project demo",
			RepositoryURL: "https://github.com/o/r", State: slipway.CommitStatusStateSuccess},
	}
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	for _, name := range []string{id, scope.Build(id)} {
		out, err := s.ListCommitStatuses(ctx, &slipway.ListCommitStatusesInput{BuildID: name})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.CommitStatuses); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestListCommitStatusesRefuses(t *testing.T) {
	const absent = "demo:11111111-2222-4333-8444-555555555555"
	elsewhere := "arn:aws:codebuild:us-west-2:999999999999:build/" + id
	tests := []struct {
		name, id string
		kind     fault.Kind
		want     string
	}{
		{"a build that is not there", absent, fault.NotFound, "Build " + absent + " does not exist"},
		{"a build elsewhere", elsewhere, fault.NotFound, "Build " + elsewhere + " does not exist"},
		{"no id at all", "demo", fault.Invalid, "Invalid build ID provided"},
	}
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(one{}, owed{}, nil, nil).ListCommitStatuses(ctx, &slipway.ListCommitStatusesInput{BuildID: tt.id})
			if fault.KindOf(err) != tt.kind || fault.Message(err) != tt.want {
				t.Errorf("got %v (kind %d), want %q (kind %d)", err, fault.KindOf(err), tt.want, tt.kind)
			}
		})
	}
}
