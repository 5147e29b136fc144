package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// GitHub's limits on lists of what changed.
const (
	maxFiles        = 3000 // of a pull request, of a commit, and of a push's payload
	maxCommits      = 2048 // of a push's payload
	maxCompareFiles = 300
	maxLookedAt     = 100 // commits of one push that are looked at one by one
)

// A pullRequest is one as GitHub answers and delivers it.
type pullRequest struct {
	Number      int64  `json:"number"`
	State       string `json:"state"`
	Merged      bool   `json:"merged"`
	MergeCommit string `json:"merge_commit_sha"` // of a trial merge, until it is merged
	Updated     moment `json:"updated_at"`
	User        user   `json:"user"`
	Head        side   `json:"head"`
	Base        side   `json:"base"`
}

type side struct {
	Ref  string `json:"ref"`
	SHA  string `json:"sha"`
	Repo *repo  `json:"repo"` // nil if it was deleted
}

// event returns what the pull request is now, as an event of a type.
func (pr pullRequest) event(t event.Type) (event.Event, error) {
	if pr.Number < 1 || pr.Head.Ref == "" || pr.Base.Ref == "" || !commitID.MatchString(pr.Head.SHA) {
		return event.Event{}, errors.New("it lacks the number, a branch or the commit of the pull request")
	}
	e := event.Event{
		Type: t, HeadRef: "refs/heads/" + pr.Head.Ref, BaseRef: "refs/heads/" + pr.Base.Ref, Commit: pr.Head.SHA, At: pr.Updated.Time,
		PullRequest: &event.PullRequest{Number: pr.Number, AuthorID: id(pr.User.ID), AuthorName: pr.User.Login, Fork: true},
	}
	if pr.Head.Repo != nil {
		e.PullRequest.Head = pr.Head.Repo.event()
		e.PullRequest.Fork = pr.Base.Repo == nil || pr.Head.Repo.ID != pr.Base.Repo.ID
	}
	if pr.Merged && commitID.MatchString(pr.MergeCommit) {
		e.Merge = pr.MergeCommit
	}
	return e, nil
}

func (r repo) event() event.Repository {
	out := event.Repository{ID: id(r.ID), FullName: r.FullName, Name: r.Name, CloneURL: r.CloneURL, Private: r.Private}
	if r.Owner.Type == "Organization" {
		out.Organization = r.Owner.Login
	}
	return out
}

