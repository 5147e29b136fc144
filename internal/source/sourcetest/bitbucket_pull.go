package sourcetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// bitbucketPullStates is what Bitbucket calls a pull request's state.
var bitbucketPullStates = map[string]string{"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}

func (c *bitbucketCall) pulls() {
	if !c.allowed(readPull) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	states := c.r.URL.Query()["state"]
	if len(states) == 0 {
		states = []string{"OPEN"}
	}
	list := []map[string]any{}
	repo.mu.Lock()
	all := slices.Clone(repo.pulls)
	repo.mu.Unlock()
	for _, p := range slices.Backward(all) {
		if slices.Contains(states, bitbucketPullStates[p.state]) {
			list = append(list, c.shapePull(repo, p, c.site))
		}
	}
	page(c, list, 10, 50)
}

// named returns the pull request that a request names, or has answered.
func (c *bitbucketCall) named() (*repository, *pullRequest) {
	if !c.allowed(readPull) {
		return nil, nil
	}
	repo := c.find("read")
	if repo == nil {
		return nil, nil
	}
	number, err := strconv.Atoi(c.r.PathValue("id"))
	p, ok := repo.pull(number)
	if err != nil || !ok {
		c.refuse(http.StatusNotFound, "Pull request "+c.r.PathValue("id")+" not found")
		return nil, nil
	}
	return repo, p
}

func (c *bitbucketCall) pull() {
	if repo, p := c.named(); p != nil {
		c.answer(http.StatusOK, c.shapePull(repo, p, c.site))
	}
}

// shapePull is a pull request as it is answered and delivered: its commits cut
// to twelve characters.
func (c *bitbucket) shapePull(repo *repository, p *pullRequest, site string) map[string]any {
	side := func(of *repository, branch, commit string) map[string]any {
		return map[string]any{"branch": map[string]string{"name": branch}, "commit": map[string]string{"type": "commit", "hash": c.short(commit)}, "repository": c.brief(of, site)}
	}
	var merge any
	if p.merge != "" {
		merge = map[string]string{"type": "commit", "hash": c.short(p.merge)}
	}
	return map[string]any{
		"type": "pullrequest", "id": p.Number, "title": p.Title, "description": "", "state": bitbucketPullStates[p.state], "draft": false,
		"author": c.person(p.Author), "source": side(p.head, p.HeadBranch, p.sha), "destination": side(repo, p.BaseBranch, p.base), "merge_commit": merge,
		"created_on": "2026-01-01T00:00:00.000000+00:00", "updated_on": c.now().UTC().Format("2006-01-02T15:04:05.000000+00:00"),
		"links": map[string]any{"html": map[string]string{"href": fmt.Sprintf("%s/%s/pull-requests/%d", site, repo.fullName(), p.Number)}},
	}
}

// pullCommits lists a pull request's commits, whole, the latest first.
func (c *bitbucketCall) pullCommits() {
	repo, p := c.named()
	if p == nil {
		return
	}
	out, err := c.run(nil, "-C", repo.dir, "rev-list", p.base+".."+p.sha)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Something went wrong")
		return
	}
	list := []map[string]any{}
	for _, sha := range strings.Fields(out) {
		list = append(list, c.shapeCommit(repo, sha, c.site))
	}
	page(c, list, 10, 100)
}

func (c *bitbucketCall) pullDiffstat() {
	repo, p := c.named()
	if p == nil {
		return
	}
	spec := p.HeadOwner + "/" + p.HeadName + ":" + c.short(p.sha) + url.PathEscape("\r") + c.short(p.base)
	c.w.Header().Set("Location", fmt.Sprintf("%s/diffstat/%s?from_pullrequest_id=%d&topic=true", c.self(repo), spec, p.Number))
	c.w.WriteHeader(http.StatusFound)
}
