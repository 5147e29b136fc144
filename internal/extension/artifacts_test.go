package extension

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// shelf is a place of one artifact.
type shelf struct {
	files   []build.ArtifactFile
	archive build.ArtifactFile
	asked   build.Location
}

func (s *shelf) ArtifactFiles(_ context.Context, l build.Location) ([]build.ArtifactFile, build.ArtifactFile, error) {
	s.asked = l
	return s.files, s.archive, nil
}

func (s *shelf) ArtifactPiece(_ context.Context, l build.Location, file string, offset, limit int64) (build.Piece, error) {
	s.asked = l
	if file == "none" {
		return build.Piece{}, fault.New(fault.NotFound, "none")
	}
	return build.Piece{Data: []byte("soup")[offset:min(limit, 4)], Total: 4, Modified: s.archive.Modified, Deflated: file != ""}, nil
}

func TestArtifactsAreBrowsed(t *testing.T) {
	d := newDesk(t, "app")
	id := d.build("app", "0b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11", noon, api.StatusTypeSucceeded, time.Minute, false)
	_, err := d.db.Builds().Update(d.ctx, id, func(b *build.Build) ([]outbox.Item, error) {
		zip := api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store"), Packaging: api.ArtifactPackagingZip}
		tree := api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store"), ArtifactIdentifier: new("site")}
		b.State.Artifacts, b.State.SecondaryArtifacts = &zip, []api.ProjectArtifacts{tree}
		b.Public.Artifacts = &api.BuildArtifacts{Location: new("arn:aws:s3:::store/a/app.zip")}
		b.Public.SecondaryArtifacts = []api.BuildArtifacts{{ArtifactIdentifier: new("site"), Location: new("arn:aws:s3:::store/site")}}
		return nil, nil
	})
	d.must(err)
	at := noon.Add(30 * time.Second)
	kept := &shelf{archive: build.ArtifactFile{Path: "app.zip", Bytes: 99, Modified: at}, files: []build.ArtifactFile{
		{Path: "z.txt", Bytes: 1, CRC32: 0xab}, {Path: "b/c/d", Bytes: 10}, {Path: "b/a", Bytes: 100}, {Path: "a.txt", Bytes: 1000},
	}}
	s := NewArtifacts(d.Builds, kept)
	list := func(in slipway.ListBuildArtifactInput) (string, *slipway.ListBuildArtifactOutput) {
		t.Helper()
		in.BuildID = id
		var names []string
		for {
			out, err := s.ListBuildArtifact(d.ctx, &in)
			d.must(err)
			for _, e := range out.Entries {
				names = append(names, string(e.Kind)+" "+e.Path+" "+e.Crc32)
			}
			if in.NextToken = out.NextToken; in.NextToken == "" {
				return strings.Join(names, ", "), out
			}
		}
	}
	for _, size := range []int{1, 2, 100} {
		if got, _ := list(slipway.ListBuildArtifactInput{MaxResults: &size}); got != "FOLDER b , FILE a.txt 00000000, FILE z.txt 000000ab" {
			t.Errorf("pages of %d: %s", size, got)
		}
	}
	got, out := list(slipway.ListBuildArtifactInput{Path: "b/"})
	if got != "FOLDER b/c , FILE b/a 00000000" || out.Files != 4 || out.Bytes != 1111 || out.ArchiveBytes != 99 || out.ArchiveName != "app.zip" || out.Replaced || out.Packaging != "ZIP" {
		t.Errorf("%s of %+v", got, out)
	}
	if kept.asked != (build.Location{Bucket: "store", Key: "a/app.zip"}) {
		t.Errorf("asked for %+v", kept.asked)
	}
	piece, err := s.GetBuildArtifact(d.ctx, &slipway.GetBuildArtifactInput{BuildID: id, Path: "a.txt", Offset: 2})
	if d.must(err); string(piece.Data) != "up" || piece.TotalBytes != 4 || piece.Encoding != "DEFLATE" || !piece.Modified.Equal(at) {
		t.Errorf("a piece is %+v", piece)
	}
	kept.archive.Modified = noon.Add(time.Hour)
	if _, out := list(slipway.ListBuildArtifactInput{}); !out.Replaced {
		t.Error("nothing tells that the archive is of a later build")
	}
	kept.files = []build.ArtifactFile{{Path: "old", Modified: noon.Add(-time.Hour)}, {Path: "new", Modified: at}}
	if got, out := list(slipway.ListBuildArtifactInput{ArtifactIdentifier: "site"}); got != "FILE new " || out.Packaging != "NONE" || !kept.asked.Folder {
		t.Errorf("the tree has %s: %+v", got, out)
	}

	refused := func(what string, kind fault.Kind, err error) {
		t.Helper()
		if fault.KindOf(err) != kind {
			t.Errorf("%s: %v, want a %v", what, err, kind)
		}
	}
	_, err = s.ListBuildArtifact(d.ctx, &slipway.ListBuildArtifactInput{BuildID: id, ArtifactIdentifier: "other"})
	refused("an artifact that is not there", fault.NotFound, err)
	_, err = s.ListBuildArtifact(d.ctx, &slipway.ListBuildArtifactInput{BuildID: id, Path: "nowhere"})
	refused("a folder that is not there", fault.NotFound, err)
	_, err = s.ListBuildArtifact(d.ctx, &slipway.ListBuildArtifactInput{BuildID: id, NextToken: "!"})
	refused("a token of nobody's", fault.Invalid, err)
	_, err = s.GetBuildArtifact(d.ctx, &slipway.GetBuildArtifactInput{BuildID: id, Path: "none"})
	refused("a file that is not there", fault.NotFound, err)
	kept.archive.Modified = noon.Add(-time.Hour)
	_, err = s.ListBuildArtifact(d.ctx, &slipway.ListBuildArtifactInput{BuildID: id})
	refused("an archive of an earlier build", fault.NotFound, err)
	_, err = s.GetBuildArtifact(d.ctx, &slipway.GetBuildArtifactInput{BuildID: id})
	refused("a piece of an earlier build's", fault.NotFound, err)
	_, err = s.ListBuildArtifact(d.ctx, &slipway.ListBuildArtifactInput{BuildID: "app:1b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11"})
	refused("a build that is not there", fault.NotFound, err)
}
