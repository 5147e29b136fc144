package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/webhook/event"
)

// maxComment is how many bytes of a comment are kept.
const maxComment = 64 << 10

// Signed tells whether a delivery carries the HMAC of its body under one of
// secrets. GitHub's older SHA-1 signature counts for nothing, nor does an empty
// secret. GitHub signs no time, so now does not matter.
func (p *Provider) Signed(h http.Header, body []byte, secrets []secret.Text, _ time.Time) (slipway.SignatureVerdict, int) {
	values := h.Values("X-Hub-Signature-256")
	if len(values) == 0 {
		return slipway.SignatureVerdictMissing, -1
	}
	text, prefixed := strings.CutPrefix(values[0], "sha256=")
	signature, err := hex.DecodeString(text)
	sound := len(values) == 1 && prefixed && err == nil
	fits := -1
	for i, s := range secrets {
		key := s.Reveal()
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), signature) && sound && key != "" && fits < 0 {
			fits = i
		}
	}
	switch {
	case fits == 0:
		return slipway.SignatureVerdictValid, 0
	case fits > 0:
		return slipway.SignatureVerdictValidOldSecret, fits
	}
	return slipway.SignatureVerdictInvalid, -1
}

// A payload is what deliveries say, as far as it matters.
type payload struct {
	Action       string       `json:"action"`
	Repository   *pushedRepo  `json:"repository"`
	Organization *user        `json:"organization"`
	Sender       *user        `json:"sender"`
	Hook         *hook        `json:"hook"`
	Ref          string       `json:"ref"`
	Before       string       `json:"before"`
	After        string       `json:"after"`
	Deleted      bool         `json:"deleted"`
	Commits      []pushed     `json:"commits"`
	HeadCommit   *pushed      `json:"head_commit"`
	Number       int64        `json:"number"`
	PullRequest  *pullRequest `json:"pull_request"`
	Release      *release     `json:"release"`
	Job          *job         `json:"workflow_job"`
	Issue        *struct {
		Number      int64           `json:"number"`
		PullRequest json.RawMessage `json:"pull_request"`
	} `json:"issue"`
	Comment *struct {
		Body string `json:"body"`
		User user   `json:"user"`
	} `json:"comment"`
}

// pushedRepo is a repository of a delivery; its times are numbers in pushes.
type pushedRepo struct {
	repo
	PushedAt moment `json:"pushed_at"`
}

