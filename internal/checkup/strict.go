package checkup

import (
	"context"
	"errors"
	"fmt"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// final are the causes for which a token is refused before it is imported:
// those that no later look can change.
var final = map[slipway.FailureCause]bool{
	slipway.FailureCauseBadToken: true, slipway.FailureCauseExpiredToken: true,
	slipway.FailureCauseWrongKind: true, slipway.FailureCauseWrongUsername: true,
}

// CheckBefore returns a fault of kind Provider if a credential that is about to
// be imported is clearly refused by its provider: the token is unknown there or
// expired, or of a kind or with a user name that can never work. A provider
// that cannot be reached, or nobody knows where, refuses nothing.
func (c *Checker) CheckBefore(ctx context.Context, n credential.Credential) error {
	if n.Token.IsZero() {
		return nil
	}
	l := source.NewLogin(n.ServerType, n.Username, n.Token)
	if m, wrong := mistakeOf(n.About, l); wrong {
		return refusedImport(n.About, m.health(l.Kind))
	}
	site, known, err := c.firstSite(ctx, &n)
	if err != nil || !known {
		return err
	}
	p := c.parts.Providers[n.ServerType]
	if p == nil {
		return nil
	}
	h, err := p.Check(ctx, site, nil, l)
	if _, silent := errors.AsType[*source.Refusal](err); silent {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check before import: %w", err)
	}
	if h = c.finished(n.About, h); h.State == slipway.CredentialStateExpired || h.State == slipway.CredentialStateInvalid && final[h.Cause] {
		return refusedImport(n.About, h)
	}
	return nil
}

// firstSite returns where a credential that is not stored can be checked: at a
// project which it is going to serve, whose location tells all of the address,
// or at its provider's site. n gets the hosts that it would have.
func (c *Checker) firstSite(ctx context.Context, n *credential.Credential) (source.Site, bool, error) {
	if selfHosted(n.ServerType) {
		p, err := c.plan(ctx, n)
		if err != nil {
			return source.Site{}, false, err
		}
		for _, u := range p.uses {
			if p.serves(u) && p.allowed(u) {
				return at(n.About, u.repository, source.Login{}).site, true, nil
			}
		}
	}
	site, ok := c.site(n.About, "")
	return site, ok, nil
}

func refusedImport(a credential.About, h slipway.CredentialHealth) error {
	message := "Failed to verify the access token with server type " + string(a.ServerType) + "."
	for _, more := range []string{h.Message, h.NextStep} {
		if more != "" {
			message += " " + more
		}
	}
	if h.Link != "" {
		message += " " + h.Link
	}
	return fault.New(fault.Provider, "%s", message)
}
