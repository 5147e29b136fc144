package bitbucket

import (
	"context"
	"errors"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source"
)

// approverRoles is what Bitbucket's permissions are to CodeBuild.
var approverRoles = map[string]api.PullRequestBuildApproverRole{
	"read":  api.PullRequestBuildApproverRoleBitbucketRead,
	"write": api.PullRequestBuildApproverRoleBitbucketWrite,
	"admin": api.PullRequestBuildApproverRoleBitbucketAdmin,
}

// permission is what a user may do on a repository.
type permission struct {
	Permission string  `json:"permission"`
	User       account `json:"user"`
}

// Role returns the permission of a user, who is named by account id or UUID:
// nicknames change and are not unique. Permissions by groups count if the token
// may read the workspace's permissions; otherwise those given to the user alone.
func (p *Provider) Role(ctx context.Context, r source.Repository, user string, by source.Login) (api.PullRequestBuildApproverRole, error) {
	if user == "" {
		return "", nil
	}
	is := func(a account) bool { return a.AccountID == user || a.UUID == user }
	var role api.PullRequestBuildApproverRole
	// Filters on this list are not documented to work by account, and one that is
	// ignored would show a stranger's role: every row is looked at.
	list := target(r.APIBase, "workspaces", r.Owner, "permissions", "repositories", r.Name) + "?pagelen=100"
	err := each(ctx, p, r.Site, by, list, func(row permission) bool {
		if !is(row.User) {
			return true
		}
		role = approverRoles[row.Permission]
		return false
	})
	refusal, refused := errors.AsType[*source.Refusal](err)
	if !refused || refusal.Cause != slipway.FailureCauseMissingScope {
		return role, err
	}
	var given permission
	if p.read(ctx, r.Site, by, repositoryURL(r, "permissions-config", "users", user), &given) != nil || !is(given.User) {
		return "", err
	}
	return approverRoles[given.Permission], nil
}
