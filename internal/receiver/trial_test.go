package receiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/webhook"
)

func TestThePayloadShowsWhichEventItIs(t *testing.T) {
	tests := []struct {
		server  api.ServerType
		payload string
		want    string // "" means that it must be said
	}{
		{"GITHUB", `{"ref":"refs/heads/main","before":"a","after":"b"}`, "push"},
		{"GITHUB", `{"action":"opened","number":1,"pull_request":{}}`, "pull_request"},
		{"GITHUB_ENTERPRISE", `{"action":"released","release":{}}`, "release"},
		{"GITHUB", `{"action":"queued","workflow_job":{}}`, "workflow_job"},
		{"GITHUB", `{"action":"created","issue":{},"comment":{}}`, "issue_comment"},
		{"GITHUB", `{"zen":"x","hook_id":1}`, "ping"},
		{"GITHUB", `{"action":"starred"}`, ""},
		{"BITBUCKET", `{"push":{"changes":[]}}`, "repo:push"},
		{"BITBUCKET", `{"pullrequest":{}}`, ""},
		{"GITLAB", `{"object_kind":"push"}`, "Push Hook"},
		{"GITLAB_SELF_MANAGED", `{"object_kind":"merge_request"}`, "Merge Request Hook"},
		{"GITLAB", `{"object_kind":["push"]}`, ""},
	}
	for _, tt := range tests {
		h, err := headerOf(tt.server, webhook.Trial{Payload: []byte(tt.payload)})
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), namings[tt.server].event) {
				t.Errorf("%s of %s is taken for %v, %v", tt.payload, tt.server, h, err)
			}
			continue
		}
		if got := http.Header(h).Get(namings[tt.server].event); got != tt.want || err != nil {
			t.Errorf("%s of %s is taken for %q, %v, want %q", tt.payload, tt.server, got, err, tt.want)
		}
	}
	h, err := headerOf("BITBUCKET", webhook.Trial{Payload: []byte(`{"pullrequest":{}}`), Event: "pullrequest:created"})
	if err != nil || http.Header(h).Get("X-Event-Key") != "pullrequest:created" {
		t.Errorf("the event that was said is %v, %v", h, err)
	}
}

// FuzzHeaders holds that whatever headers and payloads say, what is kept of
// them is bounded and printable, and every delivery has an id.
func FuzzHeaders(f *testing.F) {
	f.Add("push", "guid", []byte(`{"ref":"x"}`))
	f.Add("a\x1b[2J", strings.Repeat("x", 1000), []byte(`[]`))
	f.Add("", "", []byte(`{"object_kind":"push"}`))
	f.Fuzz(func(t *testing.T, event, id string, payload []byte) {
		for server, n := range namings {
			h := http.Header{http.CanonicalHeaderKey(n.event): {event}, http.CanonicalHeaderKey(n.ids[0]): {id}, "X-Gitlab-Token": {"secret"}, "X-Hub-Signature-256": {"sha256=x"}}
			out := keep(h)
			text, err := json.Marshal(out)
			if err != nil || strings.Contains(string(text), "secret") || strings.Contains(string(text), "sha256=x") {
				t.Errorf("kept: %s, %v", text, err)
			}
			for name, values := range out {
				if v := values[0]; len(v) > maxHeader || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
					t.Errorf("header %s is kept as %q", name, v)
				}
			}
			if got := deliveryID(server, h, payload); got == "" || len(got) > maxHeader {
				t.Errorf("the id is %q", got)
			}
			_, _ = headerOf(server, webhook.Trial{Event: event, Payload: payload})
		}
	})
}
