package sourcetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// GitHub's limits on lists of what changed.
const (
	maxFiles        = 3000 // of a pull request, a commit, and a push
	maxCompareFiles = 300
	maxCommits      = 2048 // in the payload of a push
)

func (c *call) listPulls() {
	c.want("repo", "pull_requests=read")
	repo := c.find(c.mayReadPulls)
	if repo == nil {
		return
	}
	state := c.r.URL.Query().Get("state")
	repo.mu.Lock()
	var pulls []*pullRequest
	for _, p := range slices.Backward(repo.pulls) {
		if state == "all" || (p.state == "open") == (state != "closed") {
			pulls = append(pulls, new(*p))
		}
	}
	repo.mu.Unlock()
	from, to := c.page(len(pulls), 100)
	list := []any{}
	for _, p := range pulls[from:to] {
		shape := c.pull(repo, p)
		delete(shape, "merged") // only told of one alone
		delete(shape, "mergeable")
		list = append(list, shape)
	}
	c.answer(http.StatusOK, list)
}

// findPull returns the pull request that is asked for, or has answered.
func (c *call) findPull() (*repository, *pullRequest) {
	c.want("repo", "pull_requests=read")
	repo := c.find(c.mayReadPulls)
	if repo == nil {
		return nil, nil
	}
	number, err := strconv.Atoi(c.r.PathValue("number"))
	p, ok := repo.pull(number)
	if err != nil || !ok {
		c.notFound()
		return nil, nil
	}
	return repo, p
}

func (c *call) getPull() {
	if repo, p := c.findPull(); p != nil {
		c.answer(http.StatusOK, c.pull(repo, p))
	}
}

func (c *call) listPullFiles() {
	repo, p := c.findPull()
	if p == nil {
		return
	}
	base, err := c.run(nil, "-C", repo.dir, "merge-base", p.base, p.sha)
	if err != nil {
		base = p.base
	}
	changes, err := c.changes(repo, strings.TrimSpace(base), p.sha, true)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	changes = changes[:min(len(changes), maxFiles)]
	from, to := c.page(len(changes), 100)
	c.answer(http.StatusOK, c.files(repo, p.sha, changes[from:to]))
}

// compare answers for base...head: commits by page, files on the first only.
func (c *call) compare() {
	c.want("repo", "contents=read")
	repo := c.find(c.mayRead)
	if repo == nil {
		return
	}
	from, to, ok := strings.Cut(c.r.PathValue("basehead"), "...")
	base, known := c.resolveAny(repo, from)
	head, there := c.resolveAny(repo, to)
	if !ok || !known || !there {
		c.notFound()
		return
	}
	out, err := c.run(nil, "-C", repo.dir, "merge-base", base, head)
	if err != nil {
		c.refuse(http.StatusNotFound, "No common ancestor between "+from+" and "+to+".", "/rest/commits/commits#compare-two-commits")
		return
	}
	ancestor := strings.TrimSpace(out)
	ids, err := c.between(repo, base, head)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	first, last := c.page(len(ids), 250)
	if !c.r.URL.Query().Has("per_page") && !c.r.URL.Query().Has("page") {
		first, last = 0, min(len(ids), 250)
	}
	commits := []any{}
	for _, id := range ids[first:last] {
		if shape, err := c.describeCommit(repo, id); err == nil {
			commits = append(commits, shape)
		}
	}
	changes, err := c.changes(repo, ancestor, head, true)
	baseCommit, baseErr := c.describeCommit(repo, base)
	mergeBase, mergeErr := c.describeCommit(repo, ancestor)
	if err != nil || baseErr != nil || mergeErr != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	if first > 0 {
		changes = nil
	}
	url, page := c.base+"/repos/"+repo.fullName()+"/compare/"+from+"..."+to, c.site+"/"+repo.fullName()+"/compare/"+from+"..."+to
	c.answer(http.StatusOK, map[string]any{
		"url": url, "html_url": page, "permalink_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch",
		"base_commit": baseCommit, "merge_base_commit": mergeBase, "status": "ahead", "ahead_by": len(ids), "behind_by": 0,
		"total_commits": len(ids), "commits": commits, "files": c.files(repo, head, changes[:min(len(changes), maxCompareFiles)]),
	})
}

// between returns the commits that head has and base has not, oldest first.
func (s *Server) between(repo *repository, base, head string) ([]string, error) {
	args := []string{"-C", repo.dir, "rev-list", "--reverse", "--topo-order", head}
	if base != "" {
		args = append(args, "^"+base)
	}
	out, err := s.run(nil, args...)
	return strings.Fields(out), err
}

// permission answers what a user may do, to those who may push.
func (c *call) permission() {
	c.want("repo", "metadata=read")
	repo := c.find(c.maySee)
	if repo == nil {
		return
	}
	if !c.known || !atLeast(c.role(repo), "write") {
		c.refuse(http.StatusForbidden, "Must have push access to view collaborator permission.", "/rest/collaborators/collaborators#get-repository-permissions-for-a-user")
		return
	}
	user := c.r.PathValue("user")
	usual := "read"
	if repo.private {
		usual = "none"
	}
	c.mu.Lock()
	for _, t := range c.tokens {
		if strings.EqualFold(t.Login, user) && t.reaches(repo) {
			usual = "admin"
		}
	}
	c.mu.Unlock()
	role := repo.role(user, usual)
	permission := map[string]string{"triage": "read", "maintain": "write"}[role]
	if permission == "" {
		permission = role
	}
	c.answer(http.StatusOK, map[string]any{"permission": permission, "role_name": role, "user": c.account(user)})
}
