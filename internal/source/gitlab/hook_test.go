package gitlab_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

// signing is a secret that can also sign, plainSecret one that cannot.
const (
	signing     = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	plainSecret = "a secret of the old kind"
)

func on(r source.Repository) source.Target { return source.Target{Repository: r} }

func wanting(url, hookSecret string, events ...event.Type) source.HookSettings {
	return source.HookSettings{PayloadURL: url, Secret: secret.New(hookSecret), Events: events}
}

func TestHooksOfAProject(t *testing.T) {
	l := start(t, sourcetest.Options{})
	all := []event.Type{event.Push, event.PullRequestCreated, event.PullRequestMerged, event.Released, event.WorkflowJobQueued}
	s := wanting("https://ci.example/webhooks/1", plainSecret, all...)
	s.Comments, s.Insecure = true, true
	made, err := l.CreateHook(t.Context(), on(l.repo), s, login(full))
	must(t, err)
	if !made.Active || !made.Signed || made.ID == "" || made.URL != l.at.APIBase+"/projects/a%2Fb%2Fapp/hooks/"+made.ID {
		t.Errorf("CreateHook = %+v", made)
	}
	want := []sourcetest.Hook{{
		ID: made.ID, Target: "a/b/app", URL: s.PayloadURL, Secret: plainSecret, Active: true, InsecureTLS: true,
		Events: []string{"job_events", "merge_requests_events", "note_events", "push_events", "releases_events", "tag_push_events"},
	}}
	if diff := cmp.Diff(want, l.Server.Hooks("a/b/app")); diff != "" {
		t.Errorf("at GitLab (-want +got):\n%s", diff)
	}
	_, err = l.CreateHook(t.Context(), on(l.repo), wanting("https://ci.example/webhooks/12", "x"), login(full))
	must(t, err)
	found, err := l.Provider.Hooks(t.Context(), on(l.repo), s.PayloadURL, login(full))
	if must(t, err); len(found) != 1 || found[0].ID != made.ID || !found[0].Signed || found[0].LastResponse != "" {
		t.Errorf("Hooks = %+v", found)
	}

	// Another address, other events: GitLab drops the token, unless it goes with it.
	changed := wanting("https://ci.example/webhooks/2", "new", event.PullRequestUpdated)
	updated, err := l.UpdateHook(t.Context(), on(l.repo), made.ID, changed, login(full))
	if must(t, err); !updated.Signed || !updated.Active {
		t.Errorf("UpdateHook = %+v", updated)
	}
	want[0].URL, want[0].Secret, want[0].InsecureTLS, want[0].Events = changed.PayloadURL, "new", false, []string{"merge_requests_events"}
	if diff := cmp.Diff(want[0], l.Server.Hooks("a/b/app")[0]); diff != "" {
		t.Errorf("at GitLab (-want +got):\n%s", diff)
	}
	for range 2 { // gone already is no error
		must(t, l.DeleteHook(t.Context(), on(l.repo), made.ID, login(full)))
	}
	if got := l.Server.Hooks("a/b/app"); len(got) != 1 {
		t.Errorf("%d hooks left, want the other one", len(got))
	}
	hidden := l.repo
	hidden.Name = "nothing"
	if err := l.DeleteHook(t.Context(), on(hidden), "1", login(full)); err == nil {
		t.Error("DeleteHook on a project that nobody sees succeeded")
	}
}

func TestHooksOfAGroup(t *testing.T) {
	l := start(t, sourcetest.Options{})
	h := listen(t)
	group := source.Target{Repository: source.Repository{Site: l.at}, Scope: api.WebhookScopeTypeGitlabGroup, ScopeName: "a"}
	made, err := l.CreateHook(t.Context(), group, wanting(h.url, plainSecret, event.Push), login(full))
	if must(t, err); made.URL != l.at.APIBase+"/groups/a/hooks/"+made.ID {
		t.Errorf("CreateHook = %+v", made)
	}
	for _, name := range []string{"app", "site"} {
		owner := map[string]string{"app": "a/b", "site": "a"}[name]
		_, err := l.Push(owner, name, "main", map[string]string{"f": "f"}, "more", "mona")
		must(t, err)
	}
	if got := len(h.take()); got != 2 {
		t.Errorf("%d deliveries, want one of each project, subgroups too", got)
	}
	l.SetRole("a/b", "app", "mona", "maintain")
	l.SetRole("a", "site", "mona", "maintain")
	_, err = l.CreateHook(t.Context(), group, wanting("https://ci.example/", plainSecret, event.Push), login(full))
	if r := refusal(t, err); r.Cause != slipway.FailureCauseNotAdmin || !strings.Contains(r.NextStep, "role Owner on a") {
		t.Errorf("refusal = %+v", r)
	}
}

