package sourcetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// labStates are GitLab's words for the states of pull requests.
var labStates = map[string]string{"open": "opened", "closed": "closed", "merged": "merged"}

func (c labCall) shapeMergeRequest(repo *repository, p *pullRequest) map[string]any {
	return map[string]any{
		"id": p.id, "iid": p.Number, "project_id": repo.id, "title": p.Title, "description": "", "state": labStates[p.state], "draft": false,
		"created_at": c.now().UTC().Format(time.RFC3339), "updated_at": c.now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"source_branch": p.HeadBranch, "target_branch": p.BaseBranch, "source_project_id": p.head.id, "target_project_id": repo.id,
		"author": c.account(p.Author), "sha": p.sha, "merge_commit_sha": orNull(p.merge), "squash_commit_sha": nil,
		"diff_refs": map[string]any{"base_sha": p.base, "head_sha": p.sha, "start_sha": p.base},
		"web_url":   c.site + "/" + repo.fullName() + "/-/merge_requests/" + strconv.Itoa(p.Number),
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (c labCall) mergeRequests() {
	repo := c.find(20)
	if repo == nil {
		return
	}
	repo.mu.Lock()
	pulls := slices.Clone(repo.pulls)
	repo.mu.Unlock()
	list := []any{}
	for _, p := range slices.Backward(pulls) {
		if want := c.r.URL.Query().Get("state"); want == "" || want == "all" || want == labStates[p.state] {
			list = append(list, c.shapeMergeRequest(repo, p))
		}
	}
	c.page(list)
}

// pull finds the merge request that a request names; if there is none it has
// answered.
func (c labCall) pull() (*repository, *pullRequest) {
	repo := c.find(20)
	if repo == nil {
		return nil, nil
	}
	iid, err := strconv.Atoi(c.r.PathValue("iid"))
	p, ok := repo.pull(iid)
	if err != nil || !ok {
		c.message(http.StatusNotFound, "404 Not found")
		return nil, nil
	}
	return repo, p
}

func (c labCall) mergeRequest() {
	if repo, p := c.pull(); p != nil {
		c.answer(http.StatusOK, c.shapeMergeRequest(repo, p))
	}
}

func (c labCall) mergeRequestDiffs() {
	repo, p := c.pull()
	if p == nil {
		return
	}
	base := p.base
	if parted, err := c.run(nil, "-C", repo.dir, "merge-base", p.base, p.sha); err == nil {
		base = strings.TrimSpace(parted)
	}
	changes, err := c.changes(repo, base, p.sha, true)
	if err != nil {
		c.message(http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.page(shapeDiffs(changes))
}
