package secretsmanager

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/secretsmanager"
	"slipway/internal/vault"
)

// DescribeSecret answers what is known of a secret, without its value.
func (s *Service) DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretRequest) (*secretsmanager.DescribeSecretResponse, error) {
	found, err := s.any(ctx, in.SecretID)
	if err != nil {
		return nil, err
	}
	last, err := s.uses.Last(ctx, []string{found.ARN})
	if err != nil {
		return nil, err
	}
	e := entry(*found, last[found.ARN].At)
	return &secretsmanager.DescribeSecretResponse{
		ARN: e.ARN, Name: e.Name, Description: e.Description, KMSKeyID: e.KMSKeyID, Tags: e.Tags,
		VersionIDsToStages: e.SecretVersionsToStages, CreatedDate: e.CreatedDate, LastChangedDate: e.LastChangedDate,
		LastAccessedDate: e.LastAccessedDate, DeletedDate: e.DeletedDate,
	}, nil
}

// entry is what is answered of a secret. Of an access it is the day.
func entry(s vault.Secret, accessed time.Time) secretsmanager.SecretListEntry {
	e := secretsmanager.SecretListEntry{
		ARN: &s.ARN, Name: &s.Name, Description: known(s.Description), KMSKeyID: known(s.KeyID),
		CreatedDate: api.At(s.Created), LastChangedDate: api.At(s.Changed), DeletedDate: api.At(s.Purge), Tags: []secretsmanager.Tag{},
	}
	if !accessed.IsZero() {
		e.LastAccessedDate = api.At(day(accessed))
	}
	for _, t := range s.Tags {
		e.Tags = append(e.Tags, secretsmanager.Tag{Key: &t.Key, Value: &t.Value})
	}
	for _, v := range s.Versions {
		if len(v.Stages) == 0 {
			continue
		}
		if e.SecretVersionsToStages == nil {
			e.SecretVersionsToStages = map[string][]string{}
		}
		e.SecretVersionsToStages[v.ID] = v.Stages
	}
	return e
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// listed is a secret in a list, and where it is in its order.
type listed struct {
	secretsmanager.SecretListEntry
	key string
}

// A place is where a list of secrets goes on: after the secret with this key and
// name, in this order.
type place struct {
	Order string `json:"o"`
	Key   string `json:"k"`
	Name  string `json:"n"`
}

// ListSecrets answers a page of the secrets that pass all filters, in the order
// in which they were made unless another is asked for.
func (s *Service) ListSecrets(ctx context.Context, in *secretsmanager.ListSecretsRequest) (*secretsmanager.ListSecretsResponse, error) {
	const most = 100
	all, err := s.secrets.List(ctx, accesskey.CallerOf(ctx).Scope)
	if err != nil {
		return nil, err
	}
	arns := make([]string, len(all))
	for i := range all {
		arns[i] = all[i].ARN
	}
	last, err := s.uses.Last(ctx, arns)
	if err != nil {
		return nil, err
	}
	by := cmp.Or(in.SortBy, secretsmanager.SortByTypeCreatedDate)
	order := string(by) + "/" + string(cmp.Or(in.SortOrder, secretsmanager.SortOrderTypeAsc))
	var found []listed
	for _, a := range all {
		deleted := !a.Deleted.IsZero() && (in.IncludePlannedDeletion == nil || !*in.IncludePlannedDeletion)
		if !deleted && !a.Gone(s.now()) && passes(a.SecretAbout, in.Filters) {
			e := entry(a, last[a.ARN].At)
			found = append(found, listed{e, sortKey(e, by)})
		}
	}
	compare := func(a, b place) int {
		c := cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Name, b.Name))
		if in.SortOrder == secretsmanager.SortOrderTypeDesc {
			return -c
		}
		return c
	}
	at := func(l listed) place { return place{order, l.key, *l.Name} }
	slices.SortFunc(found, func(a, b listed) int { return compare(at(a), at(b)) })
	if in.NextToken != nil {
		var after place
		text, err := base64.RawURLEncoding.DecodeString(*in.NextToken)
		if err != nil || json.Unmarshal(text, &after) != nil || after.Order != order {
			return nil, errPage
		}
		found = slices.DeleteFunc(found, func(l listed) bool { return compare(at(l), after) <= 0 })
	}
	out := &secretsmanager.ListSecretsResponse{SecretList: []secretsmanager.SecretListEntry{}}
	size := most
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if len(found) > size {
		found = found[:size]
		text, err := json.Marshal(at(found[size-1]))
		if err != nil {
			return nil, err
		}
		out.NextToken = new(base64.RawURLEncoding.EncodeToString(text))
	}
	for _, l := range found {
		out.SecretList = append(out.SecretList, l.SecretListEntry)
	}
	return out, nil
}

