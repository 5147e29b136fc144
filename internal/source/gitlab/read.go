package gitlab

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/internal/webhook/event"
)

// Bounds of what is taken from a delivery.
const (
	maxListed  = 20       // commits that GitLab lists of a push; of more it leaves out the oldest
	maxComment = 64 << 10 // bytes of a comment
	maxID      = 200      // bytes of a delivery's id
)

var (
	objectID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	zeroID   = regexp.MustCompile(`^0+$`)
)

// Read reads a delivery. What it is about is taken from the body, which is what
// GitLab signs; its name for people from the header.
func (p *Provider) Read(h http.Header, body []byte) (event.Delivery, error) {
	name := h.Get("X-Gitlab-Event")
	if name == "" {
		return event.Delivery{}, errors.New("the delivery is not GitLab's: it lacks the header X-Gitlab-Event")
	}
	var k kind
	if err := decode(body, &k); err != nil {
		return event.Delivery{}, errors.New("the delivery is no JSON object of GitLab's")
	}
	d := event.Delivery{
		ID:     bounded(cmp.Or(h.Get("Idempotency-Key"), h.Get("Webhook-Id"), h.Get("X-Gitlab-Event-UUID"))),
		Name:   bounded(name),
		Sender: bounded(h.Get("User-Agent")),
	}
	if name == "System Hook" {
		d.Note = "System hooks tell of the whole installation and start no builds: set a webhook on the project or group."
		return d, nil
	}
	read, ok := map[string]func(*event.Delivery, []byte) error{
		"push": readPush, "tag_push": readPush, "merge_request": readMergeRequest, "note": readNote, "release": readRelease, "build": readJob,
	}[k.Object]
	if !ok {
		d.Note = fmt.Sprintf("Events of the kind %q start no builds.", bounded(cmp.Or(k.Object, k.Name)))
		var at place
		if decode(body, &at) == nil { // of such an event it may be anything
			d.Repository = at.repository()
		}
		return d, nil
	}
	if err := read(&d, body); err != nil {
		return event.Delivery{}, err
	}
	return d, nil
}

