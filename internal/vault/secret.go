package vault

import (
	"slices"
	"strings"
	"time"

	"slipway/internal/arn"
	"slipway/internal/fault"
)

// The stages that move by themselves. Others are users' own.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
)

// SecretAbout is what is known of a secret in the clear.
type SecretAbout struct {
	Scope       arn.Scope `json:"-"`
	ARN         string    `json:"-"` // ends in six characters that no other secret of that name has had
	Name        string    `json:"-"`
	Description string    `json:"description,omitzero"`
	KeyID       string    `json:"keyId,omitzero"` // what it was asked to be encrypted with; it is sealed with our key
	Tags        []Tag     `json:"tags,omitzero"`
	Created     time.Time `json:"created"`
	Changed     time.Time `json:"changed"`
	Deleted     time.Time `json:"deleted,omitzero"` // when it was marked for deletion; zero if it is not
	Purge       time.Time `json:"purge,omitzero"`   // when it goes for good, if it is marked
}

// A Secret is what is known of a secret, and its versions, sealed.
type Secret struct {
	SecretAbout
	Versions []Version // oldest first
}

// A Version is one value that a secret has or had. Its ID, stages and time are
// its own; the Box never changes.
type Version struct {
	ID      string
	Stages  []string // in order; without any the version is deprecated
	Created time.Time
	Binary  bool   // the value is bytes; else it is text
	Box     []byte // sealed
}

// maxVersions is how many versions a secret keeps: of more, the oldest go that
// have no stage.
const maxVersions = 100

const (
	notFound = "Secrets Manager can't find the specified secret."
	marked   = "You can't perform this operation on the secret because it was marked for deletion."
)

// ErrNoSecret is what is said of a secret that there is none of.
func ErrNoSecret() error { return fault.New(fault.NotFound, notFound) }

// Gone reports whether a secret is as good as removed.
func (a SecretAbout) Gone(now time.Time) bool { return !a.Purge.IsZero() && !a.Purge.After(now) }

// Usable returns why a secret, which may be nil, cannot be used: NotFound if it
// is not there, Invalid if it is marked for deletion.
func (s *Secret) Usable(now time.Time) error {
	switch {
	case s == nil || s.Gone(now):
		return ErrNoSecret()
	case !s.Deleted.IsZero():
		return fault.Because(Unfit, fault.Invalid, marked)
	}
	return nil
}