// A pushed is a commit of a push.
type pushed struct {
	ID       string   `json:"id"`
	Message  string   `json:"message"`
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`
	Modified []string `json:"modified"`
}

type release struct {
	TagName   string `json:"tag_name"`
	Name      string `json:"name"`
	Published moment `json:"published_at"`
}

type job struct {
	ID           int64    `json:"id"`
	RunID        int64    `json:"run_id"`
	WorkflowName string   `json:"workflow_name"`
	HeadBranch   string   `json:"head_branch"`
	HeadSHA      string   `json:"head_sha"`
	Labels       []string `json:"labels"`
	Started      moment   `json:"started_at"`
}

// A moment is a time in Unix seconds or as RFC 3339; what is neither is zero.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(text []byte) error {
	if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil && seconds > 0 && seconds < 1<<40 {
		m.Time = time.Unix(seconds, 0).UTC()
	} else if t, err := time.Parse(`"`+time.RFC3339+`"`, string(text)); err == nil {
		m.Time = t.UTC()
	}
	return nil
}

// Read reads a delivery in either of the forms that a hook can be set to.
func (p *Provider) Read(h http.Header, body []byte) (event.Delivery, error) {
	name := h.Get("X-GitHub-Event")
	if name == "" {
		return event.Delivery{}, errors.New("the delivery has no X-GitHub-Event: it does not come from GitHub")
	}
	if kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil || !form.Has("payload") {
			return event.Delivery{}, errors.New("the delivery is a form without a payload; set the content type of the webhook to application/json")
		}
		body = []byte(form.Get("payload"))
	}
	var in payload
	if err := json.Unmarshal(body, &in); err != nil {
		if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return event.Delivery{}, fmt.Errorf("%s of the delivery is not what GitHub sends", bad.Field)
		}
		return event.Delivery{}, errors.New("the delivery is not JSON")
	}
	d := event.Delivery{ID: h.Get("X-GitHub-Delivery"), Name: name, Sender: h.Get("User-Agent")}
	if in.Action != "" {
		d.Name += " " + in.Action
	}
	if in.Repository != nil {
		d.Repository = in.Repository.event()
		if in.Organization != nil {
			d.Repository.Organization = in.Organization.Login
		}
	}
	if err := in.tell(name, &d); err != nil {
		return event.Delivery{}, fmt.Errorf("the delivery of %s cannot be used: %w", d.Name, err)
	}
	return d, nil
}

// tell adds what a delivery of this name says to d.
func (in *payload) tell(name string, d *event.Delivery) error {
	read := map[string]func() (event.Event, string, error){
		"push": in.push, "pull_request": in.pullRequest, "release": in.release, "workflow_job": in.workflowJob,
	}[name]
	switch {
	case name == "ping":
		d.Note = "GitHub tries whether the webhook is reached: it is."
		return nil
	case name == "issue_comment":
		return in.comment(d)
	case read == nil:
		d.Note = "Nothing is built for " + name + "."
		return nil
	case in.Repository == nil:
		return errors.New("it names no repository")
	}
	e, note, err := read()
	if err != nil || note != "" {
		d.Note = note
		return err
	}
	if in.Sender != nil {
		e.ActorID, e.ActorName = id(in.Sender.ID), in.Sender.Login
	}
	d.Events = []event.Event{e}
	return nil
}

func (in *payload) push() (event.Event, string, error) {
	if !strings.HasPrefix(in.Ref, "refs/") || !commitID.MatchString(in.After) || !commitID.MatchString(in.Before) {
		return event.Event{}, "", errors.New("it lacks the ref or the commits of the push")
	}
	e := event.Event{Type: event.Push, HeadRef: in.Ref, At: in.Repository.PushedAt.Time}
	if !none(in.Before) {
		e.Before = in.Before
	}
	if in.Deleted || none(in.After) {
		e.Deleted, e.Files = true, []string{}
		return e, "", nil
	}
	e.Commit = in.After
	if in.HeadCommit != nil {
		if commitID.MatchString(in.HeadCommit.ID) {
			e.Commit = in.HeadCommit.ID // of an annotated tag, after is the tag
		}
		e.Message = new(in.HeadCommit.Message)
	}
	e.Files = in.files()
	return e, "", nil
}

func none(commit string) bool { return strings.Trim(commit, "0") == "" }

// files returns every path that the commits of a push changed; nil if the
// payload is too short to hold them.
func (in *payload) files() []string {
	if len(in.Commits) >= maxCommits {
		return nil
	}
	found := paths{list: []string{}}
	for _, c := range in.Commits {
		if len(c.Added)+len(c.Removed)+len(c.Modified) >= maxFiles {
			return nil
		}
		for _, path := range slices.Concat(c.Added, c.Removed, c.Modified) {
			found.name(path)
		}
	}
	return found.list
}

// pullActions are what is built of what happens to a pull request.
var pullActions = map[string]event.Type{
	"opened": event.PullRequestCreated, "synchronize": event.PullRequestUpdated, "reopened": event.PullRequestReopened, "closed": event.PullRequestClosed,
}

func (in *payload) pullRequest() (event.Event, string, error) {
	t, ok := pullActions[in.Action]
	if !ok {
		return event.Event{}, "Nothing is built when a pull request is " + plain(in.Action) + ".", nil
	}
	if in.PullRequest == nil {
		return event.Event{}, "", errors.New("it holds no pull request")
	}
	if in.Action == "closed" && in.PullRequest.Merged {
		t = event.PullRequestMerged
	}
	e, err := in.PullRequest.event(t)
	return e, "", err
}

func (in *payload) release() (event.Event, string, error) {
	t := map[string]event.Type{"released": event.Released, "prereleased": event.Prereleased}[in.Action]
	if t == "" {
		return event.Event{}, "Nothing is built when a release is " + plain(in.Action) + ": GitHub also tells that it is released or prereleased.", nil
	}
	if in.Release == nil || in.Release.TagName == "" {
		return event.Event{}, "", errors.New("it lacks the tag of the release")
	}
	return event.Event{Type: t, HeadRef: "refs/tags/" + in.Release.TagName, Tag: in.Release.TagName, ReleaseName: in.Release.Name, At: in.Release.Published.Time}, "", nil
}

func (in *payload) workflowJob() (event.Event, string, error) {
	if in.Action != "queued" {
		return event.Event{}, "Nothing is built when a workflow job is " + plain(in.Action) + ".", nil
	}
	if in.Job == nil || in.Job.ID < 1 || !commitID.MatchString(in.Job.HeadSHA) {
		return event.Event{}, "", errors.New("it lacks the job or its commit")
	}
	e := event.Event{Type: event.WorkflowJobQueued, Commit: in.Job.HeadSHA, At: in.Job.Started.Time,
		Job: &event.Job{ID: in.Job.ID, RunID: in.Job.RunID, Workflow: in.Job.WorkflowName, Labels: in.Job.Labels}}
	if in.Job.HeadBranch != "" {
		e.HeadRef = "refs/heads/" + in.Job.HeadBranch
	}
	return e, "", nil
}

func (in *payload) comment(d *event.Delivery) error {
	switch {
	case in.Action != "created":
		d.Note = "Nothing is built when a comment is " + plain(in.Action) + "."
		return nil
	case in.Issue == nil || in.Comment == nil || in.Repository == nil:
		return errors.New("it lacks the comment, its issue or the repository")
	case len(in.Issue.PullRequest) == 0 || string(in.Issue.PullRequest) == "null":
		d.Note = "The comment is on an issue, not on a pull request."
		return nil
	}
	text := in.Comment.Body
	if len(text) > maxComment {
		text = text[:maxComment]
		for text != "" && !utf8.RuneStart(in.Comment.Body[len(text)]) {
			text = text[:len(text)-1]
		}
	}
	d.Comment = &event.Comment{PullRequest: in.Issue.Number, AuthorID: id(in.Comment.User.ID), AuthorName: in.Comment.User.Login, Text: text}
	return nil
}

// plain writes an action as a word in a sentence.
func plain(action string) string {
	if action == "" {
		return "changed"
	}
	return strings.ReplaceAll(action, "_", " ")
}
