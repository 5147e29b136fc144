package project

import (
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/lazy"
)

const (
	maxName        = 150
	maxDescription = 255
)

var name = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9_-]+$`)

// CheckName tells whether a project can have this name. A name that passes is
// safe in an ARN, a path or a log stream.
func CheckName(s string) error {
	f := new(faults)
	f.name(s)
	return f.first()
}

func (f *faults) name(s string) {
	switch {
	case utf8.RuneCountInString(s) > maxName:
		f.add("name", "", "Project name length cannot be greater than %d characters", maxName)
	case !name().MatchString(s):
		f.add("name", "", "Project name must have 2 to %d letters, digits, hyphens or underscores and begin with a letter or digit", maxName)
	}
}

func (f *faults) description(s *string) {
	if utf8.RuneCountInString(text(s)) > maxDescription {
		f.add("description", "", "Max description length is %d", maxDescription)
	}
}

// badge is the answer's form of badgeEnabled. It names no URL: one that nothing
// answers would be a broken picture in somebody's README.
func badge(enabled *bool) *api.ProjectBadge {
	return &api.ProjectBadge{BadgeEnabled: new(enabled != nil && *enabled)}
}

func (f *faults) badge(b *api.ProjectBadge, s *api.ProjectSource) {
	if b == nil || b.BadgeEnabled == nil || !*b.BadgeEnabled || s == nil {
		return
	}
	switch s.Type {
	case api.SourceTypeS3:
		f.add("badgeEnabled", "", "Build badges are not supported for S3 source")
	case api.SourceTypeNoSource:
		f.add("badgeEnabled", "", "Build badges are not supported for projects with no source")
	case api.SourceTypeCodepipeline:
		f.add("badgeEnabled", "", "Build badges are not supported for CodePipeline source")
	}
}
