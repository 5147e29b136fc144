package main

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
)

// Sources and a buildspec in buckets that are folders of the server's.
func TestSourcesInS3(t *testing.T) {
	s := serve(t)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	h := &zip.FileHeader{Name: "bin/say", Method: zip.Deflate}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("#!/bin/sh\necho said \"$@\"\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sources/app.zip":      archive.String(),
		"sources/data/a/b.txt": "the data\n",
		"specs/build.yml": "version: 0.2\nphases:\n  build:\n    commands:\n" +
			"      - ./bin/say \"[$CODEBUILD_SOURCE_REPO_URL]\" \"[${CODEBUILD_RESOLVED_SOURCE_VERSION-unset}]\" > said\n" +
			"      - test \"$(cat said)\" = 'said [s3://bucket/sources/app.zip] [unset]'\n" +
			"      - test \"$(cat $CODEBUILD_SRC_DIR_data/a/b.txt)\" = 'the data'\n",
	} {
		at := filepath.Join(s.data, "buckets", "bucket", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name:             "app",
		Source:           &api.ProjectSource{Type: api.SourceTypeS3, Location: new("bucket/sources/app.zip"), Buildspec: new("arn:aws:s3:::bucket/specs/build.yml")},
		SecondarySources: []api.ProjectSource{{Type: api.SourceTypeS3, Location: new("bucket/sources/data/"), SourceIdentifier: new("data")}},
		Artifacts:        &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment:      &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole:      "arn:aws:iam::000000000000:role/build",
	})
	for _, c := range []struct {
		name    string
		change  func(*api.StartBuildInput)
		message string // of the failure; empty means none
	}{
		{"good", func(*api.StartBuildInput) {}, ""},
		{"no object", func(in *api.StartBuildInput) { in.SourceLocationOverride = new("bucket/none.zip") }, "error while downloading key none.zip, error: NoSuchKey: The specified key does not exist. for primary source: "},
		{"no bucket", func(in *api.StartBuildInput) { in.SourceLocationOverride = new("nowhere/app.zip") }, "error while downloading key app.zip, error: NoSuchBucket: The specified bucket does not exist for primary source: "},
		{"no buildspec", func(in *api.StartBuildInput) { in.BuildspecOverride = new("arn:aws:s3:::bucket/none.yml") }, "error while downloading buildspec arn:aws:s3:::bucket/none.yml, error: NoSuchKey: "},
		{"no zip", func(in *api.StartBuildInput) { in.SourceLocationOverride = new("bucket/specs/build.yml") }, "error while unzipping key specs/build.yml, error: it is not a zip archive"},
	} {
		in := &api.StartBuildInput{ProjectName: "app"}
		c.change(in)
		b := s.finished(value(call[api.StartBuildOutput](s, "StartBuild", in).Build.ID))
		want := api.StatusTypeSucceeded
		if c.message != "" {
			want = api.StatusTypeFailed
		}
		if got := messages(b); b.BuildStatus != want || !strings.Contains(got, c.message) || value(b.ResolvedSourceVersion) != "" {
			t.Errorf("%s: the build is %s: %q, want %s: %q", c.name, b.BuildStatus, got, want, c.message)
		}
	}
}

// A server whose certificate nobody knows is trusted by the one that the
// project's environment names.
func TestCertificateInS3(t *testing.T) {
	p := newProvider(t)
	secure := httptest.NewTLSServer(p.Server)
	t.Cleanup(secure.Close)
	s := serve(t)
	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", map[string]string{"serverType": "GITHUB_ENTERPRISE", "authType": "PERSONAL_ACCESS_TOKEN", "token": p.token})
	s.gitProject("app", secure.URL+"/team/recipes.git")
	at := filepath.Join(s.data, "buckets", "bucket", "ca.pem")
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ certificate, message string }{
		{"", "SSL certificate problem: "},
		{"bucket/none.pem", "Unable to download certificate from S3. NoSuchKey: The specified key does not exist."},
		{"arn:aws:s3:::bucket/ca.pem", ""},
	} {
		in := &api.StartBuildInput{ProjectName: "app"}
		if c.certificate != "" {
			in.CertificateOverride = &c.certificate
		}
		b := s.finished(value(call[api.StartBuildOutput](s, "StartBuild", in).Build.ID))
		if got := messages(b); (b.BuildStatus == api.StatusTypeSucceeded) != (c.message == "") || !strings.Contains(got, c.message) {
			t.Errorf("with %q the build is %s: %q, want %q", c.certificate, b.BuildStatus, got, c.message)
		}
	}
}

// messages are what a build's phases say.
func messages(b api.Build) string {
	var all []string
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			all = append(all, value(c.Message))
		}
	}
	return strings.Join(all, "\n")
}
