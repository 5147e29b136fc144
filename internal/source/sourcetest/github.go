package sourcetest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api"
)

// gitHub is how GitHub and GitHub Enterprise Server tell of what happens.
type gitHub struct{ *Server }

const zeros = "0000000000000000000000000000000000000000"

func (gitHub) pullRef(number int) string { return "refs/pull/" + strconv.Itoa(number) + "/head" }

// shapes are those of deliveries: at the address that Start gave.
func (g gitHub) shapes() shapes {
	at := g.URL()
	return shapes{g.Server, at + "/api/v3", at}
}

// tell delivers a payload about a repository to every hook that wants it.
func (g gitHub) tell(repo *repository, event, sender string, payload map[string]any) error {
	a := g.shapes()
	if _, there := payload["repository"]; !there {
		payload["repository"] = a.repository(repo)
	}
	payload["sender"] = a.account(sender)
	if organization := a.organizationOf(repo.owner); organization != nil {
		payload["organization"] = organization
	}
	for _, h := range g.hooksFor(repo, "org:"+repo.owner) {
		if g.wants(h, event) {
			if err := g.send(h, event, payload); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g gitHub) wants(h *hook, event string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(h.Events, event) || slices.Contains(h.Events, "*")
}

func (g gitHub) send(h *hook, event string, payload map[string]any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	id := deliveryID()
	header := http.Header{
		"User-Agent": {"GitHub-Hookshot/0a1b2c3"}, "Accept": {"*/*"}, "Content-Type": {"application/json"},
		"X-Github-Event": {event}, "X-Github-Delivery": {id}, "X-Github-Hook-Id": {h.ID},
		"X-Github-Hook-Installation-Target-Type": {strings.ToLower(targetKind(h))}, "X-Github-Hook-Installation-Target-Id": {"1"},
	}
	g.mu.Lock()
	form := h.form
	g.mu.Unlock()
	if form {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		body = []byte(url.Values{"payload": {string(body)}}.Encode())
	}
	if g.kind == api.ServerTypeGithubEnterprise {
		header.Set("X-Github-Enterprise-Version", g.version)
		header.Set("X-Github-Enterprise-Host", strings.TrimPrefix(g.URL(), "http://"))
	}
	return g.deliver(h, &delivery{id: id, event: event, header: header, body: body})
}

func targetKind(h *hook) string {
	switch {
	case h.of != nil:
		return "Repository"
	case strings.HasPrefix(h.Target, "org:"):
		return "Organization"
	}
	return "Global"
}

func (gitHub) sign(h *hook, d *delivery) {
	d.header.Del("X-Hub-Signature-256")
	d.header.Del("X-Hub-Signature")
	if h.Secret == "" {
		return
	}
	strong, weak := hmac.New(sha256.New, []byte(h.Secret)), hmac.New(sha1.New, []byte(h.Secret))
	strong.Write(d.body)
	weak.Write(d.body)
	d.header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(strong.Sum(nil)))
	d.header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(weak.Sum(nil)))
}

// deliveryID is a random UUID, as GitHub gives every delivery one.
func deliveryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ping tells a hook that it exists.
func (g gitHub) ping(h *hook, t *target) {
	a := g.shapes()
	id, _ := strconv.Atoi(h.ID)
	payload := map[string]any{"zen": "Speak like a human.", "hook_id": id, "hook": a.hook(t, h)}
	if t.repo != nil {
		payload["repository"] = a.repository(t.repo)
		payload["sender"] = a.account(t.repo.owner)
		if organization := a.organizationOf(t.repo.owner); organization != nil {
			payload["organization"] = organization
		}
	} else if name, ok := strings.CutPrefix(t.name, "org:"); ok {
		payload["organization"] = a.organizationOf(name)
	}
	_ = g.send(h, "ping", payload) // whoever cannot be reached is not told
}

func (g gitHub) pushed(repo *repository, ref, before, after, pusher string) error {
	a := g.shapes()
	r := a.repository(repo)
	repo.mu.Lock()
	pushed := epoch + repo.commits
	repo.mu.Unlock()
	r["created_at"], r["pushed_at"], r["stargazers"], r["master_branch"] = epoch, pushed, 0, r["default_branch"] // numbers, in a push
	payload := map[string]any{
		"ref": ref, "before": before, "after": after, "created": before == "", "deleted": after == "", "forced": false, "base_ref": nil,
		"compare": a.site + "/" + repo.fullName() + "/compare/" + before + "..." + after, "commits": []any{}, "head_commit": nil,
		"repository": r, "pusher": map[string]string{"name": pusher, "email": pusher + "@users.noreply.example.com"},
	}
	if before == "" {
		payload["before"] = zeros
	}
	if after == "" {
		payload["after"] = zeros
		return g.tell(repo, "push", pusher, payload)
	}
	head, err := g.commitIn(a, repo, after)
	if err != nil {
		return err
	}
	payload["head_commit"] = head
	if strings.HasPrefix(ref, "refs/tags/") {
		if object, err := g.run(nil, "-C", repo.dir, "rev-parse", "--verify", ref); err == nil {
			payload["after"] = strings.TrimSpace(object) // an annotated tag is an object of its own
		}
		return g.tell(repo, "push", pusher, payload)
	}
	since := before
	if since == "" {
		if since, _ = g.resolve(repo, "HEAD"); since == after {
			since = ""
		}
	} else if _, err := g.run(nil, "-C", repo.dir, "merge-base", "--is-ancestor", before, after); err != nil {
		payload["forced"] = true
	}
	ids, err := g.between(repo, since, after)
	if err != nil {
		return err
	}
	commits := []any{}
	for _, id := range ids[max(0, len(ids)-maxCommits):] {
		c, err := g.commitIn(a, repo, id)
		if err != nil {
			return err
		}
		commits = append(commits, c)
	}
	payload["commits"] = commits
	return g.tell(repo, "push", pusher, payload)
}