// id writes an id; GitHub's begin at 1.
func id(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// A file is one that changed.
type file struct {
	Filename string `json:"filename"`
	Previous string `json:"previous_filename"`
}

// paths collects the names of changed files, each once.
type paths struct {
	list []string
	seen map[string]bool
}

func (p *paths) add(files ...file) {
	for _, f := range files {
		p.name(f.Filename)
		p.name(f.Previous)
	}
}

func (p *paths) name(path string) {
	if path == "" || p.seen[path] {
		return
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[path] = true
	p.list = append(p.list, path)
}

// Files returns the paths that e changed. It lists up to 3000 files of a pull
// request, which is all that GitHub tells; a push of more than 300 files is
// read commit by commit, up to 100 of them, and is an error beyond.
func (p *Provider) Files(ctx context.Context, r source.Repository, e event.Event, by source.Login) ([]string, error) {
	if e.Files != nil {
		return e.Files, nil
	}
	if e.PullRequest != nil {
		found := paths{list: []string{}}
		err := p.client.Pages(ctx, rest.Call{URL: repository(r, "/pulls/"+strconv.FormatInt(e.PullRequest.Number, 10)+"/files?per_page=100"), At: r.Site, By: by}, rest.NextLink,
			func(a *rest.Answer) (bool, error) {
				var page []file
				err := a.JSON(&page)
				found.add(page...)
				return true, err
			})
		return found.list, err
	}
	if !commitID.MatchString(e.Commit) {
		return []string{}, nil
	}
	before := e.Before
	if before == "" {
		var seen repo
		if _, err := p.get(ctx, r.Site, repository(r, ""), by, &seen); err != nil {
			return nil, err
		}
		before = seen.DefaultBranch
	}
	return p.compared(ctx, r, before, e.Commit, by)
}

func (p *Provider) compared(ctx context.Context, r source.Repository, before, after string, by source.Login) ([]string, error) {
	type commit struct {
		SHA string `json:"sha"`
	}
	var comparison struct {
		Total   int      `json:"total_commits"`
		Commits []commit `json:"commits"`
		Files   []file   `json:"files"`
	}
	if _, err := p.get(ctx, r.Site, repository(r, "/compare/"+url.PathEscape(before)+"..."+url.PathEscape(after)+"?per_page=100"), by, &comparison); err != nil {
		return nil, err
	}
	found := paths{list: []string{}}
	if len(comparison.Files) < maxCompareFiles {
		found.add(comparison.Files...)
		return found.list, nil
	}
	if comparison.Total > maxLookedAt || len(comparison.Commits) < comparison.Total {
		return nil, &source.Refusal{Cause: slipway.FailureCauseRejected,
			Message:  fmt.Sprintf("The push has %d commits and changes more than %d files: GitHub does not tell which.", comparison.Total, maxCompareFiles),
			NextStep: "Start the build of this commit by hand if it is wanted."}
	}
	for _, c := range comparison.Commits {
		err := p.client.Pages(ctx, rest.Call{URL: repository(r, "/commits/"+url.PathEscape(c.SHA)+"?per_page=300"), At: r.Site, By: by}, rest.NextLink,
			func(a *rest.Answer) (bool, error) {
				var page struct {
					Files []file `json:"files"`
				}
				err := a.JSON(&page)
				found.add(page.Files...)
				return true, err
			})
		if err != nil {
			return nil, err
		}
	}
	return found.list, nil
}

// Message returns the message of a commit.
func (p *Provider) Message(ctx context.Context, r source.Repository, commit string, by source.Login) (string, error) {
	var c struct {
		Commit struct {
			Message string `json:"message"`
		} `json:"commit"`
	}
	_, err := p.get(ctx, r.Site, repository(r, "/commits/"+url.PathEscape(commit)), by, &c)
	return c.Commit.Message, err
}

// OpenPullRequests returns the open pull requests.
func (p *Provider) OpenPullRequests(ctx context.Context, r source.Repository, by source.Login) ([]event.Event, error) {
	var out []event.Event
	err := p.client.Pages(ctx, rest.Call{URL: repository(r, "/pulls?state=open&per_page=100"), At: r.Site, By: by}, rest.NextLink, func(a *rest.Answer) (bool, error) {
		var page []pullRequest
		if err := a.JSON(&page); err != nil {
			return false, err
		}
		for _, pr := range page {
			e, err := pr.event(event.PullRequestUpdated)
			if err != nil {
				return false, notGitHub(a)
			}
			e.ActorID, e.ActorName = id(pr.User.ID), pr.User.Login // nobody else is named
			out = append(out, e)
		}
		return true, nil
	})
	return out, err
}

// PullRequest returns one pull request.
func (p *Provider) PullRequest(ctx context.Context, r source.Repository, number int64, by source.Login) (event.Event, error) {
	var pr pullRequest
	a, err := p.get(ctx, r.Site, repository(r, "/pulls/"+strconv.FormatInt(number, 10)), by, &pr)
	if err != nil {
		return event.Event{}, err
	}
	e, err := pr.event(event.PullRequestUpdated)
	if err != nil {
		return event.Event{}, notGitHub(a)
	}
	e.ActorID, e.ActorName = id(pr.User.ID), pr.User.Login
	return e, nil
}

// roles are CodeBuild's words for GitHub's roles.
var roles = map[string]api.PullRequestBuildApproverRole{
	"admin": api.PullRequestBuildApproverRoleGithubAdmin, "maintain": api.PullRequestBuildApproverRoleGithubMaintain,
	"write": api.PullRequestBuildApproverRoleGithubWrite, "triage": api.PullRequestBuildApproverRoleGithubTriage, "read": api.PullRequestBuildApproverRoleGithubRead,
}

// Role returns the highest role of a user. A role of an organization's own
// counts as the one that it is based on.
func (p *Provider) Role(ctx context.Context, r source.Repository, user string, by source.Login) (api.PullRequestBuildApproverRole, error) {
	var has struct {
		Permission string `json:"permission"`
		RoleName   string `json:"role_name"`
	}
	_, err := p.get(ctx, r.Site, repository(r, "/collaborators/"+url.PathEscape(user)+"/permission"), by, &has)
	if refused, ok := errors.AsType[*source.Refusal](err); ok && refused.HTTPStatus == http.StatusNotFound && strings.Contains(refused.Message, "is not a user") {
		return "", nil
	}
	if err != nil {
		return "", p.diagnose(ctx, r, by, err, false)
	}
	if role, ok := roles[has.RoleName]; ok {
		return role, nil
	}
	return roles[has.Permission], nil
}
