package project

import (
	"slices"
	"strings"

	"slipway/internal/api"
)

// CheckArtifacts holds one artifacts setting against the rules of its type. A
// secondary one (primary false) is in S3 and needs an identifier besides.
func CheckArtifacts(a *api.ProjectArtifacts, primary bool) error {
	if a == nil {
		return invalid("Project artifacts are required")
	}
	if !primary {
		if a.Type != api.ArtifactsTypeS3 {
			return invalid("Invalid input: artifactType %s is not allowed for secondaryArtifacts", a.Type)
		}
		if text(a.ArtifactIdentifier) == "" {
			return invalid("Invalid input: artifactIdentifier is required for secondary artifacts")
		}
	}
	location := text(a.Location)
	switch a.Type {
	case api.ArtifactsTypeS3:
		if location == "" {
			return invalid("Invalid artifacts: location is required")
		}
		if strings.Contains(location, "/") {
			return invalid("Invalid artifacts: location must be the name of a bucket, without slashes; path and name take the rest")
		}
	case api.ArtifactsTypeNoArtifacts:
		if location != "" {
			return invalid("Invalid artifacts: artifact type %s should have null location", a.Type)
		}
		if a.EncryptionDisabled != nil {
			return errEncryption(a.Type)
		}
	case api.ArtifactsTypeCodepipeline:
		// Terraform sends a false here, always.
		if a.EncryptionDisabled != nil && *a.EncryptionDisabled {
			return errEncryption(a.Type)
		}
	default:
		return invalid("Invalid type provided: Project artifacts type")
	}
	return nil
}

func errEncryption(t api.ArtifactsType) error {
	return invalid("Invalid artifacts: artifact type %s should have null encryptionDisabled", t)
}

// CheckSecondaryArtifacts holds each of the secondary artifacts against
// CheckArtifacts, and all of them against each other.
func CheckSecondaryArtifacts(all []api.ProjectArtifacts) error {
	if len(all) > maxSecondary {
		return invalid("Invalid input: the maximum number of artifact definitions in secondaryArtifacts is %d", maxSecondary)
	}
	seen := map[string]bool{}
	for i := range all {
		if err := CheckArtifacts(&all[i], false); err != nil {
			return err
		}
		id := *all[i].ArtifactIdentifier
		if seen[id] {
			return invalid("Invalid input: artifactIdentifier cannot be duplicated")
		}
		seen[id] = true
	}
	return nil
}

// checkPipeline refuses a project that only takes from a pipeline or only
// gives to one.
func checkPipeline(s *api.ProjectSource, a *api.ProjectArtifacts) error {
	if (s.Type == api.SourceTypeCodepipeline) != (a.Type == api.ArtifactsTypeCodepipeline) {
		return invalid("Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE")
	}
	return nil
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
