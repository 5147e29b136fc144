package project

import (
	"regexp"
	"unicode/utf8"

	"slipway/internal/api"
)

const (
	maxName        = 150
	maxDescription = 255
)

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]+$`)

// CheckName tells whether a project can have this name. A name that passes is
// safe in an ARN, a path or a log stream.
func CheckName(s string) error {
	if utf8.RuneCountInString(s) > maxName {
		return invalid("Project name length cannot be greater than %d characters", maxName)
	}
	if !name.MatchString(s) {
		return invalid("Project name must have 2 to %d letters, digits, hyphens or underscores and begin with a letter or digit", maxName)
	}
	return nil
}

func checkDescription(s *string) error {
	if utf8.RuneCountInString(text(s)) > maxDescription {
		return invalid("Max description length is %d", maxDescription)
	}
	return nil
}

// badge is the answer's form of badgeEnabled. It names no URL: one that nothing
// answers would be a broken picture in somebody's README.
func badge(enabled *bool) *api.ProjectBadge {
	return &api.ProjectBadge{BadgeEnabled: new(enabled != nil && *enabled)}
}

func checkBadge(b *api.ProjectBadge, s *api.ProjectSource) error {
	if b == nil || b.BadgeEnabled == nil || !*b.BadgeEnabled {
		return nil
	}
	switch s.Type {
	case api.SourceTypeS3:
		return invalid("Build badges are not supported for S3 source")
	case api.SourceTypeNoSource:
		return invalid("Build badges are not supported for projects with no source")
	case api.SourceTypeCodepipeline:
		return invalid("Build badges are not supported for CodePipeline source")
	}
	return nil
}
