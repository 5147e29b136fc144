package registrar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// names are what AWS's sentences call providers.
var names = map[api.ServerType]string{
	api.ServerTypeGithub: "GitHub", api.ServerTypeGithubEnterprise: "GitHub", api.ServerTypeBitbucket: "Bitbucket",
	api.ServerTypeGitlab: "GitLab", api.ServerTypeGitlabSelfManaged: "GitLab",
}

// refused returns the fault that a provider's no is: AWS's sentence, since
// programs look for it, and after it what really is the matter and what to do.
// Errors of other kinds are returned as they are. doing is "create" or "update".
func (r *Registrar) refused(ctx context.Context, d desk, doing string, err error) error {
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok && errors.Is(err, context.DeadlineExceeded) {
		refusal, ok = &source.Refusal{Cause: slipway.FailureCauseUnreachable, Again: true, Message: names[d.server] + " did not answer in time."}, true
	}
	if !ok {
		return err
	}
	r.log.Warn("webhook refused by its provider", "place", d.place, "cause", refusal.Cause, "httpStatus", refusal.HTTPStatus, "reason", refusal.Message, "header", refusal.Header)
	message := sentences(refusal.Message, refusal.NextStep, see(refusal.Link, refusal.Message+refusal.NextStep))
	switch refusal.Cause {
	case slipway.FailureCauseRateLimited: // the client says so only if the provider's headers do
		if refusal.After > 0 {
			message = sentences(refusal.Message, "It takes calls again in "+refusal.After.Round(time.Second).String()+".")
		}
		message = sentences(fmt.Sprintf("Failed to %s webhook. %s API limit reached. Please try again later.", doing, names[d.server]), message)
	case slipway.FailureCauseUnreachable, slipway.FailureCauseCertificate, slipway.FailureCauseProviderError:
		message = sentences(fmt.Sprintf("Unable to %s webhook at this time. Please try again later.", doing), message)
	case slipway.FailureCauseRejected, slipway.FailureCauseConflict:
		message = sentences(fmt.Sprintf("Failed to %s webhook.", doing), message)
	default:
		// A provider that hides what a login may not see says 404 whatever the
		// reason; and what it only calls forbidden helps nobody either.
		if refusal.Cause == slipway.FailureCauseNotVisible || refusal.NextStep == "" {
			if why := d.diagnose(ctx); why != "" {
				message = sentences(refusal.Message, strings.TrimPrefix(why, refusal.Message))
			}
		}
		message = sentences(fmt.Sprintf("Failed to %s webhook. Repository not found or permission denied. "+
			"Please make sure the source credentials associated with your project have the permission to create webhook.", doing), message)
	}
	return &fault.Error{Kind: fault.Provider, Message: message, Err: refusal}
}

// diagnose finds out why a login may not manage hooks, which providers answer
// with one and the same 404 whatever the reason: it asks about the token first
// and about the repository then, and says the first that is wrong.
func (d desk) diagnose(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, shortTime)
	defer cancel()
	repository := &d.target.Repository
	if d.target.Scope != "" {
		repository = nil
	}
	health, err := d.provider.Check(ctx, d.target.Site, repository, d.found.Login)
	if err != nil {
		return ""
	}
	switch health.State {
	case slipway.CredentialStateInvalid, slipway.CredentialStateExpired:
		return sentences(health.Message, health.NextStep, see(health.Link, health.Message+health.NextStep))
	}
	for _, job := range health.Jobs {
		if job.Job == slipway.CredentialJobWebhook && job.Ability == slipway.AbilityNo {
			return sentences(job.Message, job.NextStep, see(job.Link, job.Message+job.NextStep))
		}
	}
	return ""
}

// see points at a page, unless what is said already does.
func see(link, said string) string {
	if link == "" || strings.Contains(said, link) {
		return ""
	}
	return "See " + link
}

// sentences joins those that are not empty.
func sentences(all ...string) string {
	var said []string
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}

// reason returns what of an error people may read.
func reason(err error) string {
	if message := fault.Message(err); message != "" {
		return message
	}
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		return sentences(refusal.Message, refusal.NextStep, see(refusal.Link, refusal.Message+refusal.NextStep))
	}
	return "Slipway itself failed; its log says why."
}

// passing reports whether trying again later may help by itself.
func passing(err error) bool {
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		return refusal.Again
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Exists, fault.Limit, fault.Denied, fault.Gone:
		return false
	}
	return true
}
