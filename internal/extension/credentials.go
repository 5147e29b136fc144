package extension

import (
	"context"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// keyring is what the operations on credentials need of them.
type keyring interface {
	// List returns the credentials of a scope, defaults and named ones.
	List(ctx context.Context, scope arn.Scope) ([]credential.About, error)
	// Pick returns the credential with this name or ARN, or the account's
	// default for the server type of this name, or NotFound.
	Pick(ctx context.Context, scope arn.Scope, nameOrARN string) (credential.About, error)
	// Import stores c, sealed, in place of one with its ARN if overwrite says
	// so; else Exists. It returns what is stored.
	Import(ctx context.Context, c credential.Credential, overwrite bool) (credential.About, error)
	// Delete removes the credential with this ARN, or NotFound.
	Delete(ctx context.Context, scope arn.Scope, arn string) error
	// Uses returns a page of at most limit uses of a credential, latest first.
	// after is "" or the next that the page before returned.
	Uses(ctx context.Context, scope arn.Scope, arn, after string, limit int) ([]slipway.CredentialUse, string, error)
	// LastUsed returns when a credential was last given out; zero if never.
	LastUsed(ctx context.Context, arn string) (time.Time, error)
}

// checkup is what they need of checks.
type checkup interface {
	// Wake tells that a credential was imported.
	Wake(arn string)
	// Check checks a credential now: see checkup.Checker.
	Check(ctx context.Context, scope arn.Scope, nameOrARN, repositoryURL string) (slipway.CredentialHealth, error)
	// CheckBefore refuses what its provider clearly refuses.
	CheckBefore(ctx context.Context, c credential.Credential) error
	// Health returns what the last check of a credential found.
	Health(ctx context.Context, a credential.About) (slipway.CredentialHealth, error)
	// UsedBy returns the names of the projects that each credential serves, by ARN.
	UsedBy(ctx context.Context, scope arn.Scope) (map[string][]string, error)
	// Replace tells what importing a credential would do.
	Replace(ctx context.Context, c credential.Credential) (health slipway.CredentialHealth, replaces bool, affected []slipway.AffectedProject, err error)
	// Remove tells what deleting a credential would do.
	Remove(ctx context.Context, a credential.About) ([]slipway.AffectedProject, error)
	// Explain tells which credential serves a repository, and why.
	Explain(ctx context.Context, scope arn.Scope, in *slipway.ExplainCredentialInput) (*slipway.ExplainCredentialOutput, error)
	// Repositories lists what a credential reaches.
	Repositories(ctx context.Context, a credential.About, host, search, after string) (page []slipway.Repository, next string, warnings []string, err error)
}

// CredentialOptions tunes Credentials. The zero value is ready for production.
type CredentialOptions struct {
	Strict bool             // what its provider clearly refuses is not imported
	Now    func() time.Time // nil means time.Now
}

// Credentials is the operations on source credentials. Its methods may be
// called from several goroutines.
type Credentials struct {
	keys    keyring
	checks  checkup
	compose func(scope arn.Scope, in *slipway.ImportCredentialInput, now time.Time) (credential.Credential, error)
	options CredentialOptions
}

// NewCredentials returns the operations on credentials. compose makes a credential
// of what is imported, the account's default if that has no name, or says what
// is wrong with it as Invalid.
func NewCredentials(keys keyring, checks checkup, compose func(arn.Scope, *slipway.ImportCredentialInput, time.Time) (credential.Credential, error), o CredentialOptions) *Credentials {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Credentials{keys: keys, checks: checks, compose: compose, options: o}
}

// ListCredentials answers every credential of the caller's scope: what it is,
// how it was found at the last check, and which projects it serves.
func (s *Credentials) ListCredentials(ctx context.Context, _ *slipway.ListCredentialsInput) (*slipway.ListCredentialsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	all, err := s.keys.List(ctx, scope)
	if err != nil {
		return nil, err
	}
	used, err := s.checks.UsedBy(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := &slipway.ListCredentialsOutput{Credentials: []slipway.CredentialSummary{}}
	for _, a := range all {
		h, err := s.checks.Health(ctx, a)
		if err != nil {
			return nil, err
		}
		summary, err := s.summary(ctx, a, h, used)
		if err != nil {
			return nil, err
		}
		out.Credentials = append(out.Credentials, summary)
	}
	return out, nil
}

// recent is how many uses DescribeCredential answers.
const recent = 10

// DescribeCredential answers one credential, by name or ARN, and its latest uses.
func (s *Credentials) DescribeCredential(ctx context.Context, in *slipway.DescribeCredentialInput) (*slipway.DescribeCredentialOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	a, err := s.pick(ctx, scope, in.Credential)
	if err != nil {
		return nil, err
	}
	h, err := s.checks.Health(ctx, a)
	if err != nil {
		return nil, err
	}
	summary, err := s.described(ctx, a, h)
	if err != nil {
		return nil, err
	}
	uses, _, err := s.keys.Uses(ctx, scope, a.ARN, "", recent)
	return &slipway.DescribeCredentialOutput{Credential: &summary, RecentUses: uses}, err
}

// VerifyCredential checks a credential at its provider now and answers what was
// found, with a repository's URL for that repository.
func (s *Credentials) VerifyCredential(ctx context.Context, in *slipway.VerifyCredentialInput) (*slipway.VerifyCredentialOutput, error) {
	a, err := s.pick(ctx, accesskey.CallerOf(ctx).Scope, in.Credential)
	if err != nil {
		return nil, err
	}
	h, err := s.checks.Check(ctx, a.Scope, a.ARN, in.RepositoryURL)
	if err != nil {
		return nil, err
	}
	summary, err := s.described(ctx, a, h)
	return &slipway.VerifyCredentialOutput{Credential: &summary}, err
}

// ImportCredential stores a credential, without a name as the account's default
// like ImportSourceCredentials. With dryRun nothing is stored: the token is
// checked, and it is answered which projects it would serve and what each would
// lose.
func (s *Credentials) ImportCredential(ctx context.Context, in *slipway.ImportCredentialInput) (*slipway.ImportCredentialOutput, error) {
	c, err := s.compose(accesskey.CallerOf(ctx).Scope, in, s.options.Now())
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		h, replaces, affected, err := s.checks.Replace(ctx, c)
		if err != nil {
			return nil, err
		}
		return &slipway.ImportCredentialOutput{ARN: c.ARN, ConnectionARN: c.ConnectionARN, Overwrites: replaces, AffectedProjects: affected, Health: &h}, nil
	}
	if s.options.Strict {
		if err := s.checks.CheckBefore(ctx, c); err != nil {
			return nil, err
		}
	}
	a, err := s.keys.Import(ctx, c, in.ShouldOverwrite == nil || *in.ShouldOverwrite)
	if err != nil {
		return nil, err
	}
	s.checks.Wake(a.ARN)
	return &slipway.ImportCredentialOutput{ARN: a.ARN, ConnectionARN: a.ConnectionARN, Overwrites: a.Version > 1}, nil
}

// DeleteCredential removes a credential for good. It answers which projects it
// serves and what becomes of each; with dryRun that is all.
func (s *Credentials) DeleteCredential(ctx context.Context, in *slipway.DeleteCredentialInput) (*slipway.DeleteCredentialOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	a, err := s.pick(ctx, scope, in.Credential)
	if err != nil {
		return nil, err
	}
	affected, err := s.checks.Remove(ctx, a)
	if err != nil {
		return nil, err
	}
	if !in.DryRun {
		if err := s.keys.Delete(ctx, scope, a.ARN); err != nil {
			return nil, err
		}
	}
	return &slipway.DeleteCredentialOutput{ARN: a.ARN, AffectedProjects: affected}, nil
}

// ExplainCredential answers which credential serves a repository, given by URL
// or as a project's, and all that could, in the order in which they are asked.
func (s *Credentials) ExplainCredential(ctx context.Context, in *slipway.ExplainCredentialInput) (*slipway.ExplainCredentialOutput, error) {
	return s.checks.Explain(ctx, accesskey.CallerOf(ctx).Scope, in)
}

// usesPage is how many uses a page has if the caller does not say.
const usesPage = 50

// ListCredentialUses answers what a credential was given out for, latest first.
func (s *Credentials) ListCredentialUses(ctx context.Context, in *slipway.ListCredentialUsesInput) (*slipway.ListCredentialUsesOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	a, err := s.pick(ctx, scope, in.Credential)
	if err != nil {
		return nil, err
	}
	limit := usesPage
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	uses, next, err := s.keys.Uses(ctx, scope, a.ARN, in.NextToken, limit)
	return &slipway.ListCredentialUsesOutput{Uses: uses, NextToken: next}, err
}

// ListRepositories answers a page of the repositories that a credential
// reaches, as its provider tells it.
func (s *Credentials) ListRepositories(ctx context.Context, in *slipway.ListRepositoriesInput) (*slipway.ListRepositoriesOutput, error) {
	a, err := s.pick(ctx, accesskey.CallerOf(ctx).Scope, in.Credential)
	if err != nil {
		return nil, err
	}
	page, next, warnings, err := s.checks.Repositories(ctx, a, in.Host, in.Search, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &slipway.ListRepositoriesOutput{Repositories: page, NextToken: next, Warnings: warnings}, nil
}

// pick finds a credential by name, ARN or, for the account's default, server
// type. What was asked for is not repeated: it may be a token, given by mistake.
func (s *Credentials) pick(ctx context.Context, scope arn.Scope, word string) (credential.About, error) {
	a, err := s.keys.Pick(ctx, scope, word)
	if fault.KindOf(err) == fault.NotFound {
		return a, fault.New(fault.NotFound, "There is no such source credential: 'slipway credential list' shows those that there are")
	}
	return a, err
}
