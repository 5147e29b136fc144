package build

import (
	"path"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// A Location is a place in a bucket.
type Location struct {
	Bucket string // empty for what is kept on this machine
	Key    string
	Folder bool // Key is a directory: what is there has keys that begin with it and a slash
}

// ARN returns the location's name in S3.
func (l Location) arn(partition string) string {
	return "arn:" + partition + ":s3:::" + path.Join(l.Bucket, l.Key)
}

// Partition is that of the build's ARN: aws, aws-cn or aws-us-gov.
func (b Build) Partition() string { return b.partition() }

// ArtifactSettings returns the build's settings of the primary artifact, for
// "", or of a secondary one.
func (b Build) ArtifactSettings(identifier string) (*api.ProjectArtifacts, bool) {
	if identifier == "" {
		return b.State.Artifacts, b.State.Artifacts != nil
	}
	i := slices.IndexFunc(b.State.SecondaryArtifacts, func(a api.ProjectArtifacts) bool { return text(a.ArtifactIdentifier) == identifier })
	if i < 0 {
		return nil, false
	}
	return &b.State.SecondaryArtifacts[i], true
}

// ArtifactLocation returns where an artifact goes. Name and s3Prefix are the
// buildspec's: the name counts if overrideArtifactName is set, the prefix with
// the namespace BUILD_ID. Both may hold slashes, but lead nowhere else.
func (b Build) ArtifactLocation(identifier, name, s3Prefix string) (Location, error) {
	a, ok := b.ArtifactSettings(identifier)
	if !ok || a.Type != api.ArtifactsTypeS3 {
		return Location{}, fault.New(fault.Invalid, "The build has no artifact %.100q in S3.", identifier)
	}
	if a.OverrideArtifactName == nil || !*a.OverrideArtifactName || name == "" {
		name = text(a.Name)
	}
	if name == "" {
		name = text(b.Public.ProjectName)
	}
	unique := ""
	if a.NamespaceType == api.ArtifactNamespaceBuildId {
		unique = path.Join(s3Prefix, b.uuid())
	}
	for _, part := range []string{name, unique} {
		if slices.Contains(strings.Split(part, "/"), "..") || strings.ContainsFunc(part, control) {
			return Location{}, fault.New(fault.Invalid, "The name of an artifact cannot hold .. or control characters.")
		}
	}
	var parts []string
	for _, part := range []string{text(a.Path), unique, name} {
		if part = strings.Trim(part, "/"); part != "" { // a name of "/" puts the content right below path
			parts = append(parts, part)
		}
	}
	return Location{Bucket: bucket(text(a.Location)), Key: strings.Join(parts, "/"), Folder: a.Packaging != api.ArtifactPackagingZip}, nil
}

// SourceLocation returns where a source of type S3 is.
func (b Build) SourceLocation(identifier string) (Location, error) {
	s := b.Public.Source
	if identifier != "" {
		i := slices.IndexFunc(b.Public.SecondarySources, func(s api.ProjectSource) bool { return text(s.SourceIdentifier) == identifier })
		if i < 0 {
			return Location{}, fault.New(fault.Invalid, "The build has no source %.100q.", identifier)
		}
		s = &b.Public.SecondarySources[i]
	}
	if s == nil || s.Type != api.SourceTypeS3 {
		return Location{}, fault.New(fault.Invalid, "The source is not in S3.")
	}
	return object(text(s.Location)), nil
}

// BuildspecLocation returns where the buildspec is that the project names by
// its ARN in S3.
func (b Build) BuildspecLocation() (Location, error) {
	if b.Public.Source == nil || !strings.HasPrefix(text(b.Public.Source.Buildspec), "arn:") {
		return Location{}, fault.New(fault.Invalid, "The buildspec is not in S3.")
	}
	return object(*b.Public.Source.Buildspec), nil
}

// CertificateLocation returns where the certificate is that the build's
// environment trusts.
func (b Build) CertificateLocation() (Location, error) {
	if e := b.Public.Environment; e != nil && text(e.Certificate) != "" {
		return object(*e.Certificate), nil
	}
	return Location{}, fault.New(fault.Invalid, "The build's environment has no certificate.")
}

// object reads bucket/key, with or without arn:aws:s3::: before it.
func object(location string) Location {
	name, key, _ := strings.Cut(bucket(location), "/")
	return Location{Bucket: name, Key: key, Folder: strings.HasSuffix(key, "/") || key == ""}
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
