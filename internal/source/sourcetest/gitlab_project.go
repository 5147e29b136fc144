package sourcetest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// self answers what GitLab knows of the token itself.
func (c labCall) self() {
	var expires any
	if !c.token.Expires.IsZero() {
		expires = c.token.Expires.UTC().Format(time.DateOnly)
	}
	c.answer(http.StatusOK, map[string]any{
		"id": userID(c.token.Value), "name": "slipway", "revoked": false, "active": true, "created_at": "2026-01-01T00:00:00.000Z",
		"scopes": append([]string{}, c.token.Scopes...), "user_id": userID(c.token.Login),
		"last_used_at": c.now().UTC().Format("2006-01-02T15:04:05.000Z"), "expires_at": expires,
	})
}

func (c labCall) account(login string) map[string]any {
	return map[string]any{
		"id": userID(login), "username": login, "name": login, "state": "active", "locked": false,
		"avatar_url": nil, "web_url": c.site + "/" + login,
	}
}

func (c labCall) user() {
	who := c.account(c.token.Login)
	who["bot"] = c.token.bot()
	who["email"] = c.token.Login + "@example.com"
	c.answer(http.StatusOK, who)
}

func (c labCall) users() {
	list := []any{}
	for _, login := range c.lab.logins() {
		if strings.EqualFold(login, c.r.URL.Query().Get("username")) {
			list = append(list, c.account(login))
		}
	}
	c.page(list)
}

// member answers for members/all: who is one by himself or through a group.
func (c labCall) member() {
	repo := c.find(10)
	if repo == nil {
		return
	}
	id, err := strconv.Atoi(c.r.PathValue("user"))
	if err != nil {
		c.answer(http.StatusBadRequest, map[string]string{"error": "user_id is invalid"})
		return
	}
	for _, login := range c.lab.logins() {
		if level := c.lab.memberLevel(repo, login); userID(login) == id && level > 0 {
			who := c.account(login)
			who["access_level"], who["membership_state"] = level, "active"
			c.answer(http.StatusOK, who)
			return
		}
	}
	c.message(http.StatusNotFound, "404 Not found")
}

// memberLevel is the access level of a user, token or not.
func (g gitLab) memberLevel(repo *repository, login string) int {
	g.mu.Lock()
	otherwise := "none"
	for _, t := range g.tokens {
		if strings.EqualFold(t.Login, login) && t.reaches(repo) {
			otherwise = "admin"
		}
	}
	g.mu.Unlock()
	return accessLevels[repo.role(login, otherwise)]
}

