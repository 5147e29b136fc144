package sourcetest

import (
	"strconv"
	"strings"
	"time"
)

// shapes writes what GitHub says of its things, with the addresses at which
// whoever reads it reaches the server.
type shapes struct {
	*Server
	base string // of the API's URLs
	site string // of the web pages and of git
}

// An account as it appears inside other answers.
type account struct {
	Login     string `json:"login"`
	ID        int    `json:"id"`
	NodeID    string `json:"node_id"`
	AvatarURL string `json:"avatar_url"`
	Gravatar  string `json:"gravatar_id"`
	URL       string `json:"url"`
	HTMLURL   string `json:"html_url"`
	ReposURL  string `json:"repos_url"`
	EventsURL string `json:"events_url"`
	Type      string `json:"type"`
	Admin     bool   `json:"site_admin"`
}

func (a shapes) account(login string) account {
	id := 0
	for _, b := range []byte(strings.ToLower(login)) { // GitHub's ids are stable numbers; so are these
		id = (id*31 + int(b)) % 10_000_000
	}
	out := account{
		Login: login, ID: id, NodeID: "U_" + strconv.Itoa(id), AvatarURL: a.site + "/avatars/" + strconv.Itoa(id),
		URL: a.base + "/users/" + login, HTMLURL: a.site + "/" + login, ReposURL: a.base + "/users/" + login + "/repos",
		EventsURL: a.base + "/users/" + login + "/events{/privacy}", Type: "User",
	}
	switch {
	case a.organization(login):
		out.Type = "Organization"
	case strings.HasSuffix(login, "[bot]"):
		out.Type = "Bot"
	}
	return out
}

// organization reports whether an owner of repositories is one. Whoever has a
// token or a fork is a user.
func (s *Server) organization(login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := false
	for _, repo := range s.repositories {
		if strings.EqualFold(repo.owner, login) {
			owner = true
			if repo.parent != "" {
				return false
			}
		}
	}
	for _, t := range s.tokens {
		if strings.EqualFold(t.Login, login) {
			return false
		}
	}
	return owner
}

// organizationOf is the organization that a delivery names; nil for a user's
// repository.
func (a shapes) organizationOf(login string) map[string]any {
	if !a.organization(login) {
		return nil
	}
	url := a.base + "/orgs/" + login
	return map[string]any{
		"login": login, "id": a.account(login).ID, "node_id": "O_" + login, "url": url, "repos_url": url + "/repos", "events_url": url + "/events",
		"hooks_url": url + "/hooks", "issues_url": url + "/issues", "members_url": url + "/members{/member}", "public_members_url": url + "/public_members{/member}",
		"avatar_url": a.account(login).AvatarURL, "description": nil,
	}
}

// when is when every repository was made; pushed when its latest commit was.
func when(seconds int) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }

func (a shapes) repository(repo *repository) map[string]any {
	head, err := a.run(nil, "-C", repo.dir, "symbolic-ref", "--short", "HEAD")
	if err != nil {
		head = "main"
	}
	visibility := "public"
	if repo.private {
		visibility = "private"
	}
	repo.mu.Lock()
	pushed, issues := epoch+repo.commits, len(repo.pulls)
	repo.mu.Unlock()
	url, page := a.base+"/repos/"+repo.fullName(), a.site+"/"+repo.fullName()
	return map[string]any{
		"id": repo.id, "node_id": "R_" + strconv.Itoa(repo.id), "name": repo.name, "full_name": repo.fullName(), "owner": a.account(repo.owner),
		"private": repo.private, "visibility": visibility, "default_branch": strings.TrimSpace(head), "description": nil, "homepage": nil, "language": nil,
		"license": nil, "mirror_url": nil, "url": url, "html_url": page, "clone_url": page + ".git", "git_url": strings.Replace(page, "http:", "git:", 1) + ".git",
		"hooks_url": url + "/hooks", "pulls_url": url + "/pulls{/number}", "statuses_url": url + "/statuses/{sha}", "commits_url": url + "/commits{/sha}",
		"compare_url": url + "/compare/{base}...{head}", "collaborators_url": url + "/collaborators{/collaborator}",
		"archived": false, "disabled": false, "fork": repo.parent != "", "size": 1, "forks_count": 0, "forks": 0, "watchers_count": 0, "watchers": 0,
		"stargazers_count": 0, "open_issues_count": issues, "open_issues": issues, "topics": []string{},
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": true,
		"created_at": when(epoch), "updated_at": when(pushed), "pushed_at": when(pushed),
	}
}

// pull is a pull request as the API answers it alone; lists leave some out.
func (a shapes) pull(repo *repository, p *pullRequest) map[string]any {
	url, page := a.base+"/repos/"+repo.fullName(), a.site+"/"+repo.fullName()
	n := strconv.Itoa(p.Number)
	side := func(repo *repository, branch, sha string) map[string]any {
		return map[string]any{"label": repo.owner + ":" + branch, "ref": branch, "sha": sha, "user": a.account(repo.owner), "repo": a.repository(repo)}
	}
	out := map[string]any{
		"id": p.id, "node_id": "PR_" + strconv.Itoa(p.id), "number": p.Number, "state": "open", "locked": false, "title": p.Title, "body": nil, "draft": false,
		"user": a.account(p.Author), "author_association": "CONTRIBUTOR", "labels": []any{}, "assignee": nil, "assignees": []any{}, "milestone": nil,
		"requested_reviewers": []any{}, "requested_teams": []any{}, "auto_merge": nil, "active_lock_reason": nil,
		"created_at": when(epoch), "updated_at": when(epoch), "closed_at": nil, "merged_at": nil, "merged": false, "mergeable": nil, "merge_commit_sha": nil,
		"url": url + "/pulls/" + n, "html_url": page + "/pull/" + n, "diff_url": page + "/pull/" + n + ".diff", "patch_url": page + "/pull/" + n + ".patch",
		"issue_url": url + "/issues/" + n, "commits_url": url + "/pulls/" + n + "/commits", "comments_url": url + "/issues/" + n + "/comments", "statuses_url": url + "/statuses/" + p.sha,
		"head": side(p.head, p.HeadBranch, p.sha), "base": side(repo, p.BaseBranch, p.base),
		"_links": map[string]any{"self": map[string]string{"href": url + "/pulls/" + n}, "html": map[string]string{"href": page + "/pull/" + n}},
	}
	switch p.state {
	case "merged":
		out["state"], out["merged"], out["merge_commit_sha"] = "closed", true, p.merge
		out["closed_at"], out["merged_at"] = when(epoch), when(epoch)
	case "closed":
		out["state"], out["closed_at"] = "closed", when(epoch)
	}
	return out
}

// fileStates are GitHub's words for what happened to a file.
var fileStates = map[string]string{"A": "added", "D": "removed", "M": "modified", "T": "changed", "R": "renamed", "C": "copied"}

// files are changed files as lists have them.
func (a shapes) files(repo *repository, sha string, changes []change) []map[string]any {
	out := []map[string]any{}
	for _, c := range changes {
		f := map[string]any{
			"sha": sha, "filename": c.path, "status": fileStates[c.status], "additions": 1, "deletions": 0, "changes": 1,
			"blob_url": a.site + "/" + repo.fullName() + "/blob/" + sha + "/" + c.path, "raw_url": a.site + "/" + repo.fullName() + "/raw/" + sha + "/" + c.path,
			"contents_url": a.base + "/repos/" + repo.fullName() + "/contents/" + c.path + "?ref=" + sha,
		}
		if c.old != "" {
			f["previous_filename"] = c.old
		}
		out = append(out, f)
	}
	return out
}
