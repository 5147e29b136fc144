package gitlab

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// maxColumn is how many characters GitLab takes for a description, a name and a
// link.
const maxColumn = 255

// states are GitLab's words for ours. It has none for a build that could not be
// carried out.
var states = map[source.State]string{
	source.Pending: "running", // a build that is told of has begun
	source.Success: "success",
	source.Failure: "failed",
	source.Errored: "failed",
	source.Stopped: "canceled",
}

// status is the body of "Set commit pipeline status".
type status struct {
	State       string `json:"state"`
	Name        string `json:"name,omitzero"`
	Ref         string `json:"ref,omitzero"`
	Description string `json:"description,omitzero"`
	TargetURL   string `json:"target_url,omitzero"`
}

// ReportStatus sets s on a commit. GitLab answers the same state twice with an
// error, which is none for us: the status is there.
func (p *Provider) ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error {
	body := status{
		State: states[s.State], Name: rest.Cut(s.Context, maxColumn), Description: rest.Cut(s.Description, maxColumn), Ref: short(s.Ref),
	}
	if utf8.RuneCountInString(s.TargetURL) <= maxColumn {
		body.TargetURL = s.TargetURL // a link that is cut leads nowhere
	}
	_, err := p.client.Do(ctx, rest.Call{
		Method: http.MethodPost, URL: project(r) + "/statuses/" + url.PathEscape(commit), At: r.Site, By: by, Body: body, Repeatable: true,
	})
	if refused, ok := errors.AsType[*source.Refusal](err); ok && refused.HTTPStatus == http.StatusBadRequest && strings.Contains(refused.Message, "Cannot transition status") {
		return nil
	}
	return err
}

// short returns the name of a branch or tag, as GitLab takes it for a status;
// "" for any other ref, so that GitLab finds one itself.
func short(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			return name
		}
	}
	if strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return ref
}