func (c labCall) head(repo *repository) string {
	out, err := c.run(nil, "-C", repo.dir, "symbolic-ref", "--short", "HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

func (c labCall) project() {
	if repo := c.find(10); repo != nil {
		c.answer(http.StatusOK, c.shapeProject(repo))
	}
}

func (c labCall) shapeProject(repo *repository) map[string]any {
	visibility := "public"
	if repo.private {
		visibility = "private"
	}
	out := map[string]any{
		"id": repo.id, "name": repo.name, "path": repo.name, "path_with_namespace": repo.fullName(), "name_with_namespace": strings.ReplaceAll(repo.fullName(), "/", " / "),
		"default_branch": c.head(repo), "visibility": visibility, "archived": false, "description": nil,
		"http_url_to_repo": c.site + "/" + repo.fullName() + ".git", "ssh_url_to_repo": "git@gitlab.example:" + repo.fullName() + ".git", "web_url": c.site + "/" + repo.fullName(),
		"namespace": map[string]any{"full_path": repo.owner, "kind": "group"}, "last_activity_at": c.now().UTC().Format(time.RFC3339),
	}
	if repo.parent != "" {
		out["forked_from_project"] = map[string]any{"path_with_namespace": repo.parent}
	}
	if c.known { // who inherits it from a group above has it there, the others as members of the project
		access := any(nil)
		if level := c.level(repo); level > 0 {
			access = map[string]any{"access_level": level, "notification_level": 3}
		}
		permissions := map[string]any{"project_access": access, "group_access": nil}
		if strings.Contains(repo.owner, "/") && !c.token.bot() {
			permissions = map[string]any{"project_access": nil, "group_access": access}
		}
		out["permissions"] = permissions
	}
	return out
}

func (c labCall) projects() {
	q := c.r.URL.Query()
	least, _ := strconv.Atoi(q.Get("min_access_level"))
	if q.Get("membership") == "true" {
		least = max(least, 10)
	}
	c.mu.Lock()
	repositories := make([]*repository, 0, len(c.repositories))
	for _, repo := range c.repositories {
		repositories = append(repositories, repo)
	}
	c.mu.Unlock()
	slices.SortFunc(repositories, func(a, b *repository) int { return cmp.Compare(a.id, b.id) })
	list := []any{}
	for _, repo := range repositories {
		seen := !repo.private || c.level(repo) > 0
		if seen && c.level(repo) >= least && strings.Contains(strings.ToLower(repo.name), strings.ToLower(q.Get("search"))) {
			list = append(list, c.shapeProject(repo))
		}
	}
	if q.Get("pagination") == "keyset" {
		c.keyset(list, func(v any) int { return v.(map[string]any)["id"].(int) })
		return
	}
	c.page(list)
}

// shapeCommit returns nil if there is no such commit.
func (c labCall) shapeCommit(repo *repository, sha string) map[string]any {
	out, err := c.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%P%n%an%n%ae%n%aI%n%B", sha, "--")
	part := strings.SplitN(out, "\n", 5)
	if err != nil || len(part) < 5 {
		return nil
	}
	message := strings.TrimRight(part[4], "\n")
	title, _, _ := strings.Cut(message, "\n")
	return map[string]any{
		"id": sha, "short_id": sha[:8], "title": title, "message": message, "parent_ids": strings.Fields(part[0]),
		"author_name": part[1], "author_email": part[2], "created_at": part[3], "web_url": c.site + "/" + repo.fullName() + "/-/commit/" + sha,
	}
}

func (c labCall) commit() {
	repo := c.find(20)
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, c.r.PathValue("ref"))
	if !ok {
		c.message(http.StatusNotFound, "404 Commit Not Found")
		return
	}
	c.answer(http.StatusOK, c.shapeCommit(repo, sha))
}

func (c labCall) branches() { c.listRefs("refs/heads/") }

func (c labCall) tags() { c.listRefs("refs/tags/") }

func (c labCall) listRefs(prefix string) {
	repo := c.find(20)
	if repo == nil {
		return
	}
	list, refs := []any{}, c.lab.refs(repo)
	names := make([]string, 0, len(refs))
	for ref := range refs {
		names = append(names, ref)
	}
	slices.Sort(names)
	for _, ref := range names {
		name, ok := strings.CutPrefix(ref, prefix)
		sha, there := c.resolve(repo, ref)
		if ok && there && strings.Contains(name, c.r.URL.Query().Get("search")) {
			list = append(list, map[string]any{"name": name, "commit": c.shapeCommit(repo, sha), "protected": false})
		}
	}
	c.page(list)
}

// shapeDiffs shows what differs, without the lines.
func shapeDiffs(changes []change) []any {
	list := []any{}
	for _, ch := range changes {
		list = append(list, map[string]any{
			"old_path": cmp.Or(ch.old, ch.path), "new_path": ch.path, "a_mode": "100644", "b_mode": "100644", "diff": "",
			"new_file": ch.status == "A", "renamed_file": ch.status == "R", "deleted_file": ch.status == "D", "collapsed": false, "too_large": false,
		})
	}
	return list
}

func (c labCall) commitDiff() {
	repo := c.find(20)
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, c.r.PathValue("ref"))
	if !ok {
		c.message(http.StatusNotFound, "404 Commit Not Found")
		return
	}
	parent, _ := c.resolve(repo, sha+"^")
	changes, err := c.changes(repo, parent, sha, true)
	if err != nil {
		c.message(http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.page(shapeDiffs(changes))
}

// compare answers what changed from one ref to another, or since they parted if
// straight is not asked for.
func (c labCall) compare() {
	repo := c.find(20)
	if repo == nil {
		return
	}
	q := c.r.URL.Query()
	from, ok := c.resolveAny(repo, q.Get("from"))
	to, there := c.resolveAny(repo, q.Get("to"))
	if !ok || !there {
		c.message(http.StatusNotFound, "404 Ref Not Found")
		return
	}
	if q.Get("straight") != "true" {
		if base, err := c.run(nil, "-C", repo.dir, "merge-base", from, to); err == nil {
			from = strings.TrimSpace(base)
		}
	}
	changes, err := c.changes(repo, from, to, true)
	if err != nil {
		c.message(http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.answer(http.StatusOK, map[string]any{
		"commit": c.shapeCommit(repo, to), "commits": []any{c.shapeCommit(repo, to)}, "diffs": shapeDiffs(changes),
		"compare_timeout": false, "compare_same_ref": from == to,
	})
}