// commitIn is a commit as pushes have it.
func (g gitHub) commitIn(a shapes, repo *repository, sha string) (map[string]any, error) {
	out, err := g.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%T%n%P%n%an%n%ae%n%aI%n%B", sha, "--")
	part := strings.SplitN(out, "\n", 6)
	if err != nil || len(part) < 6 {
		return nil, fmt.Errorf("git show said too little: %w", err)
	}
	parent, _, _ := strings.Cut(part[1], " ")
	changes, err := g.changes(repo, parent, sha, false)
	if err != nil {
		return nil, err
	}
	added, removed, modified := []string{}, []string{}, []string{}
	for _, c := range changes[:min(len(changes), maxFiles)] {
		switch c.status {
		case "A":
			added = append(added, c.path)
		case "D":
			removed = append(removed, c.path)
		default:
			modified = append(modified, c.path)
		}
	}
	author := map[string]string{"name": part[2], "email": part[3], "username": strings.ToLower(part[2])}
	return map[string]any{
		"id": sha, "tree_id": part[0], "distinct": true, "message": strings.TrimRight(part[5], "\n"), "timestamp": part[4],
		"url": a.site + "/" + repo.fullName() + "/commit/" + sha, "author": author, "committer": author,
		"added": added, "removed": removed, "modified": modified,
	}, nil
}

// actions are GitHub's words for what happens to a pull request.
var actions = map[string]string{"opened": "opened", "updated": "synchronize", "reopened": "reopened", "merged": "closed", "closed": "closed"}

func (g gitHub) pullRequest(repo *repository, p *pullRequest, action, sender string) error {
	payload := map[string]any{"action": actions[action], "number": p.Number, "pull_request": g.shapes().pull(repo, p)}
	if action == "updated" {
		payload["before"], payload["after"] = p.before, p.sha
	}
	return g.tell(repo, "pull_request", sender, payload)
}

func (g gitHub) comment(repo *repository, p *pullRequest, text, sender string) error {
	a := g.shapes()
	pull := a.pull(repo, p)
	issue := map[string]any{"pull_request": map[string]any{"url": pull["url"], "html_url": pull["html_url"], "diff_url": pull["diff_url"], "patch_url": pull["patch_url"]}}
	for _, name := range []string{"id", "node_id", "number", "state", "locked", "title", "body", "user", "labels", "assignee", "assignees", "milestone", "created_at", "updated_at", "closed_at", "author_association", "comments_url"} {
		issue[name] = pull[name]
	}
	issue["url"], issue["html_url"], issue["comments"] = pull["issue_url"], pull["html_url"], 1
	url := a.base + "/repos/" + repo.fullName() + "/issues/comments/1"
	return g.tell(repo, "issue_comment", sender, map[string]any{
		"action": "created", "issue": issue,
		"comment": map[string]any{
			"url": url, "html_url": fmt.Sprint(pull["html_url"], "#issuecomment-1"), "issue_url": pull["issue_url"], "id": 1, "node_id": "IC_1",
			"user": a.account(sender), "created_at": when(epoch), "updated_at": when(epoch), "author_association": "NONE", "body": text,
		},
	})
}

// released tells all that GitHub tells when a release is published.
func (g gitHub) released(repo *repository, tag, title, sender string, prerelease bool) error {
	a := g.shapes()
	last := "released"
	if prerelease {
		last = "prereleased"
	}
	for _, action := range []string{"created", "published", last} {
		err := g.tell(repo, "release", sender, map[string]any{"action": action, "release": map[string]any{
			"url": a.base + "/repos/" + repo.fullName() + "/releases/1", "html_url": a.site + "/" + repo.fullName() + "/releases/tag/" + tag, "id": 1, "node_id": "RE_1",
			"tag_name": tag, "target_commitish": "main", "name": title, "body": nil, "draft": false, "prerelease": prerelease, "author": a.account(sender),
			"created_at": when(epoch), "published_at": when(epoch), "assets": []any{},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// A WorkflowJob is a job of GitHub Actions that waits for a runner.
type WorkflowJob struct {
	ID       int
	RunID    int
	Workflow string
	Branch   string
	Commit   string
	Labels   []string
}

// DeliverWorkflowJob tells that a job is queued.
func (s *Server) DeliverWorkflowJob(owner, name string, job WorkflowJob, sender string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	g, ok := s.flavour.(gitHub)
	if !ok {
		return fmt.Errorf("%s has no workflow jobs", s.kind)
	}
	a := g.shapes()
	url := fmt.Sprintf("%s/repos/%s/actions/jobs/%d", a.base, repo.fullName(), job.ID)
	return g.tell(repo, "workflow_job", sender, map[string]any{"action": "queued", "workflow_job": map[string]any{
		"id": job.ID, "run_id": job.RunID, "run_attempt": 1, "workflow_name": job.Workflow, "head_branch": job.Branch, "head_sha": job.Commit, "labels": job.Labels,
		"run_url": fmt.Sprintf("%s/repos/%s/actions/runs/%d", a.base, repo.fullName(), job.RunID), "node_id": "CR_1", "url": url, "html_url": a.site + "/" + repo.fullName() + "/actions",
		"status": "queued", "conclusion": nil, "created_at": g.now().UTC().Format(time.RFC3339), "started_at": g.now().UTC().Format(time.RFC3339), "completed_at": nil,
		"name": "build", "steps": []any{}, "runner_id": nil, "runner_name": nil, "runner_group_id": nil, "runner_group_name": nil, "check_run_url": url,
	}})
}
