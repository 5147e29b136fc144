package sourcetest

import (
	"crypto/rand"
	"fmt"
	"net/http"
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

// An account as it appears inside other answers.
type account struct {
	Login   string `json:"login"`
	ID      int    `json:"id"`
	URL     string `json:"url"`
	HTMLURL string `json:"html_url"`
	Type    string `json:"type"`
	Admin   bool   `json:"site_admin"`
}

func (c *call) account(login string) account {
	id := 0
	for _, b := range []byte(strings.ToLower(login)) { // GitHub's ids are stable numbers; so are these
		id = (id*31 + int(b)) % 10_000_000
	}
	return account{Login: login, ID: id, URL: c.base + "/users/" + login, HTMLURL: c.site + "/" + login, Type: "User"}
}

func (c *call) user() {
	if !c.known {
		c.refuse(http.StatusUnauthorized, "Requires authentication", "/rest/users/users#get-the-authenticated-user")
		return
	}
	c.answer(http.StatusOK, c.account(c.token.Login))
}

func (c *call) describe() {
	c.want("repo", "metadata=read")
	if repo := c.find(c.maySee); repo != nil {
		c.answerRepository(repo)
	}
}

func (c *call) describeByID() {
	id, err := strconv.Atoi(c.r.PathValue("id"))
	var repo *repository
	c.mu.Lock()
	for _, r := range c.repositories {
		if err == nil && r.id == id {
			repo = r
		}
	}
	c.mu.Unlock()
	if repo = c.allow(repo, c.maySee); repo != nil {
		c.answerRepository(repo)
	}
}

func (c *call) answerRepository(repo *repository) {
	head, err := c.run(nil, "-C", repo.dir, "symbolic-ref", "--short", "HEAD")
	if err != nil {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	visibility := "public"
	if repo.private {
		visibility = "private"
	}
	push := c.mayPush(repo)
	c.answer(http.StatusOK, map[string]any{
		"id": repo.id, "name": repo.name, "full_name": repo.fullName(), "owner": c.account(repo.owner),
		"private": repo.private, "visibility": visibility, "default_branch": strings.TrimSpace(head),
		"url": c.base + "/repos/" + repo.fullName(), "html_url": c.site + "/" + repo.fullName(), "clone_url": c.site + "/" + repo.fullName() + ".git",
		"archived": false, "disabled": false, "fork": false,
		"permissions": map[string]bool{"admin": push, "maintain": push, "push": push, "triage": push, "pull": c.mayRead(repo)},
	})
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
	out, err := c.run(nil, "-C", repo.dir, "show", "--no-patch", "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", sha, "--")
	part := strings.SplitN(out, "\n", 9)
	if err != nil || len(part) < 9 {
		c.refuse(http.StatusInternalServerError, "Server Error", "/rest")
		return
	}
	person := func(at int) map[string]string {
		return map[string]string{"name": part[at], "email": part[at+1], "date": part[at+2]}
	}
	parents := []map[string]string{}
	for _, parent := range strings.Fields(part[1]) {
		parents = append(parents, map[string]string{"sha": parent})
	}
	c.answer(http.StatusOK, map[string]any{
		"sha": sha, "url": c.base + "/repos/" + repo.fullName() + "/commits/" + sha, "html_url": c.site + "/" + repo.fullName() + "/commit/" + sha,
		"commit":  map[string]any{"message": strings.TrimRight(part[8], "\n"), "author": person(2), "committer": person(5), "tree": map[string]string{"sha": part[0]}},
		"parents": parents,
	})
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
