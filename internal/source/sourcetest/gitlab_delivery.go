package sourcetest

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a push may have and still be told of.
const (
	maxRefs   = 3  // branches, or tags; with more nothing is told at all
	maxListed = 20 // that are listed, the newest
)

func labUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-4%03x-a%03x-%x", b[:4], b[4:6], int(b[6])<<4|int(b[7])>>4, int(b[8])<<4|int(b[9])>>4, b[10:])
}

// tell delivers an event to every hook that hears of a repository, its groups'
// too, and wants it.
func (g gitLab) tell(repo *repository, flag, event string, payload map[string]any) error {
	g.release()
	var above []string
	for group := repo.owner; group != ""; {
		above = append(above, "group:"+group)
		at := strings.LastIndex(group, "/")
		group = group[:max(at, 0)]
	}
	for _, h := range g.hooksFor(repo, above...) {
		g.mu.Lock()
		wanted := slices.Contains(h.Events, flag)
		g.mu.Unlock()
		if !wanted {
			continue
		}
		if err := g.send(h, event, payload); err != nil {
			return err
		}
	}
	return nil
}

// send delivers one event to one hook.
func (g gitLab) send(h *hook, event string, payload map[string]any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	g.mu.Lock()
	uuid := h.lab().uuid
	g.mu.Unlock()
	d := &delivery{id: labUUID(), event: event, body: body, header: http.Header{}}
	d.header.Set("Content-Type", "application/json")
	d.header.Set("User-Agent", "GitLab/18.6.0-ee")
	d.header.Set("X-Gitlab-Event", event)
	d.header.Set("X-Gitlab-Webhook-UUID", uuid)
	d.header.Set("X-Gitlab-Event-UUID", labUUID())
	d.header.Set("X-Gitlab-Instance", g.site())
	d.header.Set("Idempotency-Key", d.id)
	err = g.deliver(h, d)
	g.mu.Lock()
	g.judge(h)
	g.mu.Unlock()
	return err
}

