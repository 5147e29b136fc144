package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// ListCommitStatuses answers every commit status that a build, named by id or
// ARN, has owed so far, oldest first, and what became of each.
func (s *Service) ListCommitStatuses(ctx context.Context, in *slipway.ListCommitStatusesInput) (*slipway.ListCommitStatusesOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	id, ok := scope.Local("build", in.BuildID)
	if !ok {
		return nil, noSuchBuild(in.BuildID)
	}
	if !strings.Contains(id, ":") {
		return nil, fault.New(fault.Invalid, "Invalid build ID provided")
	}
	if _, err := s.builds.Get(ctx, scope, id); fault.KindOf(err) == fault.NotFound {
		return nil, noSuchBuild(in.BuildID)
	} else if err != nil {
		return nil, err
	}
	items, err := s.outbox.BySubject(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &slipway.ListCommitStatusesOutput{CommitStatuses: []slipway.CommitStatus{}}
	for _, item := range items {
		if item.Kind != outbox.CommitStatus {
			continue
		}
		status, err := entry(item)
		if err != nil {
			return nil, fmt.Errorf("commit status %d of build %s: %w", item.ID, id, err)
		}
		out.CommitStatuses = append(out.CommitStatuses, status)
	}
	return out, nil
}

// entry is an item of the outbox as it is shown.
func entry(item outbox.Item) (slipway.CommitStatus, error) {
	var owed build.CommitStatus
	if err := json.Unmarshal(item.Payload, &owed); err != nil {
		return slipway.CommitStatus{}, err
	}
	status := slipway.CommitStatus{
		Attempts:       item.Attempts,
		CommitID:       owed.Commit,
		Context:        owed.Context,
		Created:        api.At(item.Created),
		CredentialARN:  item.Outcome.Credential,
		DeliveryStatus: slipway.DeliveryStatus(item.State),
		Description:    owed.Description,
		HttpStatus:     item.Outcome.HTTPStatus,
		Message:        said(item),
		RepositoryURL:  owed.Location,
		State:          slipway.CommitStatusState(owed.State),
		TargetURL:      owed.TargetURL,
	}
	if !item.LastAttempt.IsZero() {
		status.LastAttempt = api.At(item.LastAttempt)
	}
	return status, nil
}

// said is what was said of an item, with the step that follows from it.
func said(item outbox.Item) string {
	parts := []string{item.Message}
	if next := item.Outcome.NextStep; next != "" && !strings.Contains(item.Message, next) {
		parts = append(parts, next)
	}
	if link := item.Outcome.Link; link != "" && !strings.Contains(strings.Join(parts, " "), link) {
		parts = append(parts, link)
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func noSuchBuild(idOrARN string) error {
	return fault.New(fault.NotFound, "Build %s does not exist", idOrARN)
}
