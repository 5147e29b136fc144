package fetch_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
)

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		f, err := z.CreateHeader(h)
		must(t, err)
		_, err = f.Write([]byte(text))
		must(t, err)
	}
	must(t, z.Close())
	return b.String()
}

// stored is a source in S3, going to a new directory.
func stored(t *testing.T, identifier, location string) fetch.Source {
	return fetch.Source{
		Source: agentapi.Source{Type: api.SourceTypeS3, Identifier: identifier, Location: location},
		Dir:    filepath.Join(t.TempDir(), "a", "src"),
	}
}

// files are those below dir, with their content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(text)
		return err
	}))
	return all
}

func TestAnArchiveInS3(t *testing.T) {
	w := newWorld(t)
	want := map[string]string{"buildspec.yml": "version: 0.2", "bin/run": "#!/bin/sh"}
	w.objects, w.versioned = map[string]string{"/": zipped(t, want), "lib/": zipped(t, map[string]string{"lib": "x"})}, "v1"
	first, second := stored(t, "", "bucket/path/app.zip"), stored(t, "lib", "arn:aws:s3:::bucket/lib.zip")
	result := w.fetched(t, first, second)
	if diff := cmp.Diff(fetch.Result{Versions: []fetch.Version{{Version: "v1"}, {Identifier: "lib", Version: "v1"}}}, result); diff != "" {
		t.Errorf("Result (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, files(t, first.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"lib": "x"}, files(t, second.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(first.Dir, "bin", "run")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("bin/run: %v, %v, want it to be executable", info.Mode(), err)
	}
}

func TestAFolderInS3(t *testing.T) {
	w := newWorld(t)
	want := map[string]string{"buildspec.yml": "version: 0.2", "a/b/c.txt": "c", "empty": ""}
	w.objects = map[string]string{"/": "", "/marker/": ""}
	for name, text := range want {
		w.objects["/"+name] = text
	}
	for i := range 100 {
		name := "many/" + strings.Repeat("x", i+1)
		want[name], w.objects["/"+name] = name, name
	}
	s := stored(t, "", "bucket/path/")
	result := w.fetched(t, s)
	if diff := cmp.Diff(fetch.Result{}, result); diff != "" {
		t.Errorf("Result (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, files(t, s.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(s.Dir, "marker")); err != nil || !info.IsDir() {
		t.Errorf("marker: %v, want a directory", err)
	}
}

func TestAnObjectThatEndsEarlyIsReadAgain(t *testing.T) {
	w := newWorld(t)
	w.objects, w.broken = map[string]string{"/": zipped(t, map[string]string{"a": "x"})}, 2
	s := stored(t, "", "bucket/app.zip")
	w.fetched(t, s)
	if diff := cmp.Diff(map[string]string{"a": "x"}, files(t, s.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestSourcesInS3ThatCannotBeHad(t *testing.T) {
	none := fault.New(fault.Invalid, "The server has no bucket of that name.")
	for _, c := range []struct {
		name     string
		objects  map[string]string
		location string
		version  string
		refusal  error
		want     string // of the message, its beginning
	}{
		{"no object", nil, "bucket/path/app.zip", "v7", nil,
			"error while downloading key path/app.zip, error: NoSuchKey: The specified key does not exist. for primary source and source version v7: Check the source's location and version, and that the object was uploaded."},
		{"an empty folder", nil, "bucket/path/", "", nil, "error while downloading key path/, error: NoSuchKey: The specified key does not exist. for primary source: "},
		{"another version", map[string]string{"/": zipped(t, nil)}, "bucket/app.zip", "v7", nil,
			"error while downloading key app.zip, error: NoSuchVersion: The specified version does not exist. for primary source and source version v7: The bucket, or the store"},
		{"no bucket", nil, "bucket/a:b.zip", "", none, "error while downloading key a:b.zip for primary source: The server has no bucket of that name."},
		{"no bucket, by ARN", nil, "arn:aws:s3:::bucket/a:b.zip", "", none, "error while downloading key a:b.zip for primary source: The server has no bucket of that name."},
		{"no bucket for a folder", nil, "bucket/", "", none, "error while downloading key / for primary source: The server has no bucket of that name."},
		{"no archive", map[string]string{"/": "tarred"}, "bucket/app.tar", "", nil,
			"error while unzipping key app.tar, error: it is not a zip archive, or was cut off for primary source: A source of type S3 is a zip archive, or a folder"},
		{"an archive that leads out", map[string]string{"/": zipped(t, map[string]string{"../x": "x"})}, "bucket/app.zip", "", nil, `error while unzipping key app.zip, error: "../x" leads out`},
		{"a folder that leads out", map[string]string{"/../x": "x"}, "bucket/p/", "", nil, "error while downloading key p/../x, error: the key is no path"},
		{"a folder with an absolute path", map[string]string{"//x": "x"}, "bucket/p/", "", nil, "error while downloading key p//x, error: the key is no path"},
		{"an object below an object", map[string]string{"/a": "x", "/a/b": "x"}, "bucket/p/", "", nil, "error while downloading key p/a, error: the key can be no file"},
		{"a key that is too long", map[string]string{"/" + strings.Repeat("x", 300): "x"}, "bucket/p/", "", nil, "error while downloading key p/xxx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.objects = maps.Clone(c.objects)
			if c.refusal != nil {
				w.refuse(c.refusal)
			}
			s := stored(t, "", c.location)
			s.Version = c.version
			if message, _ := w.fails(t, s); !strings.HasPrefix(message, c.want) {
				t.Errorf("message = %q, want it to begin with %q", message, c.want)
			}
			if _, err := os.Lstat(filepath.Join(filepath.Dir(s.Dir), "x")); err == nil {
				t.Error("something was written beside the source's directory")
			}
		})
	}
}

func TestSourcesInS3WaitForTheServer(t *testing.T) {
	w := newWorld(t)
	w.objects = map[string]string{"/a": "x"}
	w.refuse(errors.New("restarting"), nil, errors.New("restarting"))
	s := stored(t, "", "bucket/p/")
	w.fetched(t, s)
	if diff := cmp.Diff(map[string]string{"a": "x"}, files(t, s.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestABuildThatIsGoneGetsNoSourceFromS3(t *testing.T) {
	w := newWorld(t)
	w.refuse(fault.New(fault.Gone, "gone"))
	if _, err := fetch.Run(t.Context(), self(), w.job(stored(t, "", "bucket/a.zip")), new(bytes.Buffer)); !errors.Is(err, agentapi.ErrGone) {
		t.Errorf("err = %v, want ErrGone", err)
	}
}
