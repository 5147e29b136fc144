package bitbucket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// maxComment is how many bytes of a comment are kept.
const maxComment = 64 << 10

// hash is a commit's id, whole or abbreviated.
var hash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// Signed compares the HMAC of the raw body, which Bitbucket sends as SHA-256
// under the name that elsewhere means SHA-1, and only if the hook has a secret.
// Bitbucket signs no time.
func (p *Provider) Signed(h http.Header, body []byte, secrets []secret.Text, _ time.Time) (slipway.SignatureVerdict, int) {
	said := h.Values("X-Hub-Signature")
	if len(said) == 0 {
		return slipway.SignatureVerdictMissing, -1
	}
	digest, prefixed := strings.CutPrefix(said[0], "sha256=")
	sum, err := hex.DecodeString(digest)
	if err != nil || !prefixed || len(said) > 1 {
		sum = nil // equals no sum
	}
	found := -1
	for i, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s.Reveal()))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), sum) && !s.IsZero() && found < 0 {
			found = i
		}
	}
	switch {
	case found < 0:
		return slipway.SignatureVerdictInvalid, -1
	case found > 0:
		return slipway.SignatureVerdictValidOldSecret, found
	}
	return slipway.SignatureVerdictValid, 0
}

// payload is what every delivery about a repository holds, and what some do.
type payload struct {
	Actor       account      `json:"actor"`
	Repository  repository   `json:"repository"`
	Push        *push        `json:"push"`
	PullRequest *pullRequest `json:"pullrequest"`
	Comment     *struct {
		User    account `json:"user"`
		Content struct {
			Raw string `json:"raw"`
		} `json:"content"`
	} `json:"comment"`
}

type push struct {
	Changes []struct {
		New *pushed `json:"new"`
		Old *pushed `json:"old"`
	} `json:"changes"`
}

// pushed is a branch or tag before or after a push.
type pushed struct {
	Type   string  `json:"type"`
	Name   string  `json:"name"`
	Target *commit `json:"target"`
}

func (r *pushed) ref() string {
	if r == nil || r.Name == "" {
		return ""
	}
	switch r.Type {
	case "branch", "named_branch":
		return "refs/heads/" + r.Name
	case "tag":
		return "refs/tags/" + r.Name
	}
	return ""
}

func (r *pushed) commit() *commit {
	if r == nil {
		return nil
	}
	return r.Target
}

// pullRequestEvents is what Bitbucket's event keys are to CodeBuild.
var pullRequestEvents = map[string]event.Type{
	"pullrequest:created":   event.PullRequestCreated,
	"pullrequest:updated":   event.PullRequestUpdated,
	"pullrequest:push":      event.PullRequestUpdated, // newer, and for hooks made by hand: those we make ask for updated
	"pullrequest:fulfilled": event.PullRequestMerged,
	"pullrequest:rejected":  event.PullRequestClosed,
}

// Read reads a delivery of Bitbucket Cloud. One push may be about several
// branches and tags: each is an event. Bitbucket lists at most five commits of
// a push and no files, so Files is always nil; a pull request's commits have
// twelve characters, and its message is not told. pullrequest:updated comes for
// new titles and reviewers as for new commits, and the payload does not tell
// which: it is an event that Repeats, and whoever knows the last commit can see
// that it is the same.
func (p *Provider) Read(h http.Header, body []byte) (event.Delivery, error) {
	key := shown(h.Get("X-Event-Key"))
	d := event.Delivery{ID: shown(h.Get("X-Request-UUID")), Name: key, Sender: shown(h.Get("User-Agent"))}
	switch {
	case key == "":
		return d, errors.New("the delivery has no X-Event-Key header: it does not come from Bitbucket")
	case key == "diagnostics:ping":
		d.Note = "This is a test of the connection: there is nothing to build."
		return d, nil
	case strings.HasPrefix(key, "pr:") || strings.HasPrefix(key, "mirror:") || key == "repo:refs_changed":
		return d, fmt.Errorf("%s comes from Bitbucket Data Center, which Slipway does not support: sources of type BITBUCKET are at bitbucket.org", key)
	}
	t, isPullRequest := pullRequestEvents[key]
	var in payload
	var err error
	if isPullRequest || key == "repo:push" || key == "pullrequest:comment_created" {
		err = json.Unmarshal(body, &in)
	} else { // of anything else, only what it is about
		about := struct{ Repository *repository }{&in.Repository}
		err = json.Unmarshal(body, &about)
	}
	if err != nil {
		return d, fmt.Errorf("%s is not the JSON that Bitbucket documents: %w", key, err)
	}
	d.Repository = in.Repository.event()
	switch {
	case isPullRequest:
		err = in.pullRequest(&d, t)
	case key == "repo:push":
		err = in.push(&d)
	case key == "pullrequest:comment_created":
		err = in.comment(&d)
	default:
		d.Note = "Bitbucket's event " + key + " starts no builds."
	}
	return d, err
}

// shown makes a header fit to show and to keep.
func shown(text string) string { return rest.Cut(rest.Clean(text, secret.Text{}), 100) }

func (in payload) push(d *event.Delivery) error {
	if in.Push == nil {
		return errors.New("repo:push has no push")
	}
	for _, ch := range in.Push.Changes {
		e := event.Event{Type: event.Push, ActorID: in.Actor.ID(), ActorName: in.Actor.name(), Before: ch.Old.commit().id()}
		switch {
		case ch.New != nil:
			e.HeadRef, e.Commit = ch.New.ref(), ch.New.commit().id()
			if e.HeadRef != "" && e.Commit == "" {
				return fmt.Errorf("repo:push does not say at which commit %s is", shown(e.HeadRef))
			}
			if ch.New.Target != nil {
				e.Message = ch.New.Target.Message
			}
		case ch.Old != nil:
			e.HeadRef, e.Deleted = ch.Old.ref(), true
		}
		if e.HeadRef != "" {
			d.Events = append(d.Events, e)
		}
	}
	if len(d.Events) == 0 {
		d.Note = "The push changed no branch and no tag."
	}
	return nil
}

func (in payload) pullRequest(d *event.Delivery, t event.Type) error {
	if in.PullRequest == nil || in.PullRequest.ID <= 0 {
		return fmt.Errorf("%s has no pull request", d.Name)
	}
	e := in.PullRequest.event(t, in.Actor, in.Repository, repository.event)
	if e.Commit == "" {
		return fmt.Errorf("%s does not say at which commit the pull request is", d.Name)
	}
	e.Repeats = d.Name == "pullrequest:updated"
	d.Events = []event.Event{e}
	return nil
}

func (in payload) comment(d *event.Delivery) error {
	if in.PullRequest == nil || in.PullRequest.ID <= 0 || in.Comment == nil {
		return fmt.Errorf("%s has no pull request or no comment", d.Name)
	}
	who := in.Comment.User
	if who.ID() == "" {
		who = in.Actor
	}
	text := in.Comment.Content.Raw
	if len(text) > maxComment {
		cut := maxComment
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	d.Comment = &event.Comment{PullRequest: in.PullRequest.ID, AuthorID: who.ID(), AuthorName: who.ID(), Text: text}
	return nil
}

// when reads a time of Bitbucket's; zero if it is none.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