func TestAHookSignsWhereGitLabCan(t *testing.T) {
	for _, c := range []struct {
		name   string
		on     bool
		secret string
		signed bool // by Standard Webhooks
	}{
		{"the feature is on", true, signing, true},
		{"the feature is off and ignores the field", false, signing, false},
		{"the secret is not for signing", true, plainSecret, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := start(t, sourcetest.Options{SigningTokens: c.on})
			h := listen(t)
			made, err := l.CreateHook(t.Context(), on(l.repo), wanting(h.url, c.secret, event.Push), login(full))
			if must(t, err); !made.Signed {
				t.Error("the hook is not signed")
			}
			_, err = l.Push("a/b", "app", "main", map[string]string{"f": "f"}, "more", "mona")
			must(t, err)
			got := h.take()[0]
			if got.Header.Get("X-Gitlab-Token") != c.secret || (got.Header.Get("webhook-signature") != "") != c.signed {
				t.Errorf("headers = %v", got.Header)
			}
			secrets := []secret.Text{secret.New("another"), secret.New(c.secret)}
			if v, i := l.Signed(got.Header, got.Body, secrets, time.Now()); v != slipway.SignatureVerdictValidOldSecret || i != 1 {
				t.Errorf("Signed = %s, %d", v, i)
			}
		})
	}
}

// Pitfall: GitLab switches a hook off that failed while we were away.
func TestAHookThatGitLabHoldsBackIsShownAndSwitchedOnAgain(t *testing.T) {
	l := start(t, sourcetest.Options{})
	h := listen(t)
	s := wanting(h.url, plainSecret, event.Push)
	made, err := l.CreateHook(t.Context(), on(l.repo), s, login(full))
	must(t, err)
	push := func() {
		t.Helper()
		_, err := l.Push("a/b", "app", "main", map[string]string{"f": time.Now().String()}, "more", "mona")
		must(t, err)
	}
	state := func() source.Hook {
		t.Helper()
		found, err := l.Provider.Hooks(t.Context(), on(l.repo), h.url, login(full))
		if must(t, err); len(found) != 1 {
			t.Fatalf("Hooks = %+v", found)
		}
		return found[0]
	}
	h.answer(503)
	for range 4 {
		push()
	}
	if got := state(); got.Active || !strings.HasPrefix(got.State, "temporarily_disabled until 20") || got.LastResponse != "503 Service Unavailable" {
		t.Errorf("after four failures: %+v", got)
	}
	h.answer(200)
	h.take()
	push()
	if got := len(h.take()); got != 0 {
		t.Errorf("%d deliveries to a hook that is held back", got)
	}
	if got, err := l.UpdateHook(t.Context(), on(l.repo), made.ID, s, login(full)); err != nil || !got.Active {
		t.Errorf("UpdateHook = %+v, %v", got, err)
	}
	must(t, l.TestHook(t.Context(), on(l.repo), made.ID, login(full)))
	push()
	if got := len(h.take()); got != 2 {
		t.Errorf("%d deliveries, want the test and the push", got)
	}
	if got := state(); !got.Active || got.State != "" || got.LastResponse != "200 OK" {
		t.Errorf("at the end: %+v", got)
	}
	l.SetHookActive(made.ID, false)
	if got := state(); got.Active || got.State != "disabled" {
		t.Errorf("switched off for good: %+v", got)
	}
}

func TestAnAddressThatGitLabMayNotCallIsExplained(t *testing.T) {
	l := start(t, sourcetest.Options{RefuseLocal: true})
	_, err := l.CreateHook(t.Context(), on(l.repo), wanting("http://192.168.1.2/webhooks/1", plainSecret), login(full))
	if r := refusal(t, err); r.Cause != slipway.FailureCauseRejected || !strings.Contains(r.NextStep, "--public-url") || !strings.Contains(r.NextStep, "Outbound requests") {
		t.Errorf("refusal = %+v", r)
	}
}

func TestARefusalDoesNotRepeatTheSecretOfAHook(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("POST *", 400, `{"message":{"token":["is bad: `+plainSecret+`"]}}`, 1)
	_, err := l.CreateHook(t.Context(), on(l.repo), wanting("https://ci.example/", plainSecret), login(full))
	if r := refusal(t, err); strings.Contains(r.Error(), plainSecret) || !strings.Contains(r.Message, "token is bad: [redacted]") {
		t.Errorf("refusal = %q", r)
	}
}
