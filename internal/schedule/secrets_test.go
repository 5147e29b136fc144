package schedule_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/schedule"
	"slipway/internal/secret"
	"slipway/internal/vault"
	"slipway/internal/vault/desk"
)

// oneSecret is a source that has the parameter /a.
type oneSecret struct{}

func (oneSecret) Parameters(_ context.Context, _ arn.Scope, _ []string, by vault.Use) (map[string]secret.Text, error) {
	return map[string]secret.Text{"/a": secret.New("for " + by.Project)}, nil
}

func (oneSecret) Secret(context.Context, arn.Scope, vault.SecretReference, vault.Use) (secret.Text, error) {
	return secret.Text{}, vault.NoSecret("none")
}

func TestSecretsOnlyWhileSourcesAreDownloaded(t *testing.T) {
	request := agentapi.SecretsRequest{References: []agentapi.Reference{{Type: api.EnvironmentVariableTypeParameterStore, Value: "/a"}}}
	download := func() event.Event { return enter(api.BuildPhaseTypeDownloadSource) }
	install := func() event.Event { return enter(api.BuildPhaseTypeInstall) }
	downloaded := func() event.Event { return leave(api.StatusTypeSucceeded) }
	for _, c := range []struct {
		name    string
		vault   *desk.Desk
		events  []func() event.Event
		refused string // "" means that they are given out
	}{
		{"while they are downloaded", desk.New(oneSecret{}), []func() event.Event{download}, ""},
		{"after that", desk.New(oneSecret{}), []func() event.Event{download, resolved, downloaded}, "only while sources are downloaded"},
		{"in a later phase", desk.New(oneSecret{}), []func() event.Event{download, resolved, downloaded, install}, "only while sources are downloaded"},
		{"without a vault", nil, []func() event.Event{download}, "There is no vault here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.stop()
				b.vault = c.vault
				b.start()
				b.runner.behave = deaf
				id := b.queue()
				synctest.Wait()
				a := b.runner.only(t)
				if _, err := b.Secrets(t.Context(), id, a.token, request); fault.KindOf(err) != fault.Invalid {
					t.Errorf("before the build has begun: %v", err)
				}
				must(t, a.begin())
				for _, e := range c.events {
					_, err := a.report(e())
					must(t, err)
				}
				if _, err := b.Secrets(t.Context(), id, secret.New("another token"), request); fault.KindOf(err) != fault.Denied {
					t.Errorf("with another token: %v", err)
				}
				out, err := b.Secrets(t.Context(), id, a.token, request)
				switch {
				case c.refused != "":
					if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), c.refused) {
						t.Errorf("Secrets: %v, want Invalid with %q", err, c.refused)
					}
				case err != nil || len(out.Values) != 1 || out.Values[0].Reveal() != "for app":
					t.Errorf("Secrets = %+v, %v", out, err)
				}
			})
		})
	}
}
