package build

import (
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
	if l, err := b.ArtifactLocation(text(a.ArtifactIdentifier), "", ""); err == nil {
		out.Location = new(l.arn(b.partition()))
	}
	if out.EncryptionDisabled == nil {
		out.EncryptionDisabled = new(false)
	}
	return out
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
