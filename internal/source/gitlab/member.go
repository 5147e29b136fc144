package gitlab

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// GitLab's access levels.
const (
	guest      = 10
	planner    = 15
	reporter   = 20
	developer  = 30
	maintainer = 40
	owner      = 50
)

// roles are the access levels by name, from the highest.
var roles = []struct {
	level int
	name  string
	role  api.PullRequestBuildApproverRole
}{
	{owner, "Owner", api.PullRequestBuildApproverRoleGitlabOwner},
	{maintainer, "Maintainer", api.PullRequestBuildApproverRoleGitlabMaintainer},
	{developer, "Developer", api.PullRequestBuildApproverRoleGitlabDeveloper},
	{reporter, "Reporter", api.PullRequestBuildApproverRoleGitlabReporter},
	{planner, "Planner", api.PullRequestBuildApproverRoleGitlabPlanner},
	{guest, "Guest", api.PullRequestBuildApproverRoleGitlabGuest},
}

// roleName returns what GitLab calls an access level.
func roleName(level int) string {
	for _, r := range roles {
		if level >= r.level {
			return r.name
		}
	}
	return "no member"
}

// Role returns the role of a user, given by number or by name. A name that is a
// number is taken for one: Read never gives such a name.
func (p *Provider) Role(ctx context.Context, r source.Repository, name string, by source.Login) (api.PullRequestBuildApproverRole, error) {
	id := name
	if !digits(name) {
		var found []user
		if err := p.get(ctx, r.Site, r.APIBase+"/users?username="+url.QueryEscape(name), by, &found); err != nil {
			return "", err
		}
		for _, u := range found {
			if strings.EqualFold(u.Username, name) {
				id = string(u.ID)
			}
		}
	}
	if !digits(id) {
		return "", nil
	}
	level, err := p.memberLevel(ctx, r, id, by)
	if err != nil {
		return "", err
	}
	for _, known := range roles {
		if level >= known.level {
			return known.role, nil
		}
	}
	return "", nil
}

// memberLevel returns the access level of a user, also if he has it through a
// group; 0 if he has none.
func (p *Provider) memberLevel(ctx context.Context, r source.Repository, id string, by source.Login) (int, error) {
	var m struct {
		Level      int    `json:"access_level"`
		State      string `json:"state"`
		Membership string `json:"membership_state"`
	}
	err := p.get(ctx, r.Site, project(r)+"/members/all/"+url.PathEscape(id), by, &m)
	if refused, ok := errors.AsType[*source.Refusal](err); ok && refused.HTTPStatus == http.StatusNotFound && !strings.Contains(refused.Message, "Project") {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if m.State != "" && m.State != "active" || m.Membership != "" && m.Membership != "active" {
		return 0, nil
	}
	return m.Level, nil
}

// shownProject is a project as the API shows it.
type shownProject struct {
	Path          string `json:"path_with_namespace"`
	DefaultBranch string `json:"default_branch"`
	Visibility    string `json:"visibility"`
	CloneURL      string `json:"http_url_to_repo"`
	Permissions   *struct {
		Project *access `json:"project_access"`
		Group   *access `json:"group_access"`
	} `json:"permissions"`
}

type access struct {
	Level int `json:"access_level"`
}

// level returns the caller's access level as the project itself shows it; 0 if
// it shows none, which is also so for who is in by an invited group.
func (s shownProject) level() int {
	level := 0
	if s.Permissions != nil {
		for _, a := range []*access{s.Permissions.Project, s.Permissions.Group} {
			if a != nil {
				level = max(level, a.Level)
			}
		}
	}
	return level
}

// pageSize is how many repositories a page of the picker has.
const pageSize = 50

// Repositories returns a page of the projects that a login is a member of.
func (p *Provider) Repositories(ctx context.Context, at source.Site, search, after string, by source.Login) ([]slipway.Repository, string, []string, error) {
	q := url.Values{"membership": {"true"}, "archived": {"false"}, "order_by": {"last_activity_at"}, "per_page": {strconv.Itoa(pageSize)}}
	if search != "" {
		q.Set("search", search)
	}
	if after != "" {
		if number, err := strconv.Atoi(after); err != nil || number < 1 || number > 10_000 {
			return nil, "", nil, fault.New(fault.Invalid, "The next token is none that this list gave.")
		}
		q.Set("page", after)
	}
	answer, err := p.client.Do(ctx, rest.Call{URL: at.APIBase + "/projects?" + q.Encode(), At: at, By: by})
	if err != nil {
		return nil, "", nil, err
	}
	var found []shownProject
	if err := answer.JSON(&found); err != nil {
		return nil, "", nil, err
	}
	page := []slipway.Repository{}
	for _, s := range found {
		page = append(page, slipway.Repository{
			FullName: s.Path, CloneURL: plain(s.CloneURL), DefaultBranch: s.DefaultBranch, Private: s.Visibility != "public", Admin: s.level() >= maintainer,
		})
	}
	next := ""
	if u, err := url.Parse(nextPage(answer)); err == nil {
		next = u.Query().Get("page")
	}
	return page, next, nil, nil
}
