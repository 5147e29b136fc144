package bitbucket

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // as a short name, not for security
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// Bitbucket's limits of a build status, in characters.
const (
	maxKey  = 40
	maxText = 255
)

// states is what Bitbucket calls a build's state. It knows no error.
var states = map[source.State]string{
	source.Pending: "INPROGRESS",
	source.Success: "SUCCESSFUL",
	source.Failure: "FAILED",
	source.Errored: "FAILED",
	source.Stopped: "STOPPED",
}

// status is the body of "Create a build status for a commit".
type status struct {
	Key         string `json:"key"`
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
	URL         string `json:"url"`
	Ref         string `json:"refname,omitzero"`
}

// ReportStatus sets s on a commit. Its Context is the name that people see; the
// key is the Context too, or its SHA-1 if that is longer than Bitbucket takes.
// Without a TargetURL the status leads to the commit's page, since Bitbucket
// insists on one; without a Ref it does not show on pull requests. A status
// that another account has set is a Refusal that names it: only who made a
// status, or an administrator, may replace it.
func (p *Provider) ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error {
	context := cmp.Or(s.Context, "default")
	body := status{
		Key: keyOf(context), State: cmp.Or(states[s.State], "FAILED"), Name: rest.Cut(context, maxText), Description: rest.Cut(s.Description, maxText),
		URL: cmp.Or(s.TargetURL, target(r.WebBase, r.Owner, r.Name, "commits", commit)),
	}
	if branch, ok := strings.CutPrefix(s.Ref, "refs/heads/"); ok {
		body.Ref = branch
	}
	_, err := p.do(ctx, rest.Call{
		Method: http.MethodPost, URL: repositoryURL(r, "commit", commit, "statuses", "build"), At: r.Site, By: by, Body: body, Repeatable: true, // by its key
	})
	return p.explainStatus(ctx, r, commit, body.Key, by, err)
}

func keyOf(context string) string {
	if utf8.RuneCountInString(context) <= maxKey {
		return context
	}
	sum := sha1.Sum([]byte(context)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// explainStatus finds out whether a status was refused because somebody else
// made the one that is there.
func (p *Provider) explainStatus(ctx context.Context, r source.Repository, commit, key string, by source.Login, err error) error {
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok || refusal.Cause != slipway.FailureCauseNotAdmin && refusal.Cause != slipway.FailureCauseConflict {
		return err
	}
	var there struct {
		Author account `json:"author"`
	}
	if p.read(ctx, r.Site, by, repositoryURL(r, "commit", commit, "statuses", "build", key), &there) != nil || there.Author.ID() == "" {
		return err
	}
	refusal.Cause = slipway.FailureCauseConflict
	refusal.Message += " The status is there already, made by " + rest.Clean(there.Author.name(), secret.Text{}) +
		", and Bitbucket lets only whoever made a status, or an administrator of the repository, replace it."
	refusal.NextStep = "Until builds that began with another credential have ended, keep that credential; or give this one's owner the permission Admin on the repository."
	return refusal
}
