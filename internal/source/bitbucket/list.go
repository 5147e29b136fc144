package bitbucket

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// maxEmpty is how many workspaces without a match are gone through for one page.
const maxEmpty = 10

// Repositories goes through the login's workspaces one by one, since Bitbucket
// lists across them no more. next is a workspace and a page of it. Bitbucket
// does not tell with a list where the login is an administrator, so Admin is
// always false. Access tokens list nothing, which a warning says.
func (p *Provider) Repositories(ctx context.Context, at source.Site, search, after string, by source.Login) (page []slipway.Repository, next string, warnings []string, err error) {
	if accessToken(by.Kind) {
		return nil, "", []string{"A Bitbucket access token belongs to one repository, project or workspace and cannot list what it reaches: give the repository's address instead."}, nil
	}
	workspaces, err := p.workspaces(ctx, at, by)
	if err != nil {
		return nil, "", nil, err
	}
	if len(workspaces) == 0 {
		return nil, "", []string{"The token's owner is in no Bitbucket workspace."}, nil
	}
	i, number, err := place(workspaces, after)
	if err != nil {
		return nil, "", nil, err
	}
	for range maxEmpty {
		if i == len(workspaces) {
			return page, "", warnings, nil
		}
		var more bool
		page, more, err = p.pageOf(ctx, at, workspaces[i], search, number, by)
		if r, ok := errors.AsType[*source.Refusal](err); ok && (r.Cause == slipway.FailureCauseNotVisible || r.Cause == slipway.FailureCauseNotAdmin || r.Cause == slipway.FailureCauseIpNotAllowed) {
			warnings = append(warnings, "The repositories of the workspace "+rest.Clean(workspaces[i], secret.Text{})+" are missing from the list. "+r.Message)
		} else if err != nil {
			return nil, "", nil, err
		}
		if more {
			return page, workspaces[i] + ":" + strconv.Itoa(number+1), warnings, nil
		}
		if i, number = i+1, 1; len(page) > 0 {
			break
		}
	}
	if i < len(workspaces) {
		next = workspaces[i] + ":1"
	}
	return page, next, warnings, nil
}

// cursor is what next looks like: a workspace and a page of it.
var cursor = regexp.MustCompile(`^([A-Za-z0-9_.-]{1,100}):([1-9][0-9]{0,5})$`)

// place finds the workspace and page that after names. One that is gone since
// is taken for the workspace that would follow it.
func place(workspaces []string, after string) (i, number int, err error) {
	if after == "" {
		return 0, 1, nil
	}
	part := cursor.FindStringSubmatch(after)
	if part == nil {
		return 0, 0, rejected("The list cannot be continued there: that is not what its last page said.")
	}
	i, found := slices.BinarySearch(workspaces, part[1])
	if !found {
		return i, 1, nil
	}
	number, err = strconv.Atoi(part[2])
	return i, number, err
}

// workspaces returns the slugs of the workspaces that the login is in, sorted.
func (p *Provider) workspaces(ctx context.Context, at source.Site, by source.Login) ([]string, error) {
	type access struct {
		Workspace struct {
			Slug string `json:"slug"`
		} `json:"workspace"`
	}
	var list []string
	err := each(ctx, p, at, by, target(at.APIBase, "user", "workspaces")+"?pagelen=100", func(a access) bool {
		if a.Workspace.Slug != "" {
			list = append(list, a.Workspace.Slug)
		}
		return true
	})
	slices.Sort(list)
	return slices.Compact(list), err
}

func (p *Provider) pageOf(ctx context.Context, at source.Site, workspace, search string, number int, by source.Login) (page []slipway.Repository, more bool, err error) {
	query := url.Values{"role": {"member"}, "sort": {"-updated_on"}, "pagelen": {"100"}, "page": {strconv.Itoa(number)}}
	if search != "" {
		query.Set("q", `name~"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(search)+`"`)
	}
	var out struct {
		Values []repository `json:"values"`
		Next   string       `json:"next"`
	}
	if err := p.read(ctx, at, by, target(at.APIBase, "repositories", workspace)+"?"+query.Encode(), &out); err != nil {
		return nil, false, err
	}
	for _, r := range out.Values {
		page = append(page, slipway.Repository{FullName: r.FullName, CloneURL: at.WebBase + "/" + r.FullName + ".git", DefaultBranch: r.Main.Name, Private: r.Private})
	}
	return page, out.Next != "", nil
}
