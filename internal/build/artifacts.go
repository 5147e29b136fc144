package build

import (
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
)

// artifacts returns a's form in a build: no type, name or path, but the place
// in S3 that comes of them, or an empty one.
func (b Build) artifacts(a *api.ProjectArtifacts) *api.BuildArtifacts {
	if a == nil {
		return &api.BuildArtifacts{Location: new("")}
	}
	out := &api.BuildArtifacts{
		ArtifactIdentifier:   a.ArtifactIdentifier,
		BucketOwnerAccess:    a.BucketOwnerAccess,
		EncryptionDisabled:   a.EncryptionDisabled,
		OverrideArtifactName: a.OverrideArtifactName,
		Location:             new(""),
	}
	if a.Type != api.ArtifactsTypeS3 {
		return out
	}
	out.Location = new(b.artifactLocation(a))
	if out.EncryptionDisabled == nil {
		out.EncryptionDisabled = new(false)
	}
	return out
}

// artifactLocation is bucket / path / build's UUID / name, without the parts
// that are empty, as an S3 ARN.
func (b Build) artifactLocation(a *api.ProjectArtifacts) string {
	name := text(a.Name)
	if name == "" {
		name = text(b.Public.ProjectName)
	}
	unique := ""
	if a.NamespaceType == api.ArtifactNamespaceBuildId {
		unique = b.uuid()
	}
	var parts []string
	for _, part := range []string{bucket(text(a.Location)), text(a.Path), unique, name} {
		if part = strings.Trim(part, "/"); part != "" { // a name of "/" puts the content right below path
			parts = append(parts, part)
		}
	}
	return "arn:" + b.partition() + ":s3:::" + strings.Join(parts, "/")
}

// partition is that of the build's ARN: aws, aws-cn or aws-us-gov.
func (b Build) partition() string {
	a, _ := arn.Parse(text(b.Public.ARN))
	return a.Partition
}

// bucket returns what a location names, with or without arn:aws:s3::: before it.
func bucket(location string) string {
	if a, ok := arn.Parse(location); ok && a.Service == "s3" {
		return a.Resource
	}
	return location
}
