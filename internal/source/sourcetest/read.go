package sourcetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (c *call) meta() {
	body := map[string]any{"verifiable_password_authentication": false}
	if strings.HasSuffix(c.base, "/api/v3") {
		body["installed_version"] = c.version
	}
	c.answer(http.StatusOK, body)
}

func (c *call) user() {
	switch {
	case !c.known:
		c.refuse(http.StatusUnauthorized, "Requires authentication", "/rest/users/users#get-the-authenticated-user")
	case c.token.installation():
		c.inaccessible()
	default:
		c.answer(http.StatusOK, c.account(c.token.Login))
	}
}

func (c *call) describe() {
	c.want("repo", "metadata=read")
	if repo := c.find(c.maySee); repo != nil {
		c.answer(http.StatusOK, c.repositoryFor(repo))
	}
}

func (c *call) byID(text string) *repository {
	id, err := strconv.Atoi(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.repositories {
		if err == nil && r.id == id {
			return r
		}
	}
	return nil
}

func (c *call) describeByID() {
	if repo := c.allow(c.byID(c.r.PathValue("id")), c.maySee); repo != nil {
		c.answer(http.StatusOK, c.repositoryFor(repo))
	}
}

// repositoryFor is a repository with what the caller may do there. A user's
// rights do not depend on his token; an App has none but its permissions.
func (c *call) repositoryFor(repo *repository) map[string]any {
	out := c.repository(repo)
	if c.known {
		role := c.role(repo)
		if c.token.installation() {
			role = "read"
		}
		out["permissions"] = map[string]bool{
			"admin": atLeast(role, "admin"), "maintain": atLeast(role, "maintain"), "push": atLeast(role, "write"),
			"triage": atLeast(role, "triage"), "pull": atLeast(role, "read"),
		}
	}
	return out
}

// reachable returns what the caller's token lists, newest first.
func (c *call) reachable() []*repository {
	c.mu.Lock()
	all := slices.SortedFunc(maps.Values(c.repositories), func(a, b *repository) int { return b.id - a.id })
	c.mu.Unlock()
	hidden := map[string]bool{}
	list := slices.DeleteFunc(all, func(repo *repository) bool {
		if !c.token.reaches(repo) || repo.role(c.token.Login, "admin") == "none" || !c.maySee(repo) {
			return true
		}
		message, _ := c.forbidden(c.caller, repo.owner)
		if strings.Contains(message, "SAML") {
			hidden[strconv.Itoa(c.account(repo.owner).ID)] = true
		}
		return message != ""
	})
	if len(hidden) > 0 {
		c.w.Header().Set("X-Github-Sso", "partial-results; organizations="+strings.Join(slices.Sorted(maps.Keys(hidden)), ","))
	}
	return list
}

func (c *call) listRepositories() {
	c.want("", "metadata=read")
	q := c.r.URL.Query()
	switch {
	case !c.known:
		c.refuse(http.StatusUnauthorized, "Requires authentication", "/rest/repos/repos#list-repositories-for-the-authenticated-user")
		return
	case c.token.installation():
		c.inaccessible()
		return
	case q.Has("type") && (q.Has("affiliation") || q.Has("visibility")):
		c.refuse(http.StatusUnprocessableEntity, "If you specify visibility or affiliation, you cannot specify type.", "/rest/repos/repos#list-repositories-for-the-authenticated-user")
		return
	}
	all := c.reachable()
	list := []any{}
	from, to := c.page(len(all), 100)
	for _, repo := range all[from:to] {
		list = append(list, c.repositoryFor(repo))
	}
	c.answer(http.StatusOK, list)
}

func (c *call) listInstallation() {
	if !c.known || !c.token.installation() {
		c.refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.", "/rest/apps/installations#list-repositories-accessible-to-the-app-installation")
		return
	}
	all := c.reachable()
	list := []any{}
	from, to := c.page(len(all), 100)
	for _, repo := range all[from:to] {
		list = append(list, c.repositoryFor(repo))
	}
	c.answer(http.StatusOK, map[string]any{"total_count": len(all), "repository_selection": "selected", "repositories": list})
}

// commit answers for commits/{ref} and commits/{sha}/statuses.
func (c *call) commit() {
	ref := c.r.PathValue("ref")
	if sha, ok := strings.CutSuffix(ref, "/statuses"); ok {
		c.listStatuses(sha)
		return
	}
	c.want("repo", "contents=read")
	repo := c.find(c.mayRead)
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, ref)
	if !ok {
		if _, started := c.resolve(repo, "HEAD"); !started {
			c.refuse(http.StatusConflict, "Git Repository is empty.", "/rest/commits/commits#get-a-commit")
			return
		}
		c.refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+ref, "/rest/commits/commits#get-a-commit")
		return
	}
	if strings.Contains(c.r.Header.Get("Accept"), "application/vnd.github.sha") {
		c.w.Header().Set("Content-Type", "application/vnd.github.sha; charset=utf-8")
		c.w.WriteHeader(http.StatusOK)
		_, _ = c.w.Write([]byte(sha))
		return
	}
	body, err := c.describeCommit(repo, sha)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	parent, _ := c.resolve(repo, sha+"^")
	changes, err := c.changes(repo, parent, sha, true)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	changes = changes[:min(len(changes), maxFiles)]
	from, to := c.page(len(changes), 300)
	if !c.r.URL.Query().Has("per_page") {
		from, to = 0, min(len(changes), 300)
	}
	body["files"] = c.files(repo, sha, changes[from:to])
	c.answer(http.StatusOK, body)
}

// describeCommit is a commit as lists have it.
func (c *call) describeCommit(repo *repository, sha string) (map[string]any, error) {
	out, err := c.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", sha, "--")
	part := strings.SplitN(out, "\n", 9)
	if err != nil || len(part) < 9 {
		return nil, errors.Join(err, errors.New("git show said nothing"))
	}
	person := func(at int) map[string]string {
		return map[string]string{"name": part[at], "email": part[at+1], "date": part[at+2]}
	}
	base, page := c.base+"/repos/"+repo.fullName(), c.site+"/"+repo.fullName()
	parents := []map[string]string{}
	for _, parent := range strings.Fields(part[1]) {
		parents = append(parents, map[string]string{"sha": parent, "url": base + "/commits/" + parent, "html_url": page + "/commit/" + parent})
	}
	return map[string]any{
		"sha": sha, "node_id": "C_" + sha, "url": base + "/commits/" + sha, "html_url": page + "/commit/" + sha, "comments_url": base + "/commits/" + sha + "/comments",
		"commit": map[string]any{
			"message": strings.TrimRight(part[8], "\n"), "author": person(2), "committer": person(5), "comment_count": 0,
			"url": base + "/git/commits/" + sha, "tree": map[string]string{"sha": part[0], "url": base + "/git/trees/" + part[0]},
		},
		"author": nil, "committer": nil, "parents": parents,
	}, nil
}

// resolveAny finds what a ref in a path means, branches before tags.
func (s *Server) resolveAny(repo *repository, ref string) (string, bool) {
	for _, full := range []string{"refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref} {
		if sha, ok := s.resolve(repo, full); ok {
			return sha, true
		}
	}
	if len(ref) < 7 || strings.Trim(ref, "0123456789abcdef") != "" {
		return "", false
	}
	return s.resolve(repo, ref)
}

// requestID has the shape of GitHub's.
func requestID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%X:%X:%X:%X:%X", b[:2], b[2:5], b[5:9], b[9:13], b[16:])
}
