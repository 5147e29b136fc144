package project

import (
	"slices"
	"strings"

	"slipway/internal/api"
)

// artifacts holds one artifacts setting against the rules of its type. A
// secondary one (primary false) is in S3 and needs an identifier besides.
func (f *faults) artifacts(at path, a *api.ProjectArtifacts, primary bool) {
	if a == nil {
		f.add(at, "", "Project artifacts are required")
		return
	}
	if !primary {
		if a.Type != api.ArtifactsTypeS3 {
			f.add(at, "type", "Invalid input: artifactType %s is not allowed for secondaryArtifacts", a.Type)
			return
		}
		if text(a.ArtifactIdentifier) == "" {
			f.add(at, "artifactIdentifier", "Invalid input: artifactIdentifier is required for secondary artifacts")
		}
	}
	location := text(a.Location)
	switch a.Type {
	case api.ArtifactsTypeS3:
		if location == "" {
			f.add(at, "location", "Invalid artifacts: location is required")
		}
		if strings.Contains(location, "/") {
			f.add(at, "location", "Invalid artifacts: location must be the name of a bucket, without slashes; path and name take the rest")
		}
	case api.ArtifactsTypeNoArtifacts:
		if location != "" {
			f.add(at, "location", "Invalid artifacts: artifact type %s should have null location", a.Type)
		}
		if a.EncryptionDisabled != nil {
			f.add(at, "encryptionDisabled", encrypted, a.Type)
		}
	case api.ArtifactsTypeCodepipeline:
		// Terraform sends a false here, always.
		if a.EncryptionDisabled != nil && *a.EncryptionDisabled {
			f.add(at, "encryptionDisabled", encrypted, a.Type)
		}
	default:
		f.add(at, "type", "Invalid type provided: Project artifacts type")
	}
}

const encrypted = "Invalid artifacts: artifact type %s should have null encryptionDisabled"

// secondaryArtifacts holds each of the secondary artifacts against the rules of
// artifacts, and all of them against each other.
func (f *faults) secondaryArtifacts(all []api.ProjectArtifacts) {
	const at path = "secondaryArtifacts"
	if len(all) > maxSecondary {
		f.add(at, "", "Invalid input: the maximum number of artifact definitions in secondaryArtifacts is %d", maxSecondary)
		return
	}
	seen := map[string]bool{}
	for i := range all {
		f.artifacts(at.element(i), &all[i], false)
		id := text(all[i].ArtifactIdentifier)
		if seen[id] && id != "" {
			f.add(at.element(i), "artifactIdentifier", "Invalid input: artifactIdentifier cannot be duplicated")
		}
		seen[id] = true
	}
}

// pipeline refuses a project that only takes from a pipeline or only gives to one.
func (f *faults) pipeline(s *api.ProjectSource, a *api.ProjectArtifacts) {
	if s != nil && a != nil && (s.Type == api.SourceTypeCodepipeline) != (a.Type == api.ArtifactsTypeCodepipeline) {
		f.add("artifacts.type", "", "Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE")
	}
}

// filledArtifacts is a with the members that CodeBuild answers for S3.
func filledArtifacts(a *api.ProjectArtifacts, project *string) *api.ProjectArtifacts {
	if a == nil || a.Type != api.ArtifactsTypeS3 {
		return a
	}
	filled := withDefaults(*a)
	filled.Name = either(a.Name, project)
	return &filled
}

// filledSecondaryArtifacts is the list with the members that CodeBuild answers.
// A name is not among them: it would be one difference more to tools that
// compare what they sent.
func filledSecondaryArtifacts(all []api.ProjectArtifacts) []api.ProjectArtifacts {
	if all == nil {
		return []api.ProjectArtifacts{}
	}
	filled := slices.Clone(all)
	for i := range filled {
		if filled[i].Type == api.ArtifactsTypeS3 {
			filled[i] = withDefaults(filled[i])
		}
	}
	return filled
}

func withDefaults(a api.ProjectArtifacts) api.ProjectArtifacts {
	if a.NamespaceType == "" {
		a.NamespaceType = api.ArtifactNamespaceNone
	}
	if a.Packaging == "" {
		a.Packaging = api.ArtifactPackagingNone
	}
	return a
}
