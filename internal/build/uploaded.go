package build

import (
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// An ArtifactFile is a file of an artifact.
type ArtifactFile struct {
	Path     string // with slashes, below the artifact
	Bytes    int64
	Modified time.Time // of what is kept; zero in archives without it
	CRC32    uint32    // in an archive
}

// A Piece is some bytes of an artifact, as they are kept.
type Piece struct {
	Data     []byte
	Total    int64     // bytes of all pieces
	Modified time.Time // of what is kept: other pieces are of the same if it is the same
	Deflated bool      // all pieces are DEFLATE, as in a ZIP
}

// UploadedArtifact returns where the build's record says that the primary
// artifact is, for "", or a secondary one. A build that has not uploaded it, or
// not yet, may have a place for it nevertheless.
func (b Build) UploadedArtifact(identifier string) (Location, error) {
	none := fault.New(fault.NotFound, "The build has no artifact %.100q.", identifier)
	if identifier == "" {
		none = fault.New(fault.NotFound, "The build has no artifact: its project keeps none.")
	}
	a := b.Public.Artifacts
	if identifier != "" {
		i := slices.IndexFunc(b.Public.SecondaryArtifacts, func(a api.BuildArtifacts) bool { return text(a.ArtifactIdentifier) == identifier })
		if i < 0 {
			return Location{}, none
		}
		a = &b.Public.SecondaryArtifacts[i]
	}
	settings, ok := b.ArtifactSettings(identifier)
	if !ok || a == nil {
		return Location{}, none
	}
	at, ok := arn.Parse(text(a.Location))
	if !ok || at.Service != "s3" {
		return Location{}, none
	}
	name, key, _ := strings.Cut(at.Resource, "/")
	return Location{Bucket: name, Key: key, Folder: settings.Packaging != api.ArtifactPackagingZip}, nil
}
