package sourcetest

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func (c *bitbucketCall) hookEvents() {
	list := []map[string]string{}
	for _, name := range bitbucketEvents {
		list = append(list, map[string]string{"event": name})
	}
	page(c, list, 30, 100)
}

func (c *bitbucketCall) user() {
	if !c.known {
		c.refuse(http.StatusUnauthorized, "Access denied. You must be authenticated.")
		return
	}
	if c.allowed(readUser) {
		c.answer(http.StatusOK, c.person(c.token.Login))
	}
}

// sorted returns the repositories, the latest first.
func (c *bitbucketCall) sorted() []*repository {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*repository
	for _, r := range c.Server.repositories {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *repository) int { return cmp.Compare(b.id, a.id) })
	return all
}

func (c *bitbucketCall) workspaces() {
	if !c.known {
		c.refuse(http.StatusUnauthorized, "Access denied. You must be authenticated.")
		return
	}
	if !c.allowed(readWorkspace) {
		return
	}
	var names []string
	for _, r := range c.sorted() {
		if c.token.reaches(r) && atLeast(r.role(c.token.Login, "admin"), "read") && !slices.Contains(names, r.owner) {
			names = append(names, r.owner)
		}
	}
	slices.Sort(names)
	list := []map[string]any{}
	for _, name := range names {
		list = append(list, map[string]any{"type": "workspace_access", "administrator": true, "workspace": c.workspace(name)})
	}
	page(c, list, 10, 100)
}

func (c *bitbucket) workspace(name string) map[string]any {
	return map[string]any{"type": "workspace", "slug": name, "name": name, "uuid": bitbucketUUID("workspace " + strings.ToLower(name))}
}

// condition is the little of Bitbucket's query language that is understood.
var condition = regexp.MustCompile(`^(name|slug|full_name)\s*(=|~)\s*"((?:[^"\\]|\\.)*)"$`)

// roleNames is what the role parameter of a list means.
var roleNames = map[string]string{"": "read", "member": "read", "contributor": "write", "admin": "admin", "owner": "admin"}

func (c *bitbucketCall) repositories() {
	if !c.allowed(readRepository) {
		return
	}
	query := c.r.URL.Query()
	role, ok := roleNames[query.Get("role")]
	part := condition.FindStringSubmatch(query.Get("q"))
	if !ok || query.Get("q") != "" && part == nil {
		c.refuse(http.StatusBadRequest, "Invalid query")
		return
	}
	list, known := []map[string]any{}, false
	for _, r := range c.sorted() {
		if !strings.EqualFold(r.owner, c.r.PathValue("workspace")) {
			continue
		}
		known = true
		member := query.Get("role") == "" || c.known && c.token.reaches(r)
		if !member || !c.bitbucketMay(r, role) || !fits(r, part) {
			continue
		}
		list = append(list, c.shape(r))
	}
	if !known {
		c.refuse(http.StatusNotFound, "No workspace with identifier '"+c.r.PathValue("workspace")+"'.")
		return
	}
	page(c, list, 10, 100)
}

func fits(r *repository, part []string) bool {
	if part == nil {
		return true
	}
	have, want := r.name, strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(part[3])
	if part[1] == "full_name" {
		have = r.fullName()
	}
	if part[2] == "~" {
		return strings.Contains(strings.ToLower(have), strings.ToLower(want))
	}
	return strings.EqualFold(have, want)
}

func (c *bitbucketCall) repository() {
	if !c.allowed(readRepository) {
		return
	}
	if repo := c.find("read"); repo != nil {
		c.answer(http.StatusOK, c.shape(repo))
	}
}

// shape is a repository as it is answered.
func (c *bitbucketCall) shape(repo *repository) map[string]any {
	head, _ := os.ReadFile(filepath.Join(repo.dir, "HEAD"))
	out := c.brief(repo, c.site)
	out["slug"] = repo.name
	out["mainbranch"] = map[string]string{"type": "branch", "name": strings.TrimPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/")}
	out["project"] = map[string]string{"type": "project", "key": "PROJ"}
	clone := c.site + "/" + repo.fullName() + ".git"
	if c.known {
		clone = strings.Replace(clone, "://", "://"+url.PathEscape(c.token.Login)+"@", 1)
	}
	out["links"].(map[string]any)["clone"] = []map[string]string{{"name": "https", "href": clone}}
	if repo.parent != "" {
		out["parent"] = map[string]any{"type": "repository", "full_name": repo.parent}
	}
	return out
}

// brief is a repository as it appears inside other answers and deliveries.
func (c *bitbucket) brief(repo *repository, site string) map[string]any {
	return map[string]any{
		"type": "repository", "uuid": repo.uuid(), "full_name": repo.fullName(), "name": repo.name, "scm": "git",
		"is_private": repo.private, "workspace": c.workspace(repo.owner), "owner": map[string]any{"type": "team", "uuid": bitbucketUUID("workspace " + strings.ToLower(repo.owner))},
		"links": map[string]any{
			"self": map[string]string{"href": site + "/2.0/repositories/" + repo.fullName()}, "html": map[string]string{"href": site + "/" + repo.fullName()},
		},
	}
}

func (c *bitbucketCall) noCommit(rev string) {
	c.answer(http.StatusNotFound, map[string]any{"type": "error", "error": map[string]any{
		"message": "Commit not found", "detail": "No such commit or ref", "data": map[string][]string{"shas": {rev}},
	}})
}

func (c *bitbucketCall) commit() {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, c.r.PathValue("rev"))
	if !ok {
		c.noCommit(c.r.PathValue("rev"))
		return
	}
	c.answer(http.StatusOK, c.shapeCommit(repo, sha, c.site))
}

