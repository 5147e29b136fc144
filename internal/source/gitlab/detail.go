package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// someID is what may be the beginning of a commit's id.
var someID = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// Resolve returns the commit that a branch, tag, ref or id names. git is asked
// first: every token that may clone may ask it, and no limit counts that.
func (p *Provider) Resolve(ctx context.Context, r source.Repository, version string, by source.Login) (string, error) {
	refs, err := p.client.Refs(ctx, r, by)
	if err != nil {
		return "", err
	}
	for _, ref := range []string{version, "refs/heads/" + version, "refs/tags/" + version} {
		if id := refs[ref]; id != "" && version != "" {
			return id, nil
		}
	}
	if !someID.MatchString(version) {
		return "", unknown(r, version)
	}
	var c commit
	err = p.get(ctx, r.Site, project(r)+"/repository/commits/"+url.PathEscape(version), by, &c)
	refused, ok := errors.AsType[*source.Refusal](err)
	switch {
	case err == nil && objectID.MatchString(c.ID):
		return c.ID, nil
	case err == nil:
		return "", &source.Refusal{Cause: slipway.FailureCauseProviderError, Message: "GitLab names no commit in its answer."}
	case !ok || refused.Again:
		return "", err
	case refused.HTTPStatus == http.StatusNotFound:
		return "", unknown(r, version)
	case objectID.MatchString(version): // the token is for git only, and there it is asked for
		return version, nil
	}
	return "", err
}

func unknown(r source.Repository, version string) *source.Refusal {
	return &source.Refusal{Cause: slipway.FailureCauseRejected, HTTPStatus: http.StatusNotFound,
		Message:  fmt.Sprintf("%s has no branch, tag or commit %q.", r.FullName(), rest.Cut(version, 100)),
		NextStep: "Check the source version, and that it has been pushed."}
}

// diff is one file that differs. Files that are too large to show are in the
// list as well.
type diff struct {
	Old string `json:"old_path"`
	New string `json:"new_path"`
}

