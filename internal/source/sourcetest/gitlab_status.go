package sourcetest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxColumn is how many characters GitLab's columns of texts take.
const maxColumn = 255

// transitions are what GitLab calls the way into a state.
var transitions = map[string]string{"pending": ":enqueue", "running": ":run"}

func (c labCall) createStatus() {
	repo := c.find(30)
	if repo == nil {
		return
	}
	var in struct {
		State       string `json:"state"`
		Name        string `json:"name"`
		Context     string `json:"context"`
		Ref         string `json:"ref"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	if !c.in(&in) {
		return
	}
	sha, ok := c.resolve(repo, c.r.PathValue("sha"))
	tooLong := []string{"is too long (maximum is 255 characters)"}
	switch {
	case in.State == "":
		c.answer(http.StatusBadRequest, map[string]string{"error": "state is missing"})
		return
	case !slices.Contains([]string{"pending", "running", "success", "failed", "canceled", "skipped"}, in.State):
		c.answer(http.StatusBadRequest, map[string]string{"error": "state does not have a valid value"})
		return
	case !ok || !shaForm.MatchString(c.r.PathValue("sha")):
		c.message(http.StatusNotFound, "404 Commit Not Found")
		return
	case utf8.RuneCountInString(in.TargetURL) > maxColumn:
		c.message(http.StatusBadRequest, map[string]any{"target_url": tooLong})
		return
	case in.TargetURL != "" && !strings.HasPrefix(in.TargetURL, "http://") && !strings.HasPrefix(in.TargetURL, "https://"):
		c.message(http.StatusBadRequest, map[string]any{"target_url": []string{"is blocked: Only allowed schemes are http, https"}})
		return
	case utf8.RuneCountInString(in.Description) > maxColumn:
		c.message(http.StatusBadRequest, map[string]any{"description": tooLong})
		return
	}
	if in.Ref == "" {
		in.Ref = c.branchOf(repo, sha)
	}
	status := Status{
		State: in.State, Context: cmp.Or(in.Name, in.Context, "default"), Description: in.Description, TargetURL: in.TargetURL, Ref: in.Ref,
		Creator: c.token.Login, Created: c.now().UTC().Truncate(time.Second),
	}
	// One that has ended is replaced; one that has not can only go on.
	if old := c.latest(repo, sha, status); old == in.State && transitions[old] != "" || old == "running" && in.State == "pending" {
		c.message(http.StatusBadRequest, "Cannot transition status via "+transitions[in.State]+" from :"+old)
		return
	}
	repo.add(sha, &status)
	c.answer(http.StatusCreated, c.shapeStatus(status, sha))
}

// branchOf is the branch that GitLab takes if none is named: the first that has
// the commit.
func (c labCall) branchOf(repo *repository, sha string) string {
	out, err := c.run(nil, "-C", repo.dir, "for-each-ref", "--contains", sha, "--count=1", "--format=%(refname:short)", "refs/heads")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// latest is the state of the same status before this one; "" if there is none.
func (c labCall) latest(repo *repository, sha string, status Status) string {
	for _, old := range slices.Backward(c.Statuses(repo.owner, repo.name, sha)) {
		if old.Context == status.Context && old.Ref == status.Ref {
			return old.State
		}
	}
	return ""
}

func (c labCall) shapeStatus(s Status, sha string) map[string]any {
	return map[string]any{
		"id": s.ID, "sha": sha, "ref": s.Ref, "status": s.State, "name": s.Context, "target_url": s.TargetURL,
		"description": s.Description, "created_at": s.Created, "author": c.account(s.Creator), "allow_failure": false,
	}
}

func (c labCall) statuses() {
	repo := c.find(20)
	if repo == nil {
		return
	}
	list := []any{}
	for _, s := range c.Statuses(repo.owner, repo.name, c.r.PathValue("ref")) {
		list = append(list, c.shapeStatus(s, c.r.PathValue("ref")))
	}
	c.page(list)
}
