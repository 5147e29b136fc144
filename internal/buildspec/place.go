package buildspec

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Place says what the buildspec member of a project or build means.
type Place int

// The places.
const (
	Default Place = iota // nothing is said: DefaultPath in the primary source
	Path                 // a path below the primary source's root
	Inline               // the buildspec itself
	Object               // the ARN of an object in S3
)

// DefaultPath is where a buildspec is when nothing is said.
const DefaultPath = "buildspec.yml"

// PlaceOf tells an inline buildspec from a path. CodeBuild has no flag for it:
// a text of several lines, or one that is a YAML mapping, is inline.
func PlaceOf(value string) Place {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return Default
	case strings.ContainsAny(value, "\r\n"):
		return Inline
	case strings.HasPrefix(value, "arn:"):
		return Object
	case len(value) > MaxSize:
		return Inline // too long for a path; Parse says what is wrong
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(value), &doc) == nil && doc.Kind == yaml.DocumentNode && doc.Content[0].Kind == yaml.MappingNode {
		return Inline
	}
	return Path
}