// sign adds the token in the clear, and the signature of Standard Webhooks, as
// far as the hook has them; mu is held.
func (g gitLab) sign(h *hook, d *delivery) {
	more := h.lab()
	for _, name := range []string{"X-Gitlab-Token", "webhook-id", "webhook-timestamp", "webhook-signature"} {
		d.header.Del(name)
	}
	if more.token != "" {
		d.header.Set("X-Gitlab-Token", more.token)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(more.signing, "whsec_"))
	if more.signing == "" || err != nil {
		return
	}
	at := strconv.FormatInt(g.now().Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", d.id, at, d.body)
	d.header.Set("webhook-id", d.id)
	d.header.Set("webhook-timestamp", at)
	d.header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// site is where this GitLab's pages are.
func (g gitLab) site() string { return cmp.Or(g.URL(), "http://gitlab.example") }

func (g gitLab) projectPayload(repo *repository) map[string]any {
	page := g.site() + "/" + repo.fullName()
	ssh := "git@gitlab.example:" + repo.fullName() + ".git"
	head, _ := g.run(nil, "-C", repo.dir, "symbolic-ref", "--short", "HEAD")
	visibility := 20
	if repo.private {
		visibility = 0
	}
	return map[string]any{
		"id": repo.id, "name": repo.name, "description": "", "web_url": page, "avatar_url": nil, "git_ssh_url": ssh, "git_http_url": page + ".git",
		"namespace": repo.owner, "visibility_level": visibility, "path_with_namespace": repo.fullName(), "default_branch": strings.TrimSpace(head),
		"ci_config_path": "", "homepage": page, "url": ssh, "ssh_url": ssh, "http_url": page + ".git",
	}
}

func (g gitLab) repositoryPayload(repo *repository) map[string]any {
	page := g.site() + "/" + repo.fullName()
	return map[string]any{"name": repo.name, "url": page + ".git", "description": "", "homepage": page, "git_http_url": page + ".git", "visibility_level": 20}
}

func userPayload(login string) map[string]any {
	return map[string]any{"id": userID(login), "name": login, "username": login, "avatar_url": "", "email": "[REDACTED]"}
}

// received tells of what a push by git changed.
func (g gitLab) received(repo *repository, before, after map[string]string, pusher string) {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		var moved []string
		for ref := range before {
			if strings.HasPrefix(ref, prefix) && after[ref] != before[ref] {
				moved = append(moved, ref)
			}
		}
		for ref := range after {
			if strings.HasPrefix(ref, prefix) && before[ref] == "" {
				moved = append(moved, ref)
			}
		}
		slices.Sort(moved)
		if len(moved) > maxRefs {
			continue
		}
		for _, ref := range moved {
			_ = g.pushed(repo, ref, before[ref], after[ref], pusher) // the push itself has gone well
		}
	}
}

func (g gitLab) pushed(repo *repository, ref, before, after, pusher string) error {
	flag, event := "push_events", "Push Hook"
	switch {
	case strings.HasPrefix(ref, "refs/tags/"):
		flag, event = "tag_push_events", "Tag Push Hook"
	case !strings.HasPrefix(ref, "refs/heads/"):
		return nil
	}
	return g.tell(repo, flag, event, g.pushPayload(repo, ref, before, after, pusher))
}

func (g gitLab) pushPayload(repo *repository, ref, before, after, pusher string) map[string]any {
	kind := "push"
	if strings.HasPrefix(ref, "refs/tags/") {
		kind = "tag_push"
	}
	checkout := any(nil)
	commits, total := []any{}, 0
	if after != "" {
		sha, _ := g.resolve(repo, after)
		checkout = sha
		commits, total = g.commits(repo, ref, before, sha)
	}
	return map[string]any{
		"object_kind": kind, "event_name": kind, "before": cmp.Or(before, zeros), "after": cmp.Or(after, zeros), "ref": ref, "ref_protected": false,
		"checkout_sha": checkout, "message": nil, "user_id": userID(pusher), "user_name": pusher, "user_username": pusher, "user_email": "", "user_avatar": "",
		"project_id": repo.id, "project": g.projectPayload(repo), "commits": commits, "total_commits_count": total,
		"push_options": map[string]any{}, "repository": g.repositoryPayload(repo),
	}
}

// commits are the newest that a push brought, oldest first, and how many there
// are: of a new branch, those that the default branch does not have.
func (g gitLab) commits(repo *repository, ref, before, after string) ([]any, int) {
	if strings.HasPrefix(ref, "refs/tags/") {
		return []any{}, 0
	}
	span := []string{after}
	if before != "" {
		span = append(span, "^"+before)
	} else if head, err := g.run(nil, "-C", repo.dir, "symbolic-ref", "HEAD"); err == nil && strings.TrimSpace(head) != ref {
		span = append(span, "^"+strings.TrimSpace(head))
	}
	count, err := g.run(nil, append([]string{"-C", repo.dir, "rev-list", "--count"}, span...)...)
	total, _ := strconv.Atoi(strings.TrimSpace(count))
	list, err2 := g.run(nil, append([]string{"-C", repo.dir, "rev-list", "--reverse", "--max-count=" + strconv.Itoa(maxListed)}, span...)...)
	if err != nil || err2 != nil {
		return []any{}, 0
	}
	out := []any{}
	for _, sha := range strings.Fields(list) {
		out = append(out, g.commitPayload(repo, sha, true))
	}
	return out, total
}

// commitPayload shows a commit; with files, those that it changed. Of a renamed
// file GitLab names the new path only.
func (g gitLab) commitPayload(repo *repository, sha string, files bool) map[string]any {
	text, _ := g.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%an%n%aI%n%B", sha, "--")
	part := append(strings.SplitN(text, "\n", 3), "", "", "")
	message := strings.TrimRight(part[2], "\n") + "\n"
	title, _, _ := strings.Cut(message, "\n")
	out := map[string]any{
		"id": sha, "message": message, "title": title, "timestamp": part[1], "url": g.site() + "/" + repo.fullName() + "/-/commit/" + sha,
		"author": map[string]any{"name": part[0], "email": "[REDACTED]"},
	}
	if !files {
		return out
	}
	parent, _ := g.resolve(repo, sha+"^")
	changes, _ := g.changes(repo, parent, sha, true)
	lists := map[string][]string{"added": {}, "modified": {}, "removed": {}}
	for _, c := range changes {
		to := map[string]string{"A": "added", "R": "added", "C": "added", "D": "removed"}[c.status]
		to = cmp.Or(to, "modified")
		lists[to] = append(lists[to], c.path)
	}
	for name, paths := range lists {
		out[name] = paths
	}
	return out
}

func (g gitLab) pullRequest(repo *repository, p *pullRequest, action, sender string) error {
	word, ok := map[string]string{"opened": "open", "updated": "update", "reopened": "reopen", "merged": "merge", "closed": "close"}[action]
	if !ok {
		return fmt.Errorf("%q is no action on a merge request", action)
	}
	now := g.now().UTC().Format("2006-01-02 15:04:05 UTC")
	attributes := map[string]any{
		"id": p.id, "iid": p.Number, "target_branch": p.BaseBranch, "source_branch": p.HeadBranch, "source_project_id": p.head.id, "target_project_id": repo.id,
		"author_id": userID(p.Author), "title": p.Title, "description": "", "created_at": now, "updated_at": now, "state": labStates[p.state], "draft": false,
		"source": g.projectPayload(p.head), "target": g.projectPayload(repo), "last_commit": g.commitPayload(repo, p.sha, false),
		"merge_commit_sha": orNull(p.merge), "action": word, "url": g.site() + "/" + repo.fullName() + "/-/merge_requests/" + strconv.Itoa(p.Number),
	}
	changes := map[string]any{}
	if action == "updated" {
		if p.before != p.sha {
			attributes["oldrev"] = p.before
		} else {
			changes["title"] = map[string]any{"previous": "Draft: " + p.Title, "current": p.Title}
		}
	}
	return g.tell(repo, "merge_requests_events", "Merge Request Hook", map[string]any{
		"object_kind": "merge_request", "event_type": "merge_request", "user": userPayload(sender), "project": g.projectPayload(repo),
		"object_attributes": attributes, "labels": []any{}, "changes": changes, "repository": g.repositoryPayload(repo),
	})
}

func (g gitLab) comment(repo *repository, p *pullRequest, text, sender string) error {
	now := g.now().UTC().Format("2006-01-02 15:04:05 UTC")
	page := g.site() + "/" + repo.fullName() + "/-/merge_requests/" + strconv.Itoa(p.Number)
	return g.tell(repo, "note_events", "Note Hook", map[string]any{
		"object_kind": "note", "event_type": "note", "user": userPayload(sender), "project_id": repo.id, "project": g.projectPayload(repo),
		"object_attributes": map[string]any{
			"id": p.id*10 + 1, "note": text, "description": text, "noteable_type": "MergeRequest", "noteable_id": p.id, "author_id": userID(sender),
			"project_id": repo.id, "created_at": now, "updated_at": now, "system": false, "internal": false, "action": "create", "url": page + "#note_1",
		},
		"merge_request": map[string]any{
			"id": p.id, "iid": p.Number, "target_branch": p.BaseBranch, "source_branch": p.HeadBranch, "source_project_id": p.head.id, "target_project_id": repo.id,
			"author_id": userID(p.Author), "title": p.Title, "state": labStates[p.state], "last_commit": g.commitPayload(repo, p.sha, false), "url": page,
		},
		"repository": g.repositoryPayload(repo),
	})
}

// released tells of a release. GitLab has none that are before their time, and
// names nobody.
func (g gitLab) released(repo *repository, tag, title, _ string, _ bool) error {
	sha, ok := g.resolve(repo, "refs/tags/"+tag)
	if !ok {
		return fmt.Errorf("there is no tag %q in %s", tag, repo.fullName())
	}
	now := g.now().UTC().Format("2006-01-02 15:04:05 UTC")
	return g.tell(repo, "releases_events", "Release Hook", map[string]any{
		"object_kind": "release", "id": repo.id, "action": "create", "name": title, "tag": tag, "description": "", "created_at": now, "released_at": now,
		"project": g.projectPayload(repo), "url": g.site() + "/" + repo.fullName() + "/-/releases/" + tag,
		"assets": map[string]any{"count": 0, "links": []any{}, "sources": []any{}}, "commit": g.commitPayload(repo, sha, false),
	})
}

// DeliverJob tells, as GitLab, that a job of a branch's newest pipeline came to
// a status: created, pending, running, success, failed.
func (s *Server) DeliverJob(owner, name, branch, status, sender string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	g, ok := s.flavour.(gitLab)
	sha, known := s.resolve(repo, "refs/heads/"+branch)
	if !ok || !known {
		return fmt.Errorf("there are no jobs here, or no branch %q in %s", branch, repo.fullName())
	}
	return g.tell(repo, "job_events", "Job Hook", map[string]any{
		"object_kind": "build", "ref": branch, "tag": false, "before_sha": zeros, "sha": sha, "build_id": repo.id*1000 + 7, "build_name": "test", "build_stage": "test",
		"build_status": status, "build_created_at": g.now().UTC().Format("2006-01-02 15:04:05 UTC"), "build_started_at": nil, "build_finished_at": nil,
		"build_allow_failure": false, "build_failure_reason": "unknown_failure", "pipeline_id": repo.id*100 + 3, "runner": nil, "project_id": repo.id,
		"project_name": strings.ReplaceAll(repo.fullName(), "/", " / "), "user": userPayload(sender),
		"commit":  map[string]any{"id": repo.id*100 + 3, "name": "Build pipeline", "sha": sha, "message": "", "status": status, "started_at": nil},
		"project": g.projectPayload(repo), "repository": g.repositoryPayload(repo), "environment": nil,
		"build_created_at_iso": g.now().UTC().Format(time.RFC3339),
	})
}
