package github

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// A repo is a repository as GitHub answers it.
type repo struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	FullName      string `json:"full_name"`
	Private       bool   `json:"private"`
	DefaultBranch string `json:"default_branch"`
	CloneURL      string `json:"clone_url"`
	Archived      bool   `json:"archived"`
	Owner         user   `json:"owner"`
	Permissions   rights `json:"permissions"`
}

// rights are what a token's owner may do, whatever the token is good for.
type rights struct {
	Admin    bool `json:"admin"`
	Maintain bool `json:"maintain"`
	Push     bool `json:"push"`
	Triage   bool `json:"triage"`
	Pull     bool `json:"pull"`
}

func (r rights) role() string {
	switch {
	case r.Admin:
		return "admin"
	case r.Maintain:
		return "maintain"
	case r.Push:
		return "write"
	case r.Triage:
		return "triage"
	case r.Pull:
		return "read"
	}
	return "none"
}

type user struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"` // User, Organization, Bot
}

// pagesPerCall bounds how long a search takes: GitHub lists what a token
// reaches, and does not search in it.
const pagesPerCall = 3

// Repositories returns those that a token reaches and whose owner/name contains
// search, latest pushed first. A page may hold few, or none, and have a next.
func (p *Provider) Repositories(ctx context.Context, at source.Site, search, after string, by source.Login) (page []slipway.Repository, next string, warnings []string, err error) {
	number := 1
	if after != "" {
		if number, err = strconv.Atoi(after); err != nil || number < 1 || number > 10_000 {
			return nil, "", nil, fault.New(fault.Invalid, "The next token is none that this list gave.")
		}
	}
	path := "/user/repos?affiliation=owner,collaborator,organization_member&sort=pushed&per_page=100&page="
	if by.Kind == slipway.TokenKindGithubAppInstallation {
		path = "/installation/repositories?per_page=100&page="
	}
	for range pagesPerCall {
		a, err := p.client.Do(ctx, rest.Call{URL: at.APIBase + path + strconv.Itoa(number), At: at, By: by})
		if err != nil {
			return nil, "", nil, err
		}
		repos, err := repositories(a, by)
		if err != nil {
			return nil, "", nil, err
		}
		for _, r := range repos {
			if strings.Contains(strings.ToLower(r.FullName), strings.ToLower(search)) {
				page = append(page, slipway.Repository{FullName: r.FullName, CloneURL: r.CloneURL, DefaultBranch: r.DefaultBranch, Private: r.Private, Admin: r.Permissions.Admin})
			}
		}
		if w := partial(at, a.Header); w != "" && len(warnings) == 0 {
			warnings = []string{w}
		}
		if rest.NextLink(a) == "" {
			return page, "", warnings, nil
		}
		number++
		if len(page) > 0 {
			break
		}
	}
	return page, strconv.Itoa(number), warnings, nil
}

func repositories(a *rest.Answer, by source.Login) ([]repo, error) {
	if by.Kind == slipway.TokenKindGithubAppInstallation {
		var list struct {
			Repositories []repo `json:"repositories"`
		}
		err := a.JSON(&list)
		return list.Repositories, err
	}
	var list []repo
	err := a.JSON(&list)
	return list, err
}

// partial says which organizations a list leaves out, since they ask for single
// sign-on; "" if it is whole.
func partial(at source.Site, h http.Header) string {
	rest, ok := strings.CutPrefix(h.Get("X-GitHub-SSO"), "partial-results")
	if !ok {
		return ""
	}
	_, ids, _ := strings.Cut(rest, "organizations=")
	var known []string
	for _, id := range split(ids) {
		if strings.Trim(id, "0123456789") == "" && len(id) < 20 && len(known) < 50 {
			known = append(known, id)
		}
	}
	of := "organization with the id " + strings.Join(known, ", ")
	if len(known) != 1 {
		of = "organizations with the ids " + strings.Join(known, ", ")
	}
	return "GitHub hides the repositories of the " + of + " until the token is authorized for single sign-on: " +
		"choose 'Configure SSO' beside it at " + at.WebBase + classicPage + "."
}
