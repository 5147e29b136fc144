package extension

import (
	"context"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
)

// described is a credential as it is answered alone.
func (s *Credentials) described(ctx context.Context, a credential.About, h slipway.CredentialHealth) (slipway.CredentialSummary, error) {
	used, err := s.checks.UsedBy(ctx, a.Scope)
	if err != nil {
		return slipway.CredentialSummary{}, err
	}
	return s.summary(ctx, a, h, used)
}

func (s *Credentials) summary(ctx context.Context, a credential.About, h slipway.CredentialHealth, used map[string][]string) (slipway.CredentialSummary, error) {
	last, err := s.keys.LastUsed(ctx, a.ARN)
	if err != nil {
		return slipway.CredentialSummary{}, err
	}
	out := slipway.CredentialSummary{
		ARN: a.ARN, Name: a.Name, ServerType: slipway.ServerType(a.ServerType), AuthType: slipway.AuthType(a.AuthType),
		Resource: a.Resource, ConnectionARN: a.ConnectionARN, Username: a.Username, Hosts: a.Hosts,
		Created: api.At(a.Created), Modified: api.At(a.Modified), UsedBy: used[a.ARN], Health: &h,
	}
	if a.Match != (credential.Match{}) {
		out.Match = &slipway.CredentialMatch{Host: a.Match.Host, Owner: a.Match.Owner, Repository: a.Match.Repository}
	}
	if !last.IsZero() {
		out.LastUsed = api.At(last)
	}
	ends := credential.Examined{About: a, Health: &credential.Health{Found: h}}.Ends()
	if !ends.IsZero() {
		out.Expires = api.At(ends)
		out.DaysLeft = max(0, int(ends.Sub(s.options.Now())/(24*time.Hour)))
	}
	return out, nil
}
