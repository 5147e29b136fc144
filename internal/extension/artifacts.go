package extension

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
)

// artifactStore is what the operations need of where artifacts are kept.
type artifactStore interface {
	// ArtifactFiles returns the files of an artifact, in no order, and its archive
	// if it is one. One that is not there is NotFound.
	ArtifactFiles(ctx context.Context, l build.Location) ([]build.ArtifactFile, build.ArtifactFile, error)
	// ArtifactPiece returns at most limit bytes of a file, or with "" of the
	// archive itself, from offset on. A file that is not there is NotFound.
	ArtifactPiece(ctx context.Context, l build.Location, file string, offset, limit int64) (build.Piece, error)
}

// Artifacts is the operations that show what builds have uploaded. Its methods
// may be called from several goroutines.
type Artifacts struct {
	builds *Builds
	store  artifactStore
}

// NewArtifacts returns the operations on artifacts of the builds that b shows.
func NewArtifacts(b *Builds, s artifactStore) *Artifacts { return &Artifacts{b, s} }

const (
	artifactsPage = 100              // entries, if the caller does not say
	pieceBytes    = 1 << 20          // if the caller does not say
	otherClock    = 10 * time.Second // by which a bucket's clock may differ
)

// ListBuildArtifact answers a page of what is in a folder of an artifact: first
// the folders, then the files, each by name. The artifact is the primary one
// unless artifactIdentifier is given, and path the folder, empty for the whole.
// files and bytes are those of all files of the artifact, those of an entry that
// is a folder of all below it. Of an artifact that is an archive, archiveBytes
// are its own, and crc32 tells the sum of a file as ZIP does.
//
// Builds of a project may upload to one place. replaced means that what is there
// now was uploaded after the build had ended; what was uploaded before it started
// is not the build's, and not answered.
func (s *Artifacts) ListBuildArtifact(ctx context.Context, in *slipway.ListBuildArtifactInput) (*slipway.ListBuildArtifactOutput, error) {
	b, l, err := s.locate(ctx, in.BuildID, in.ArtifactIdentifier)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(in.NextToken)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Invalid next token: it is none of this list's")
	}
	files, archive, err := s.store.ArtifactFiles(ctx, l)
	if err != nil {
		return nil, err
	}
	out := &slipway.ListBuildArtifactOutput{Entries: []slipway.ArtifactEntry{}, Packaging: "NONE"}
	if l.Folder {
		if files = slices.DeleteFunc(files, func(f build.ArtifactFile) bool { return before(b, f.Modified) }); len(files) == 0 {
			return nil, errNotUploaded
		}
		for _, f := range files {
			out.Replaced = out.Replaced || since(b, f.Modified)
		}
	} else {
		if before(b, archive.Modified) {
			return nil, errNotUploaded
		}
		out.Packaging, out.ArchiveName, out.ArchiveBytes, out.Modified = "ZIP", archive.Path, archive.Bytes, api.At(archive.Modified)
		out.Replaced = since(b, archive.Modified)
	}
	for _, f := range files {
		out.Files++
		out.Bytes += f.Bytes
	}
	entries := below(files, in.Path, !l.Folder)
	if len(entries) == 0 && in.Path != "" && in.NextToken == "" {
		return nil, fault.New(fault.NotFound, "The artifact has no folder %.200q", in.Path)
	}
	begin := 0
	if len(after) > 0 {
		begin, _ = slices.BinarySearchFunc(entries, string(after), func(e slipway.ArtifactEntry, key string) int { return strings.Compare(order(e), key) })
		if begin < len(entries) && order(entries[begin]) == string(after) {
			begin++
		}
	}
	size := artifactsPage
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	entries = entries[begin:]
	if len(entries) > size {
		entries = entries[:size]
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(order(entries[size-1])))
	}
	out.Entries = append(out.Entries, entries...)
	return out, nil
}

var errNotUploaded = fault.New(fault.NotFound, "The build has not uploaded the artifact: what is at its place is older than the build.")

// GetBuildArtifact answers a piece of a file of an artifact, or without path of
// the archive that the artifact is: at most maxBytes from offset on. A client
// goes on until it has totalBytes; they are of one file if modified stays the
// same. If encoding is DEFLATE, all pieces together are that of the file.
func (s *Artifacts) GetBuildArtifact(ctx context.Context, in *slipway.GetBuildArtifactInput) (*slipway.GetBuildArtifactOutput, error) {
	b, l, err := s.locate(ctx, in.BuildID, in.ArtifactIdentifier)
	if err != nil {
		return nil, err
	}
	limit := int64(pieceBytes)
	if in.MaxBytes != nil {
		limit = int64(*in.MaxBytes)
	}
	p, err := s.store.ArtifactPiece(ctx, l, in.Path, in.Offset, limit)
	if err != nil {
		return nil, err
	}
	if before(b, p.Modified) {
		return nil, errNotUploaded
	}
	out := &slipway.GetBuildArtifactOutput{Data: p.Data, TotalBytes: p.Total, Modified: api.At(p.Modified), Encoding: "IDENTITY"}
	if p.Deflated {
		out.Encoding = "DEFLATE"
	}
	return out, nil
}

func (s *Artifacts) locate(ctx context.Context, idOrARN, identifier string) (build.Build, build.Location, error) {
	b, err := s.builds.find(ctx, idOrARN)
	if err != nil {
		return b, build.Location{}, err
	}
	l, err := b.UploadedArtifact(identifier)
	return b, l, err
}

// before reports whether something was uploaded before the build started.
func before(b build.Build, t time.Time) bool { return t.Before(b.Public.StartTime.Add(-otherClock)) }

// since reports whether something was uploaded after the build had ended.
func since(b build.Build, t time.Time) bool {
	return b.Finished() && t.After(b.Public.EndTime.Add(otherClock))
}

// below returns what is in a folder.
func below(files []build.ArtifactFile, folder string, sums bool) []slipway.ArtifactEntry {
	if folder = strings.Trim(folder, "/"); folder != "" {
		folder += "/"
	}
	found := map[string]slipway.ArtifactEntry{}
	for _, f := range files {
		rest, ok := strings.CutPrefix(f.Path, folder)
		if !ok || rest == "" {
			continue
		}
		name, _, isFolder := strings.Cut(rest, "/")
		e := slipway.ArtifactEntry{Name: name, Path: folder + name, Kind: slipway.ArtifactEntryKindFile}
		if isFolder {
			e.Kind = slipway.ArtifactEntryKindFolder
		}
		key := order(e)
		if old, ok := found[key]; ok {
			e = old
		} else if !isFolder && sums {
			e.Crc32 = fmt.Sprintf("%08x", f.CRC32)
		}
		if !isFolder && !f.Modified.IsZero() {
			e.Modified = api.At(f.Modified)
		}
		e.Files++
		e.Bytes += f.Bytes
		found[key] = e
	}
	entries := make([]slipway.ArtifactEntry, 0, len(found))
	for _, e := range found {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b slipway.ArtifactEntry) int { return strings.Compare(order(a), order(b)) })
	return entries
}

// order is by what entries are sorted.
func order(e slipway.ArtifactEntry) string {
	if e.Kind == slipway.ArtifactEntryKindFolder {
		return "0" + e.Name
	}
	return "1" + e.Name
}
