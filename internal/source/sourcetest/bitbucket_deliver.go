package sourcetest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxDelivered is how many bytes a delivery has at most: larger ones are not
// sent, and nobody is told.
const maxDelivered = 256 << 10

// maxPushed is how many commits a pushed change lists at most.
const maxPushed = 5

func (b *bitbucket) pullRef(int) string { return "" } // there are none

func (b *bitbucket) sign(h *hook, d *delivery) {
	attempt := 1
	if n, err := strconv.Atoi(d.header.Get("X-Attempt-Number")); err == nil {
		attempt = n + 1
	}
	d.header.Set("X-Attempt-Number", strconv.Itoa(attempt))
	d.header.Set("X-Hook-UUID", strings.Trim(h.ID, "{}"))
	d.header.Del("X-Hub-Signature")
	if h.Secret != "" {
		mac := hmac.New(sha256.New, []byte(h.Secret))
		mac.Write(d.body)
		d.header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
}

// tell delivers an event to every hook of a repository and its workspace that
// wants it.
func (b *bitbucket) tell(repo *repository, event, sender string, body map[string]any) error {
	body["repository"], body["actor"] = b.brief(repo, b.URL()), b.person(sender)
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a delivery: %w", err)
	}
	if len(text) > maxDelivered {
		return nil
	}
	var failed error
	for _, h := range b.hooksFor(repo, "workspace:"+repo.owner) {
		if !slices.Contains(h.Events, event) {
			continue
		}
		d := &delivery{id: requestUUID(), event: event, body: text, header: http.Header{}}
		d.header.Set("Content-Type", "application/json")
		d.header.Set("User-Agent", "Bitbucket-Webhooks/2.0")
		d.header.Set("X-Event-Key", event)
		d.header.Set("X-Request-UUID", d.id)
		d.header.Set("X-Event-Time", b.now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		failed = errors.Join(failed, b.deliver(h, d))
	}
	return failed
}

func requestUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// A RefChange is one ref that a push moved. Before or After is empty if it is
// new or gone.
type RefChange struct{ Ref, Before, After string }

// DeliverChanges tells of one push that moved several refs, which only
// Bitbucket says in one delivery. The refs themselves are not touched.
func (s *Server) DeliverChanges(owner, name, pusher string, changes ...RefChange) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	b, ok := s.flavour.(*bitbucket)
	if !ok {
		return errors.New("this provider delivers one change at a time")
	}
	list := []map[string]any{}
	for _, ch := range changes {
		list = append(list, b.shapeRefChange(repo, ch))
	}
	return b.tell(repo, "repo:push", pusher, map[string]any{"push": map[string]any{"changes": list}})
}

func (b *bitbucket) pushed(repo *repository, ref, before, after, pusher string) error {
	return b.DeliverChanges(repo.owner, repo.name, pusher, RefChange{ref, before, after})
}

func (b *bitbucket) shapeRefChange(repo *repository, ch RefChange) map[string]any {
	kind, name := "branch", strings.TrimPrefix(ch.Ref, "refs/heads/")
	if tag, ok := strings.CutPrefix(ch.Ref, "refs/tags/"); ok {
		kind, name = "tag", tag
	}
	side := func(commit string) any {
		if commit == "" {
			return nil
		}
		return map[string]any{"type": kind, "name": name, "target": b.shapeCommit(repo, commit, b.URL())}
	}
	out := map[string]any{
		"new": side(ch.After), "old": side(ch.Before), "created": ch.Before == "", "closed": ch.After == "", "forced": false, "truncated": false,
		"commits": []map[string]any{},
	}
	if ch.After == "" || kind == "tag" {
		return out
	}
	args := []string{"-C", repo.dir, "rev-list", ch.After}
	if ch.Before != "" {
		args = append(args, "^"+ch.Before)
		_, err := b.run(nil, "-C", repo.dir, "merge-base", "--is-ancestor", ch.Before, ch.After)
		out["forced"] = err != nil
	}
	ids, _ := b.run(nil, args...)
	commits := []map[string]any{}
	for _, sha := range strings.Fields(ids) {
		if len(commits) == maxPushed {
			out["truncated"] = true
			break
		}
		commits = append(commits, b.shapeCommit(repo, sha, b.URL()))
	}
	out["commits"] = commits
	return out
}

// bitbucketActions is what Bitbucket calls what happens to a pull request.
var bitbucketActions = map[string]string{
	"opened": "pullrequest:created", "updated": "pullrequest:updated", "merged": "pullrequest:fulfilled", "closed": "pullrequest:rejected",
}

func (b *bitbucket) pullRequest(repo *repository, p *pullRequest, action, sender string) error {
	event, ok := bitbucketActions[action]
	if !ok {
		return fmt.Errorf("at Bitbucket, no pull request can be %s", action)
	}
	return b.tell(repo, event, sender, map[string]any{"pullrequest": b.shapePull(repo, p, b.URL())})
}

func (b *bitbucket) comment(repo *repository, p *pullRequest, text, sender string) error {
	return b.tell(repo, "pullrequest:comment_created", sender, map[string]any{
		"pullrequest": b.shapePull(repo, p, b.URL()),
		"comment": map[string]any{
			"type": "pullrequest_comment", "id": 1, "user": b.person(sender), "content": map[string]string{"raw": text, "html": "", "markup": "markdown"},
		},
	})
}

func (b *bitbucket) released(*repository, string, string, string, bool) error {
	return errors.New("there are no releases at Bitbucket")
}
