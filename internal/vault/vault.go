// Package vault holds parameters and secrets, the values that builds take from
// the Parameter Store and from Secrets Manager: what they are called, how their
// versions follow each other, and what a variable's reference means.
package vault

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"slipway/internal/fault"
)

// A Tag is what users hang on parameters and secrets to find them by.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A Use is one time that a value was given out, and to whom: to a build, or to
// a user who asked the API for it.
type Use struct {
	ARN     string // of the parameter or secret
	At      time.Time
	BuildID string // empty if it was not for a build
	Project string // likewise
	User    string // ARN of who asked, if it was not for a build
}

// Sealer seals values to an owner.
type Sealer interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}

// Opener opens what a Sealer sealed.
type Opener interface {
	Open(box []byte, owner string) ([]byte, error)
}

// Failures that AWS has a name of its own for among those of their kind.
const (
	NoVersion       fault.Reason = "no such version"
	TooDeep         fault.Reason = "too many levels"
	BadPattern      fault.Reason = "the pattern is no pattern"
	PatternMismatch fault.Reason = "the value does not match"
	BadFilterKey    fault.Reason = "no such filter"
	BadFilterOption fault.Reason = "no such option of the filter"
	BadFilterValue  fault.Reason = "the filter has no such value"
	BadPage         fault.Reason = "no such page"
	BadResource     fault.Reason = "no such resource to tag"
	BadResourceType fault.Reason = "no such type of resource to tag"
	TooManyTags     fault.Reason = "too many tags"
	Unfit           fault.Reason = "the secret's state does not allow it"
)

// maxTags is how many tags one thing can have.
const maxTags = 50

// Tagged returns tags with more among them: the last of a key counts. Too many,
// or ones that only AWS may set, are Invalid.
func Tagged(tags, more []Tag) ([]Tag, error) {
	out := slices.Clone(tags)
	for _, t := range more {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, fault.New(fault.Invalid, "Tag keys that begin with aws: are reserved for AWS: choose another key")
		}
		out = append(slices.DeleteFunc(out, func(old Tag) bool { return old.Key == t.Key }), t)
	}
	if len(out) > maxTags {
		return nil, fault.Because(TooManyTags, fault.Invalid, "There can be at most %d tags: remove some first", maxTags)
	}
	slices.SortFunc(out, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// Untagged returns tags without those that have one of keys.
func Untagged(tags []Tag, keys []string) []Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return slices.Contains(keys, t.Key) })
}