// sortKey returns what a list is ordered by, as text.
func sortKey(e secretsmanager.SecretListEntry, by secretsmanager.SortByType) string {
	at := e.CreatedDate
	switch by {
	case secretsmanager.SortByTypeName:
		return *e.Name
	case secretsmanager.SortByTypeLastAccessedDate:
		at = e.LastAccessedDate
	case secretsmanager.SortByTypeLastChangedDate:
		at = e.LastChangedDate
	}
	return at.UTC().Format("2006-01-02T15:04:05.000")
}

// passes reports whether a secret passes all filters.
func passes(a vault.SecretAbout, all []secretsmanager.Filter) bool {
	return !slices.ContainsFunc(all, func(f secretsmanager.Filter) bool { return !passesOne(a, f) })
}

// passesOne reports whether one of a filter's values is the beginning of what it
// is about; one after an exclamation mark must not be. For "all" each word of
// the value must be somewhere.
func passesOne(a vault.SecretAbout, f secretsmanager.Filter) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		value, not := strings.CutPrefix(value, "!")
		var is bool
		switch f.Key {
		case secretsmanager.FilterNameStringTypeName:
			is = strings.HasPrefix(a.Name, value)
		case secretsmanager.FilterNameStringTypeDescription:
			is = strings.HasPrefix(strings.ToLower(a.Description), strings.ToLower(value))
		case secretsmanager.FilterNameStringTypeTagKey:
			is = slices.ContainsFunc(a.Tags, func(t vault.Tag) bool { return strings.HasPrefix(t.Key, value) })
		case secretsmanager.FilterNameStringTypeTagValue:
			is = slices.ContainsFunc(a.Tags, func(t vault.Tag) bool { return strings.HasPrefix(t.Value, value) })
		case secretsmanager.FilterNameStringTypePrimaryRegion:
			is = strings.HasPrefix(a.Scope.Region, value)
		case secretsmanager.FilterNameStringTypeOwningService: // none is
		case secretsmanager.FilterNameStringTypeAll:
			text := strings.ToLower(a.Name + "\n" + a.Description)
			for _, t := range a.Tags {
				text += "\n" + strings.ToLower(t.Key+"\n"+t.Value)
			}
			is = !slices.ContainsFunc(strings.Fields(strings.ToLower(value)), func(word string) bool { return !strings.Contains(text, word) })
		}
		return is != not
	})
}

// ListSecretVersionIds answers the versions of a secret, with their stages; on
// demand also those that have none.
func (s *Service) ListSecretVersionIds(ctx context.Context, in *secretsmanager.ListSecretVersionIdsRequest) (*secretsmanager.ListSecretVersionIdsResponse, error) { //nolint:revive // the operation's name
	const most = 100
	found, err := s.any(ctx, in.SecretID)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretVersionIdsResponse{ARN: &found.ARN, Name: &found.Name, Versions: []secretsmanager.SecretVersionsListEntry{}}
	versions := found.Versions
	if in.NextToken != nil {
		i := slices.IndexFunc(versions, func(v vault.Version) bool { return v.ID == *in.NextToken })
		if i < 0 {
			return nil, errPage
		}
		versions = versions[i:]
	}
	size := most
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	for _, v := range versions {
		if len(v.Stages) == 0 && (in.IncludeDeprecated == nil || !*in.IncludeDeprecated) {
			continue
		}
		if len(out.Versions) == size {
			out.NextToken = &v.ID
			break
		}
		out.Versions = append(out.Versions, secretsmanager.SecretVersionsListEntry{VersionID: &v.ID, VersionStages: v.Stages, CreatedDate: api.At(v.Created)})
	}
	return out, nil
}

// GetResourcePolicy answers that a secret has no policy: whoever has a key to
// the server may use all of it.
func (s *Service) GetResourcePolicy(ctx context.Context, in *secretsmanager.GetResourcePolicyRequest) (*secretsmanager.GetResourcePolicyResponse, error) {
	found, err := s.any(ctx, in.SecretID)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyResponse{ARN: &found.ARN, Name: &found.Name}, nil
}
