package buildspec_test

import (
	"strings"
	"testing"

	"slipway/internal/buildspec"
)

func TestPlacesOfABuildspec(t *testing.T) {
	for value, want := range map[string]buildspec.Place{
		"":     buildspec.Default,
		" \n ": buildspec.Default,

		"buildspec.yml":                  buildspec.Path,
		" ci/buildspec.yml\n":            buildspec.Path,
		"../up.yml":                      buildspec.Path,
		"a folder/a file: no, a list":    buildspec.Inline, // as YAML has it
		"a:b.yml":                        buildspec.Path,
		"**/*.yml":                       buildspec.Path, // no YAML
		"[a].yml":                        buildspec.Path,
		"[a]":                            buildspec.Path, // YAML, but no mapping
		"- a":                            buildspec.Path,
		"# a":                            buildspec.Path,
		"---":                            buildspec.Path,
		"...":                            buildspec.Path,
		"%YAML 1.1":                      buildspec.Path,
		"0.2":                            buildspec.Path,
		"\x00":                           buildspec.Path,
		"\xff":                           buildspec.Path,
		strings.Repeat("a", 5000):        buildspec.Path,
		strings.Repeat("[", 20_000):      buildspec.Path,
		"arn":                            buildspec.Path,
		"arn:aws:s3:::bucket/a/spec.yml": buildspec.Object,
		" arn:aws:s3:::bucket/a":         buildspec.Object,

		"version: 0.2": buildspec.Inline,
		"version: 0.2\nphases:\n  build: {commands: [make]}": buildspec.Inline,
		"version: 0.2\rphases:\r":                            buildspec.Inline,
		`{"version": 0.2, "phases": {}}`:                     buildspec.Inline,
		"{}":                                                 buildspec.Inline,
		"phases:":                                            buildspec.Inline,
		"a\nb":                                               buildspec.Inline, // Parse says what is wrong
		"arn:aws:s3:::bucket/a\narn:aws:s3:::bucket/b": buildspec.Inline,
		strings.Repeat("a", buildspec.MaxSize+1):       buildspec.Inline,
	} {
		if got := buildspec.PlaceOf(value); got != want {
			t.Errorf("PlaceOf(%.40q) = %d, want %d", value, got, want)
		}
	}
}
