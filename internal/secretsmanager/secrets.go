package secretsmanager

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/secretsmanager"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

// A draft is the value that a request puts, if any, and the version's id.
type draft struct {
	value vault.Value
	there bool
	id    string
}

func newDraft(text, bytes secret.Text, token *string) (draft, error) {
	value, there, err := vault.NewValue(text, bytes)
	d := draft{value, there, uuid.NewString()}
	if token != nil {
		d.id = *token
	}
	return d, err
}

// put puts the value, and returns the id of its version, nil if there is none.
func (d draft) put(s *vault.Secret, stages []string, keys sealer, now time.Time) (*string, error) {
	if !d.there {
		return nil, nil
	}
	v, err := s.Put(d.value, d.id, stages, keys, now)
	if err != nil {
		return nil, err
	}
	return &v.ID, nil
}

// CreateSecret makes a secret. Asked again with the same token it changes nothing.
func (s *Service) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretRequest) (*secretsmanager.CreateSecretResponse, error) {
	if len(in.AddReplicaRegions) > 0 {
		return nil, fault.New(fault.Invalid, "Secrets are not replicated here: a server has one vault. Leave AddReplicaRegions out.")
	}
	d, err := newDraft(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	made, now := &vault.Secret{}, s.now()
	var id *string
	err = s.secrets.Change(ctx, accesskey.CallerOf(ctx).Scope, in.Name, func(old *vault.Secret) (*vault.Secret, error) {
		if old != nil && !old.Gone(now) {
			if !old.Deleted.IsZero() {
				return nil, fault.Because(vault.Unfit, fault.Invalid, "You can't create this secret because a secret with this name is already scheduled for deletion.")
			}
			if _, err := old.Version(d.id, ""); err != nil || !d.there {
				return nil, fault.New(fault.Exists, "The operation failed because the secret %s already exists.", in.Name)
			}
			made = old
		} else if made, err = vault.NewSecret(accesskey.CallerOf(ctx).Scope, in.Name, now); err != nil {
			return nil, err
		} else if made.Tags, err = vault.Tagged(nil, tagsOf(in.Tags)); err != nil {
			return nil, err
		} else {
			made.Description, made.KeyID = text(in.Description), text(in.KMSKeyID)
		}
		id, err = d.put(made, nil, s.sealer, now)
		return made, err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.CreateSecretResponse{ARN: &made.ARN, Name: &made.Name, VersionID: id}, nil
}

// UpdateSecret changes what is known of a secret, and its value if one is given.
func (s *Service) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretRequest) (*secretsmanager.UpdateSecretResponse, error) {
	d, err := newDraft(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	var id *string
	changed, err := s.change(ctx, in.SecretID, func(old *vault.Secret) (err error) {
		if in.Description != nil {
			old.Description = *in.Description
		}
		if in.KMSKeyID != nil {
			old.KeyID = *in.KMSKeyID
		}
		old.Changed = s.now().UTC()
		id, err = d.put(old, nil, s.sealer, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretResponse{ARN: &changed.ARN, Name: &changed.Name, VersionID: id}, nil
}

// PutSecretValue gives a secret a new value, which is its current one unless
// other stages are named.
func (s *Service) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueRequest) (*secretsmanager.PutSecretValueResponse, error) {
	d, err := newDraft(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	if !d.there {
		return nil, fault.New(fault.Invalid, "You must provide either SecretString or SecretBinary.")
	}
	var id *string
	changed, err := s.change(ctx, in.SecretID, func(old *vault.Secret) (err error) {
		id, err = d.put(old, in.VersionStages, s.sealer, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	v, err := changed.Version(*id, "")
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueResponse{ARN: &changed.ARN, Name: &changed.Name, VersionID: id, VersionStages: v.Stages}, nil
}

// GetSecretValue answers the value of a secret's version, the current one unless
// another is named.
func (s *Service) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueRequest) (*secretsmanager.GetSecretValueResponse, error) {
	found, err := s.get(ctx, in.SecretID)
	if err != nil {
		return nil, err
	}
	v, err := found.Version(text(in.VersionID), text(in.VersionStage))
	if err != nil {
		return nil, err
	}
	value, err := found.Open(v, s.sealer)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.GetSecretValueResponse{
		ARN: &found.ARN, Name: &found.Name, VersionID: &v.ID, VersionStages: slices.Concat([]string{}, v.Stages), CreatedDate: api.At(v.Created), SecretBinary: value.Bytes(),
	}
	if text, ok := value.Text(); ok {
		out.SecretString = new(text.Reveal())
	}
	return out, s.uses.Record(ctx, vault.Use{ARN: found.ARN, At: s.now(), User: accesskey.CallerOf(ctx).ARN()})
}

// UpdateSecretVersionStage moves a stage from one version to another.
func (s *Service) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageRequest) (*secretsmanager.UpdateSecretVersionStageResponse, error) {
	changed, err := s.change(ctx, in.SecretID, func(old *vault.Secret) error {
		return old.MoveStage(in.VersionStage, text(in.RemoveFromVersionID), text(in.MoveToVersionID), s.now())
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageResponse{ARN: &changed.ARN, Name: &changed.Name}, nil
}

// DeleteSecret marks a secret for deletion, or removes it at once if it is to be
// forced: then it is no error that there is none.
func (s *Service) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretRequest) (*secretsmanager.DeleteSecretResponse, error) {
	force := in.ForceDeleteWithoutRecovery != nil && *in.ForceDeleteWithoutRecovery
	if force && in.RecoveryWindowInDays != nil {
		return nil, fault.New(fault.Invalid, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	}
	scope, now := accesskey.CallerOf(ctx).Scope, s.now()
	gone := vault.SecretAbout{ARN: in.SecretID, Name: in.SecretID, Purge: now}
	err := s.secrets.Change(ctx, scope, in.SecretID, func(old *vault.Secret) (*vault.Secret, error) {
		if force {
			if old != nil {
				gone.ARN, gone.Name = old.ARN, old.Name
			}
			return nil, nil
		}
		if err := old.Usable(now); err != nil {
			return nil, err
		}
		err := old.Mark(in.RecoveryWindowInDays, now)
		gone = old.SecretAbout
		return old, err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretResponse{ARN: &gone.ARN, Name: &gone.Name, DeletionDate: api.At(gone.Purge)}, nil
}

// RestoreSecret takes the mark of deletion away.
func (s *Service) RestoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretRequest) (*secretsmanager.RestoreSecretResponse, error) {
	var restored *vault.Secret
	err := s.secrets.Change(ctx, accesskey.CallerOf(ctx).Scope, in.SecretID, func(old *vault.Secret) (*vault.Secret, error) {
		if old == nil || old.Gone(s.now()) {
			return nil, vault.ErrNoSecret()
		}
		old.Restore()
		restored = old
		return old, nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.RestoreSecretResponse{ARN: &restored.ARN, Name: &restored.Name}, nil
}

// TagResource hangs tags on a secret.
func (s *Service) TagResource(ctx context.Context, in *secretsmanager.TagResourceRequest) (*secretsmanager.TagResourceResponse, error) {
	_, err := s.change(ctx, in.SecretID, func(old *vault.Secret) (err error) {
		old.Tags, err = vault.Tagged(old.Tags, tagsOf(in.Tags))
		return err
	})
	return &secretsmanager.TagResourceResponse{}, err
}

// UntagResource takes tags off a secret.
func (s *Service) UntagResource(ctx context.Context, in *secretsmanager.UntagResourceRequest) (*secretsmanager.UntagResourceResponse, error) {
	_, err := s.change(ctx, in.SecretID, func(old *vault.Secret) error {
		old.Tags = vault.Untagged(old.Tags, in.TagKeys)
		return nil
	})
	return &secretsmanager.UntagResourceResponse{}, err
}

func tagsOf(in []secretsmanager.Tag) []vault.Tag {
	out := make([]vault.Tag, len(in))
	for i, t := range in {
		out[i] = vault.Tag{Key: text(t.Key), Value: text(t.Value)}
	}
	return out
}
