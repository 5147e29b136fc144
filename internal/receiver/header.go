package receiver

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"slipway/internal/api"
)

// maxHeader bounds what is kept of one header.
const maxHeader = 200

// kept are the headers that say what a delivery is and where it comes from.
// What signs it, or is a secret itself, is not among them.
var kept = []string{
	"Content-Type", "User-Agent",
	"X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-Type", "X-GitHub-Hook-Installation-Target-ID",
	"X-GitHub-Enterprise-Host", "X-GitHub-Enterprise-Version",
	"X-Event-Key", "X-Request-UUID", "X-Hook-UUID", "X-Attempt-Number",
	"X-Gitlab-Event", "X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID", "X-Gitlab-Instance", "Idempotency-Key", "Webhook-Id", "Webhook-Timestamp",
}

// keep returns what is stored of a delivery's headers.
func keep(h http.Header) map[string][]string {
	out := map[string][]string{}
	for _, name := range kept {
		name = http.CanonicalHeaderKey(name)
		if v := h.Get(name); v != "" {
			out[name] = []string{clean(v)}
		}
	}
	return out
}

// clean bounds a header and takes out what would disturb a terminal.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, text)
	if len(text) > maxHeader {
		text = strings.ToValidUTF8(text[:maxHeader], "")
	}
	return text
}

// A naming is the headers by which a provider names its deliveries.
type naming struct {
	event string
	ids   []string // the first that is there counts
	agent string   // who delivers, if that is not said
}

// GitLab sends the same Idempotency-Key when it delivers again; the event's
// UUID is also that of the deliveries that this one leads to.
var (
	gitHub  = naming{"X-GitHub-Event", []string{"X-GitHub-Delivery"}, "GitHub-Hookshot"}
	gitLab  = naming{"X-Gitlab-Event", []string{"Idempotency-Key", "Webhook-Id", "X-Gitlab-Event-UUID"}, "GitLab"}
	namings = map[api.ServerType]naming{
		api.ServerTypeGithub:            gitHub,
		api.ServerTypeGithubEnterprise:  gitHub,
		api.ServerTypeBitbucket:         {"X-Event-Key", []string{"X-Request-UUID"}, "Bitbucket-Webhooks/2.0"},
		api.ServerTypeGitlab:            gitLab,
		api.ServerTypeGitlabSelfManaged: gitLab,
	}
)

// deliveryID returns what is the same when a provider delivers again. One that
// gives no id is recognised by its payload, which has times and ids in it.
func deliveryID(server api.ServerType, h http.Header, body []byte) string {
	for _, name := range namings[server].ids {
		if id := clean(h.Get(name)); id != "" {
			return id
		}
	}
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// sender returns who is shown to have started a build.
func sender(server api.ServerType, agent string) string {
	if agent = clean(agent); agent != "" {
		return agent
	}
	return namings[server].agent
}