// shapeCommit is a commit as it is answered.
func (c *bitbucket) shapeCommit(repo *repository, sha, site string) map[string]any {
	out, _ := c.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%P%n%aI%n%an <%ae>%n%B", sha, "--")
	part := strings.SplitN(out, "\n", 4)
	for len(part) < 4 {
		part = append(part, "")
	}
	parents := []map[string]string{}
	for _, parent := range strings.Fields(part[0]) {
		parents = append(parents, map[string]string{"type": "commit", "hash": parent})
	}
	return map[string]any{
		"type": "commit", "hash": sha, "date": part[1], "message": strings.TrimRight(part[3], "\n") + "\n", "parents": parents,
		"author": map[string]any{"type": "author", "raw": part[2]},
		"links": map[string]any{
			"self": map[string]string{"href": site + "/2.0/repositories/" + repo.fullName() + "/commit/" + sha},
			"html": map[string]string{"href": site + "/" + repo.fullName() + "/commits/" + sha},
		},
	}
}

func (c *bitbucketCall) branch() { c.ref("branch", "refs/heads/") }

func (c *bitbucketCall) tag() { c.ref("tag", "refs/tags/") }

func (c *bitbucketCall) ref(kind, prefix string) {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	name := c.r.PathValue("name")
	sha, ok := c.resolve(repo, prefix+name)
	if !ok {
		c.refuse(http.StatusNotFound, strings.ToUpper(kind[:1])+kind[1:]+` "`+name+`" does not exist.`)
		return
	}
	c.answer(http.StatusOK, map[string]any{"type": kind, "name": name, "target": c.shapeCommit(repo, sha, c.site)})
}

// diffstat answers for "new..old", for one commit against its parent, and for
// what pull requests redirect to: "workspace/slug:new", a carriage return, "old".
func (c *bitbucketCall) diffstat() {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	spec := c.r.PathValue("spec")
	after, before, two := strings.Cut(spec, "..")
	if left, right, ok := strings.Cut(spec, "\r"); ok {
		_, left, _ = strings.Cut(left, ":")
		after, before, two = left, right, true
	}
	newer, ok := c.resolveAny(repo, after)
	older := ""
	switch {
	case !ok:
	case two:
		older, ok = c.resolveAny(repo, before)
	default:
		older, _ = c.resolve(repo, newer+"^")
	}
	if !ok {
		c.noCommit(spec)
		return
	}
	if two && c.r.URL.Query().Get("topic") == "true" {
		if base, err := c.run(nil, "-C", repo.dir, "merge-base", newer, older); err == nil {
			older = strings.TrimSpace(base)
		}
	}
	changes, err := c.changes(repo, older, newer, true)
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Something went wrong")
		return
	}
	list := []map[string]any{}
	for _, ch := range changes {
		list = append(list, shapeChange(ch))
	}
	page(c, list, 50, 500)
}

func shapeChange(ch change) map[string]any {
	side := func(path string) map[string]string {
		return map[string]string{"type": "commit_file", "path": path, "escaped_path": url.PathEscape(path)}
	}
	out := map[string]any{"type": "diffstat", "status": "modified", "old": side(ch.path), "new": side(ch.path), "lines_added": 1, "lines_removed": 1}
	switch ch.status {
	case "A":
		out["status"], out["old"] = "added", nil
	case "D":
		out["status"], out["new"] = "removed", nil
	case "R":
		out["status"], out["old"] = "renamed", side(ch.old)
	}
	return out
}

// word is what Bitbucket calls a role.
func word(role string) string {
	switch {
	case atLeast(role, "admin"):
		return "admin"
	case atLeast(role, "write"):
		return "write"
	case atLeast(role, "read"):
		return "read"
	}
	return "none"
}

// permissions lists the effective permission of everybody on a repository.
func (c *bitbucketCall) permissions() {
	if !c.allowed(readWorkspace) {
		return
	}
	repo := c.find("admin")
	if repo == nil {
		return
	}
	list := []map[string]any{}
	for _, login := range repo.members() {
		if role := word(repo.role(login, "none")); role != "none" {
			list = append(list, map[string]any{"type": "repository_permission", "permission": role, "user": c.person(login), "repository": c.brief(repo, c.site)})
		}
	}
	page(c, list, 10, 100)
}

// members returns the logins that were given a role.
func (r *repository) members() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for login := range r.roles {
		names = append(names, login)
	}
	slices.Sort(names)
	return names
}

// permissionConfig answers with the explicit permission of one user.
func (c *bitbucketCall) permissionConfig() {
	if !c.allowed(adminRepository) {
		return
	}
	repo := c.find("admin")
	if repo == nil {
		return
	}
	who := c.r.PathValue("user")
	for _, login := range repo.members() {
		person := c.person(login)
		if person["account_id"] == who || person["uuid"] == who {
			c.answer(http.StatusOK, map[string]any{"type": "repository_user_permission", "permission": word(repo.role(login, "none")), "user": person})
			return
		}
	}
	c.refuse(http.StatusNotFound, "User "+who+" has no permission on this repository")
}