// Version returns the version with an id, a stage, or both; without either the
// current one. NotFound if there is none, Invalid if there are two different ones.
func (s *Secret) Version(id, stage string) (*Version, error) {
	if id == "" && stage == "" {
		stage = Current
	}
	i := slices.IndexFunc(s.Versions, func(v Version) bool {
		return (id == "" || v.ID == id) && (id != "" || slices.Contains(v.Stages, stage))
	})
	switch {
	case i < 0 && id != "":
		return nil, fault.New(fault.NotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", id)
	case i < 0:
		return nil, fault.New(fault.NotFound, "Secrets Manager can't find the specified secret value for staging label: %s", stage)
	case stage != "" && !slices.Contains(s.Versions[i].Stages, stage):
		return nil, fault.Because(Unfit, fault.Invalid, "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return &s.Versions[i], nil
}

// Open returns the value of one of s's versions. It fails if it was sealed as
// another, or with a key that is not at hand.
func (s *Secret) Open(v *Version, o Opener) (Value, error) {
	plain, err := o.Open(v.Box, versionOwner(s.ARN, v.ID))
	if err != nil {
		return Value{}, err
	}
	return newValue(string(plain), v.Binary), nil
}

// keyring is what a value that is put is sealed with, and what is there already
// opened, to be compared.
type keyring interface {
	Sealer
	Opener
}

// Put adds a version with a value, as id, to s: it takes the stages from those
// that have them, which are AWSCURRENT unless others are named. A first version
// is current in any case. The same value put as the same id again changes
// nothing; another one is Exists.
func (s *Secret) Put(v Value, id string, stages []string, keys keyring, now time.Time) (*Version, error) {
	if old, err := s.Version(id, ""); err == nil {
		was, err := s.Open(old, keys)
		if err != nil {
			return nil, err
		}
		if !was.equal(v) {
			return nil, fault.New(fault.Exists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, s.ARN)
		}
		return old, nil
	}
	box, err := keys.Seal([]byte(v.text.Reveal()), versionOwner(s.ARN, id))
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 || len(s.Versions) == 0 {
		stages = append(slices.Clone(stages), Current)
	}
	now = now.UTC().Truncate(time.Microsecond)
	s.Versions = append(s.Versions, Version{ID: id, Created: now, Binary: v.Binary, Box: box})
	for _, stage := range stages {
		s.move(stage, id)
	}
	s.forget()
	s.Changed = now
	return s.Version(id, "")
}

// move gives a stage to a version, which is there. What was current becomes the
// previous one.
func (s *Secret) move(stage, id string) {
	holder := ""
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.ID != id && slices.Contains(v.Stages, stage) {
			holder = v.ID
			v.unstage(stage)
		}
		if v.ID == id && !slices.Contains(v.Stages, stage) {
			v.Stages = append(v.Stages, stage)
			slices.Sort(v.Stages)
		}
	}
	if stage == Current && holder != "" {
		s.move(Previous, holder)
		if i := slices.IndexFunc(s.Versions, func(v Version) bool { return v.ID == id }); i >= 0 {
			s.Versions[i].unstage(Previous)
		}
	}
}

func (v *Version) unstage(stage string) {
	v.Stages = slices.DeleteFunc(slices.Clone(v.Stages), func(s string) bool { return s == stage })
}

// forget drops the oldest versions without a stage while there are too many.
func (s *Secret) forget() {
	for len(s.Versions) > maxVersions {
		i := slices.IndexFunc(s.Versions, func(v Version) bool { return len(v.Stages) == 0 })
		if i < 0 {
			return
		}
		s.Versions = slices.Delete(s.Versions, i, i+1)
	}
}

// MoveStage gives a stage to the version to, away from the version from; either
// may be empty, but not both. The version that has the stage must be from.
func (s *Secret) MoveStage(stage, from, to string, now time.Time) error {
	holder := ""
	for _, v := range s.Versions {
		if slices.Contains(v.Stages, stage) {
			holder = v.ID
		}
	}
	for _, id := range []string{from, to} {
		if id == "" {
			continue
		}
		if _, err := s.Version(id, ""); err != nil {
			return err
		}
	}
	switch {
	case from == "" && to == "":
		return fault.New(fault.Invalid, "You must provide MoveToVersionId, RemoveFromVersionId, or both")
	case from != "" && from != holder:
		return fault.New(fault.Invalid, "The version %s does not have the staging label %s", from, stage)
	case from == "" && holder != "" && holder != to:
		return fault.New(fault.Invalid, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder)
	case to == "" && stage == Current:
		return fault.New(fault.Invalid, "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	}
	if to != "" {
		s.move(stage, to)
	} else {
		for i := range s.Versions {
			s.Versions[i].unstage(stage)
		}
	}
	s.Changed = now.UTC().Truncate(time.Microsecond)
	return nil
}

// Recovery windows, in days.
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

// Mark marks s for deletion after a window of days, 30 if that is nil.
func (s *Secret) Mark(days *int64, now time.Time) error {
	window := int64(defaultWindow)
	if days != nil {
		window = *days
	}
	if window < minWindow || window > maxWindow {
		return fault.New(fault.Invalid, "The RecoveryWindowInDays value must be between %d and %d days (inclusive).", minWindow, maxWindow)
	}
	s.Deleted = now.UTC().Truncate(time.Microsecond)
	s.Purge = s.Deleted.AddDate(0, 0, int(window))
	return nil
}

// Restore takes the mark of deletion away.
func (s *Secret) Restore() { s.Deleted, s.Purge = time.Time{}, time.Time{} }

// FindSecret returns how a secret that id names is found in scope: by its ARN,
// or by its name, which an ARN without the last seven characters also holds. ok
// is false if id can name nothing there.
func FindSecret(scope arn.Scope, id string) (fullARN, name string, ok bool) {
	if !strings.HasPrefix(id, "arn:") {
		return "", id, id != ""
	}
	a, parsed := arn.Parse(id)
	name, found := strings.CutPrefix(a.Resource, "secret:")
	if !parsed || !found || name == "" || a.Service != "secretsmanager" || a.Account != scope.Account || a.Region != scope.Region {
		return "", "", false
	}
	return id, name, true
}
