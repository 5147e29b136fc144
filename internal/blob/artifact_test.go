package blob

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
)

// whole reads all pieces of a file of an artifact, 7 bytes each.
func whole(t *testing.T, s shelf, l build.Location, file string) string {
	t.Helper()
	var packed []byte
	for {
		p, err := s.ArtifactPiece(t.Context(), l, file, int64(len(packed)), 7)
		if err != nil {
			t.Fatalf("%s at %d: %v", file, len(packed), err)
		}
		if packed = append(packed, p.Data...); int64(len(packed)) < p.Total {
			continue
		}
		if !p.Deflated {
			return string(packed)
		}
		plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		if err != nil {
			t.Fatal(err)
		}
		return string(plain)
	}
}

func paths(files []build.ArtifactFile) (out []string) {
	for _, f := range files {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return out
}

func TestArtifactsAreListedAndRead(t *testing.T) {
	content := map[string]string{"index.html": strings.Repeat("soup ", 100), "js/app.js": "alert(1)", "empty": ""}
	want := []string{"empty", "index.html", "js/app.js"}
	onBoth(t, func(t *testing.T, s shelf) {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		for _, name := range want {
			h := &zip.FileHeader{Name: name, Method: zip.Deflate}
			if name == "js/app.js" {
				h.Method = zip.Store
			}
			w, err := z.CreateHeader(h)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte(content[name]))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		for _, packaging := range []api.ArtifactPackaging{api.ArtifactPackagingZip, api.ArtifactPackagingNone} {
			b := app(func(b *build.Build) {
				b.State.Artifacts = &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store"), Name: new("out-" + string(packaging)), Packaging: packaging}
				b.Public.Artifacts = &api.BuildArtifacts{Location: new("arn:aws:s3:::store/out-" + string(packaging))}
			})
			l, err := b.UploadedArtifact("")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.ArtifactFiles(t.Context(), l); fault.KindOf(err) != fault.NotFound {
				t.Errorf("an artifact that is not there: %v", err)
			}
			if packaging == api.ArtifactPackagingZip {
				if _, err := s.Put(t.Context(), b, agentapi.Object{Kind: agentapi.ArtifactObject}, bytes.NewReader(archive.Bytes())); err != nil {
					t.Fatal(err)
				}
			} else {
				for name, text := range content {
					if _, err := s.Put(t.Context(), b, agentapi.Object{Kind: agentapi.ArtifactObject, Path: name}, strings.NewReader(text)); err != nil {
						t.Fatal(err)
					}
				}
			}
			files, about, err := s.ArtifactFiles(t.Context(), l)
			if err != nil || !slices.Equal(paths(files), want) {
				t.Errorf("%s has %v, %v", packaging, files, err)
			}
			if !l.Folder && (about.Bytes != int64(archive.Len()) || about.Modified.IsZero() || whole(t, s, l, "") != archive.String()) {
				t.Errorf("the archive is %+v, or another one", about)
			}
			for name, text := range content {
				if got := whole(t, s, l, name); got != text {
					t.Errorf("%s of %s is %q", name, packaging, got)
				}
			}
			for _, name := range []string{"none", "../out", "js"} {
				if _, err := s.ArtifactPiece(t.Context(), l, name, 0, 9); err == nil || fault.KindOf(err) == fault.Internal {
					t.Errorf("%s of %s: %v", name, packaging, err)
				}
			}
			for _, offset := range []int64{-1, 1 << 40} {
				if _, err := s.ArtifactPiece(t.Context(), l, "index.html", offset, 9); fault.KindOf(err) != fault.Invalid {
					t.Errorf("from %d: %v", offset, err)
				}
			}
		}
	})
}

// An archive is what user code made.
func FuzzArtifactIsReadWhateverItIs(f *testing.F) {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("a/../b")
	if err != nil {
		f.Fatal(err)
	}
	_, _ = w.Write([]byte("text"))
	_ = z.Close()
	f.Add(archive.Bytes())
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New(Options{Dir: t.TempDir()})
		defer s.Close()
		b := app(func(b *build.Build) {
			b.State.Artifacts = &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store"), Name: new("out"), Packaging: api.ArtifactPackagingZip}
		})
		if _, err := s.Put(t.Context(), b, agentapi.Object{Kind: agentapi.ArtifactObject}, bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		l := build.Location{Bucket: "store", Key: "out"}
		files, _, err := s.ArtifactFiles(t.Context(), l)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("list: %v", err)
		}
		for _, file := range files {
			p, err := s.ArtifactPiece(t.Context(), l, file.Path, 0, 9)
			if err != nil && fault.KindOf(err) == fault.Internal {
				t.Errorf("read %q: %v", file.Path, err)
			}
			if len(p.Data) > 9 {
				t.Errorf("%d bytes of 9", len(p.Data))
			}
		}
	})
}
