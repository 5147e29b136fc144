package extension

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// parameterStore is what ListSecrets needs of parameters.
type parameterStore interface {
	// List returns at most limit current versions below a path, by path, from the
	// one after the path after on.
	List(ctx context.Context, scope arn.Scope, below, after string, limit int) ([]vault.SealedParameter, error)
}

// secretStore is what it needs of secrets.
type secretStore interface {
	// List returns the secrets of a scope by name, marked ones too.
	List(ctx context.Context, scope arn.Scope) ([]vault.Secret, error)
}

// secretUses is what it needs of their uses.
type secretUses interface {
	// Last returns the last use of each of the things with these ARNs, by ARN.
	Last(ctx context.Context, arns []string) (map[string]vault.Use, error)
}

// sourceUses is what it needs of uses of secrets that sources name.
type sourceUses interface {
	// LastUsed returns when a credential was last given out; zero if never.
	LastUsed(ctx context.Context, arn string) (time.Time, error)
}

// Secrets is the operation on parameters and secrets. Its methods may be called
// from several goroutines.
type Secrets struct {
	parameters parameterStore
	secrets    secretStore
	uses       secretUses
	sources    sourceUses
	now        func() time.Time
}

// NewSecrets returns the operation on parameters and secrets. A nil now means time.Now.
func NewSecrets(p parameterStore, s secretStore, u secretUses, sources sourceUses, now func() time.Time) *Secrets {
	if now == nil {
		now = time.Now
	}
	return &Secrets{p, s, u, sources, now}
}

const (
	secretsPage  = 100 // entries, if the caller does not say
	secretsBatch = 200 // parameters read at once
)

// ListSecrets answers what parameters and secrets there are, parameters first,
// each by name, and what each was last used for. versions is the number of a
// parameter's current version, and how many versions of a secret have a stage. It
// never answers a value.
func (s *Secrets) ListSecrets(ctx context.Context, in *slipway.ListSecretsInput) (*slipway.ListSecretsOutput, error) {
	kind, after, err := secretsAfter(in.NextToken)
	if err != nil {
		return nil, err
	}
	size := secretsPage
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	search := strings.ToLower(in.Search)
	wanted := func(name, description string) bool {
		return strings.Contains(strings.ToLower(name), search) || strings.Contains(strings.ToLower(description), search)
	}
	// One more than a page has tells whether there is another page.
	all := []slipway.SecretSummary{}
	if kind == slipway.SecretKindParameter {
		if all, err = s.parametersAfter(ctx, after, size+1, wanted); err != nil {
			return nil, err
		}
		after = ""
	}
	if len(all) <= size {
		more, err := s.secretsAfter(ctx, after, wanted)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	out := &slipway.ListSecretsOutput{}
	if len(all) > size {
		all = all[:size]
		last := all[size-1]
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(string(last.Kind) + " " + last.Name))
	}
	out.Secrets = all
	return out, s.addUses(ctx, all)
}

// secretsAfter reads where a list goes on: after a parameter or secret.
func secretsAfter(token string) (kind slipway.SecretKind, name string, err error) {
	if token == "" {
		return slipway.SecretKindParameter, "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	word, name, ok := strings.Cut(string(text), " ")
	kind = slipway.SecretKind(word)
	if err != nil || !ok || kind != slipway.SecretKindParameter && kind != slipway.SecretKindSecret {
		return "", "", fault.New(fault.Invalid, "Invalid next token: it is none of this list's")
	}
	if kind == slipway.SecretKindParameter {
		name = vault.ParameterPath(name)
	}
	return kind, name, nil
}

func (s *Secrets) parametersAfter(ctx context.Context, after string, limit int, wanted func(name, description string) bool) ([]slipway.SecretSummary, error) {
	found := []slipway.SecretSummary{}
	for {
		all, err := s.parameters.List(ctx, accesskey.CallerOf(ctx).Scope, "", after, secretsBatch)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			if wanted(p.Name, p.Description) {
				found = append(found, slipway.SecretSummary{
					ARN: p.ARN(), Name: p.Name, Kind: slipway.SecretKindParameter, Type: string(p.Type), Description: p.Description, Changed: api.At(p.Modified), Versions: p.Version,
				})
			}
			if len(found) == limit {
				return found, nil
			}
		}
		if len(all) < secretsBatch {
			return found, nil
		}
		after = vault.ParameterPath(all[len(all)-1].Name)
	}
}

func (s *Secrets) secretsAfter(ctx context.Context, after string, wanted func(name, description string) bool) ([]slipway.SecretSummary, error) {
	all, err := s.secrets.List(ctx, accesskey.CallerOf(ctx).Scope)
	var found []slipway.SecretSummary
	for _, a := range all {
		if a.Name > after && !a.Gone(s.now()) && wanted(a.Name, a.Description) {
			found = append(found, slipway.SecretSummary{
				ARN: a.ARN, Name: a.Name, Kind: slipway.SecretKindSecret, Description: a.Description, Changed: api.At(a.Changed), Deleted: api.At(a.Purge), Versions: int64(len(a.Versions)),
			})
		}
	}
	return found, err
}

// addUses adds what each was last used for. A secret may also be what a source
// names as its credential: of that it is known when.
func (s *Secrets) addUses(ctx context.Context, all []slipway.SecretSummary) error {
	arns := make([]string, len(all))
	for i := range all {
		arns[i] = all[i].ARN
	}
	last, err := s.uses.Last(ctx, arns)
	if err != nil {
		return err
	}
	for i := range all {
		use, used := last[all[i].ARN]
		if all[i].Kind == slipway.SecretKindSecret {
			at, err := s.sources.LastUsed(ctx, all[i].ARN)
			if err != nil {
				return err
			}
			if at.After(use.At) {
				use, used = vault.Use{At: at}, true
			}
		}
		if used {
			all[i].LastUse = &slipway.SecretUse{At: api.At(use.At), BuildID: use.BuildID, ProjectName: use.Project, User: use.User}
		}
	}
	return nil
}