func paths(diffs []diff) []string {
	all := []string{}
	for _, d := range diffs {
		all = append(all, d.Old, d.New)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

// Files returns the paths that e changed: of a merge request all that it
// changes, of a push what differs from before, of a new ref what differs from
// the default branch or, if that has it already, what its commit changed.
func (p *Provider) Files(ctx context.Context, r source.Repository, e event.Event, by source.Login) ([]string, error) {
	if e.PullRequest != nil {
		return p.diffs(ctx, r, fmt.Sprintf("%s/merge_requests/%d/diffs", project(r), e.PullRequest.Number), by)
	}
	if e.Before != "" {
		return p.compare(ctx, r, e.Before, e.Commit, true, by)
	}
	var about shownProject
	if err := p.get(ctx, r.Site, project(r), by, &about); err != nil {
		return nil, err
	}
	if about.DefaultBranch != "" {
		all, err := p.compare(ctx, r, about.DefaultBranch, e.Commit, false, by)
		if err != nil || len(all) > 0 {
			return all, err
		}
	}
	return p.diffs(ctx, r, project(r)+"/repository/commits/"+url.PathEscape(e.Commit)+"/diff", by)
}

func (p *Provider) diffs(ctx context.Context, r source.Repository, address string, by source.Login) ([]string, error) {
	var all []diff
	err := list(ctx, p, r.Site, address+"?per_page=100", by, func(page []diff) bool {
		all = append(all, page...)
		return true
	})
	if err != nil {
		return nil, err
	}
	return paths(all), nil
}

// compare returns the files that differ: between the two commits if straight,
// else those that to changed since it left from.
func (p *Provider) compare(ctx context.Context, r source.Repository, from, to string, straight bool, by source.Login) ([]string, error) {
	q := url.Values{"from": {from}, "to": {to}, "straight": {strconv.FormatBool(straight)}}
	var found struct {
		Diffs   []diff `json:"diffs"`
		Timeout bool   `json:"compare_timeout"`
	}
	if err := p.get(ctx, r.Site, project(r)+"/repository/compare?"+q.Encode(), by, &found); err != nil {
		return nil, err
	}
	if found.Timeout {
		return nil, &source.Refusal{Cause: slipway.FailureCauseProviderError, Again: true,
			Message: fmt.Sprintf("GitLab had not the time to compare %s with %s.", rest.Cut(from, 40), rest.Cut(to, 40))}
	}
	return paths(found.Diffs), nil
}

// Message returns the message of a commit.
func (p *Provider) Message(ctx context.Context, r source.Repository, id string, by source.Login) (string, error) {
	var c commit
	if err := p.get(ctx, r.Site, project(r)+"/repository/commits/"+url.PathEscape(id), by, &c); err != nil {
		return "", err
	}
	if c.Message == nil {
		return "", nil
	}
	return *c.Message, nil
}

// shownMergeRequest is a merge request as the API shows it.
type shownMergeRequest struct {
	IID           int64  `json:"iid"`
	SHA           string `json:"sha"`
	State         string `json:"state"`
	SourceBranch  string `json:"source_branch"`
	TargetBranch  string `json:"target_branch"`
	SourceProject number `json:"source_project_id"`
	TargetProject number `json:"target_project_id"`
	Author        user   `json:"author"`
	MergeCommit   string `json:"merge_commit_sha"`
	SquashCommit  string `json:"squash_commit_sha"`
	UpdatedAt     any    `json:"updated_at"`
}

// event returns a merge request as an update of it. GitLab does not tell who
// pushed last, so there is no actor: the author may be somebody else.
func (m shownMergeRequest) event() event.Event {
	e := event.Event{
		Type: event.PullRequestUpdated, HeadRef: "refs/heads/" + m.SourceBranch, BaseRef: "refs/heads/" + m.TargetBranch, Commit: m.SHA, At: moment(m.UpdatedAt),
		PullRequest: &event.PullRequest{
			Number: m.IID, AuthorID: string(m.Author.ID), AuthorName: m.Author.login(), Fork: m.SourceProject == "" || m.SourceProject != m.TargetProject,
			Head: event.Repository{ID: string(m.SourceProject)},
		},
	}
	if m.State == "merged" {
		e.Merge = cmp.Or(m.MergeCommit, m.SquashCommit)
	}
	return e
}

// OpenPullRequests returns the open merge requests. Those that have no commits
// yet are left out.
func (p *Provider) OpenPullRequests(ctx context.Context, r source.Repository, by source.Login) ([]event.Event, error) {
	all := []event.Event{}
	err := list(ctx, p, r.Site, project(r)+"/merge_requests?state=opened&per_page=100", by, func(page []shownMergeRequest) bool {
		for _, m := range page {
			if objectID.MatchString(m.SHA) {
				all = append(all, m.event())
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// PullRequest returns one merge request, open or not, and where its head is if
// the login sees that.
func (p *Provider) PullRequest(ctx context.Context, r source.Repository, number int64, by source.Login) (event.Event, error) {
	var m shownMergeRequest
	if err := p.get(ctx, r.Site, fmt.Sprintf("%s/merge_requests/%d", project(r), number), by, &m); err != nil {
		return event.Event{}, err
	}
	e := m.event()
	if m.SourceProject == "" {
		return e, nil
	}
	var head shownProject
	err := p.get(ctx, r.Site, r.APIBase+"/projects/"+string(m.SourceProject), by, &head)
	if refused, ok := errors.AsType[*source.Refusal](err); ok && !refused.Again {
		return e, nil
	}
	if err != nil {
		return event.Event{}, err
	}
	e.PullRequest.Head = payloadProject{ID: m.SourceProject, Path: head.Path, CloneURL: head.CloneURL}.repository()
	return e, nil
}

// digits reports whether s is a number.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