func bounded(s string) string {
	if len(s) > maxID {
		s = s[:maxID]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func readPush(d *event.Delivery, body []byte) error {
	var in push
	if err := decode(body, &in); err != nil {
		return err
	}
	d.Repository = in.repository()
	e := event.Event{
		Type: event.Push, ActorID: string(in.UserID), ActorName: bounded(cmp.Or(in.UserUsername, in.UserName)), HeadRef: in.Ref,
		Commit: cmp.Or(in.Checkout, in.After), // of an annotated tag, after is the tag and not the commit
		Before: in.Before,
	}
	if !strings.HasPrefix(in.Ref, "refs/heads/") && !strings.HasPrefix(in.Ref, "refs/tags/") || !fits(in.Ref) {
		return fmt.Errorf("the delivery names no branch or tag: its ref is %q", bounded(in.Ref))
	}
	if zeroID.MatchString(e.Before) {
		e.Before = ""
	}
	if zeroID.MatchString(in.After) {
		e.Deleted, e.Commit = true, ""
		d.Events = []event.Event{e}
		return nil
	}
	if !objectID.MatchString(e.Commit) || e.Before != "" && !objectID.MatchString(e.Before) {
		return fmt.Errorf("the delivery names no commit for %s", bounded(in.Ref))
	}
	for _, c := range in.Commits {
		if c.ID == e.Commit {
			e.Message = c.Message
		}
	}
	if in.Total > 0 && in.Total <= len(in.Commits) && len(in.Commits) <= maxListed {
		e.Files = files(in.Commits)
	}
	d.Events = []event.Event{e}
	return nil
}

// files returns every path of commits, sorted and once.
func files(commits []commit) []string {
	all := []string{}
	for _, c := range commits {
		all = append(append(append(all, c.Added...), c.Modified...), c.Removed...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mergeRequestTypes are the actions on merge requests that CodeBuild knows.
var mergeRequestTypes = map[string]event.Type{
	"open": event.PullRequestCreated, "update": event.PullRequestUpdated, "reopen": event.PullRequestReopened,
	"merge": event.PullRequestMerged, "close": event.PullRequestClosed,
}

func readMergeRequest(d *event.Delivery, body []byte) error {
	var in mergeRequest
	if err := decode(body, &in); err != nil {
		return err
	}
	d.Repository = in.repository()
	at := in.Attributes
	d.Name = strings.TrimSpace(d.Name + " " + bounded(at.Action))
	t, ok := mergeRequestTypes[at.Action]
	switch {
	case !ok:
		d.Note = fmt.Sprintf("The action %q on a merge request starts no builds.", bounded(at.Action))
		return nil
	case t == event.PullRequestUpdated && at.OldRev == "":
		d.Note = "The merge request has no new commits: its title, labels or the like were changed, or this is a test."
		return nil
	case at.IID <= 0 || at.SourceBranch == "" || at.TargetBranch == "" || !fits(at.SourceBranch) || !fits(at.TargetBranch):
		return fmt.Errorf("the delivery names no merge request, or not its branches")
	case !objectID.MatchString(at.LastCommit.ID) || at.OldRev != "" && !objectID.MatchString(at.OldRev):
		return fmt.Errorf("the delivery names no commit for merge request %d", at.IID)
	}
	e := event.Event{
		Type: t, ActorID: string(in.User.ID), ActorName: in.User.shown(), HeadRef: "refs/heads/" + at.SourceBranch, BaseRef: "refs/heads/" + at.TargetBranch,
		Commit: at.LastCommit.ID, Before: at.OldRev, Message: at.LastCommit.Message, At: moment(at.UpdatedAt),
		PullRequest: &event.PullRequest{
			Number: at.IID, AuthorID: string(at.AuthorID), AuthorName: string(at.AuthorID), Fork: at.SourceProject == "" || at.SourceProject != at.TargetProject,
		},
	}
	if in.User.ID == at.AuthorID {
		e.PullRequest.AuthorName = in.User.login()
	}
	switch {
	case at.SourceProject == "": // its fork is gone
	case at.Source != nil:
		head := *at.Source
		head.ID = cmp.Or(at.SourceProject, head.ID)
		e.PullRequest.Head = head.repository()
	default:
		e.PullRequest.Head = event.Repository{ID: string(at.SourceProject)}
	}
	if merged := cmp.Or(at.MergeCommit, at.SquashCommit); t == event.PullRequestMerged && objectID.MatchString(merged) {
		e.Merge = merged
	}
	d.Events = []event.Event{e}
	return nil
}

// shown is a user for people.
func (u user) shown() string { return bounded(cmp.Or(u.Username, u.Name)) }

// login is what Role takes for a user: the name, unless it would be read as a
// number there.
func (u user) login() string {
	if u.Username == "" || !fits(u.Username) || digits(u.Username) {
		return string(u.ID)
	}
	return u.Username
}

func readNote(d *event.Delivery, body []byte) error {
	var in note
	if err := decode(body, &in); err != nil {
		return err
	}
	d.Repository = in.repository()
	at := in.Attributes
	switch {
	case at.On != "MergeRequest":
		d.Note = fmt.Sprintf("Comments on a thing of the kind %q start no builds.", bounded(at.On))
	case at.System:
		d.Note = "GitLab wrote the comment itself."
	case at.Action != "" && at.Action != "create":
		d.Note = "A comment that was written before was changed: only new ones count."
	case in.MergeRequest.IID <= 0:
		return fmt.Errorf("the delivery does not say on which merge request the comment is")
	default:
		author := user{ID: cmp.Or(at.AuthorID, in.User.ID)}
		if author.ID == in.User.ID || in.User.ID == "" {
			author.Username = in.User.Username
		}
		d.Comment = &event.Comment{PullRequest: in.MergeRequest.IID, AuthorID: string(author.ID), AuthorName: author.login(), Text: cutBytes(at.Note, maxComment)}
	}
	return nil
}

// cutBytes shortens s to at most n bytes without cutting a character in two.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// readRelease reads a release. GitLab does not say who made it.
func readRelease(d *event.Delivery, body []byte) error {
	var in release
	if err := decode(body, &in); err != nil {
		return err
	}
	d.Repository = in.repository()
	d.Name = strings.TrimSpace(d.Name + " " + bounded(in.Action))
	switch {
	case in.Action != "create" && in.Action != "update":
		d.Note = fmt.Sprintf("The action %q on a release starts no builds.", bounded(in.Action))
		return nil
	case in.Tag == "" || !fits(in.Tag):
		return fmt.Errorf("the delivery does not name the tag of the release")
	case !objectID.MatchString(in.Commit.ID):
		return fmt.Errorf("the delivery names no commit for the release of tag %s", bounded(in.Tag))
	}
	d.Events = []event.Event{{
		Type: event.Released, HeadRef: "refs/tags/" + in.Tag, Commit: in.Commit.ID, Message: in.Commit.Message,
		Tag: in.Tag, ReleaseName: cutBytes(in.Name, maxName), At: moment(in.ReleasedAt),
	}}
	return nil
}

// readJob reads what became of a job. One that is created may wait for others
// for long, and comes again as pending when it waits for a runner only.
func readJob(d *event.Delivery, body []byte) error {
	var in job
	if err := decode(body, &in); err != nil {
		return err
	}
	d.Repository = in.repository()
	d.Name = strings.TrimSpace(d.Name + " " + bounded(in.Status))
	if in.Status != "pending" {
		d.Note = fmt.Sprintf("The job is %q: one starts a build when it is pending.", bounded(in.Status))
		return nil
	}
	if !objectID.MatchString(in.SHA) || in.Ref == "" || !fits(in.Ref) {
		return fmt.Errorf("the delivery names no branch, tag or commit for job %d", in.ID)
	}
	prefix := "refs/heads/"
	if in.IsTag {
		prefix = "refs/tags/"
	}
	d.Events = []event.Event{{
		Type: event.WorkflowJobQueued, ActorID: string(in.User.ID), ActorName: in.User.shown(), HeadRef: prefix + strings.TrimPrefix(in.Ref, prefix),
		Commit: in.SHA, Message: in.Commit.Message, At: moment(in.Created),
		Job: &event.Job{ID: in.ID, RunID: cmp.Or(in.Pipeline, in.Commit.ID), Workflow: bounded(cmp.Or(in.Commit.Name, in.Name)), Labels: in.Runner.Tags},
	}}
	return nil
}
