package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
)

// TestArtifacts holds what becomes of a build's files, in every form.
func TestArtifacts(t *testing.T) {
	const spec = `version: 0.2
phases:
  build:
    commands:
      - mkdir -p dist/css && echo page > dist/index.html && echo look > dist/css/a.css && echo '#!/bin/sh' > dist/run && chmod +x dist/run
      - ln -s index.html dist/link && ln -s /etc/shadow dist/shadow
      - echo notes > notes.txt
artifacts:
  files: ['**/*', 'missing.txt']
  base-directory: dist
  exclude-paths: ['shadow']
  name: site-$CODEBUILD_BUILD_NUMBER-$(echo x)
  secondary-artifacts:
    docs:
      files: [notes.txt]
`
	s := serve(t)
	project := func(name string, change func(*api.CreateProjectInput)) api.Build {
		t.Helper()
		in := &api.CreateProjectInput{
			Name: name, ServiceRole: "arn:aws:iam::000000000000:role/build",
			Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new(spec)},
			Environment: &api.ProjectEnvironment{Type: "LINUX_CONTAINER", Image: "local", ComputeType: "BUILD_GENERAL1_SMALL"},
			Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store")},
		}
		change(in)
		call[api.CreateProjectOutput](s, "CreateProject", in)
		return s.finished(s.build(name))
	}
	kept := func(key string) string { return filepath.Join(s.data, "buckets", "store", key) }
	read := func(key string) string {
		t.Helper()
		text, err := os.ReadFile(kept(key))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Run("a tree, with a secondary artifact", func(t *testing.T) {
		b := project("tree", func(in *api.CreateProjectInput) {
			in.SecondaryArtifacts = []api.ProjectArtifacts{{Type: api.ArtifactsTypeS3, Location: new("store"), Name: new("papers"), ArtifactIdentifier: new("docs")}}
		})
		log := s.log(b)
		if b.BuildStatus != api.StatusTypeSucceeded || value(b.Artifacts.Location) != "arn:aws:s3:::store/tree" || value(b.SecondaryArtifacts[0].Location) != "arn:aws:s3:::store/papers" || b.Artifacts.Md5sum != nil {
			t.Errorf("%s, %+v, %+v\n%s", b.BuildStatus, b.Artifacts, b.SecondaryArtifacts, log)
		}
		if read("tree/css/a.css") != "look\n" || read("tree/link") != "page\n" || read("papers/notes.txt") != "notes\n" {
			t.Error("the files are others")
		}
		for _, want := range []string{"Expanding base directory path: dist\n", "Found 4 file(s)\n", "Skipping invalid file path missing.txt\n", "Preparing to copy secondary artifacts\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
		if _, err := os.Stat(kept("tree/shadow")); err == nil {
			t.Error("what was to be left out was uploaded")
		}
	})
	t.Run("a ZIP with a name of the buildspec's", func(t *testing.T) {
		b := project("zip", func(in *api.CreateProjectInput) {
			in.Artifacts.Packaging, in.Artifacts.NamespaceType = api.ArtifactPackagingZip, api.ArtifactNamespaceBuildId
			in.Artifacts.Path, in.Artifacts.OverrideArtifactName = new("out"), new(true)
		})
		_, id, _ := strings.Cut(value(b.ID), ":")
		key := "out/" + id + "/site-1-x"
		if value(b.Artifacts.Location) != "arn:aws:s3:::store/"+key || len(value(b.Artifacts.Md5sum)) != 32 || len(value(b.Artifacts.Sha256sum)) != 64 {
			t.Fatalf("%s, %+v\n%s", b.BuildStatus, b.Artifacts, s.log(b))
		}
		z, err := zip.NewReader(strings.NewReader(read(key)), int64(len(read(key))))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := io.Copy(&text, r); err != nil {
				t.Fatal(err)
			}
			got[f.Name] = text.String()
			if f.Name == "run" && f.Mode().Perm()&0o100 == 0 {
				t.Error("run cannot be run any more")
			}
		}
		if len(got) != 4 || got["css/a.css"] != "look\n" || got["link"] != "page\n" {
			t.Errorf("the ZIP holds %v", got)
		}
	})
	for _, c := range []struct{ name, spec, message string }{
		{"nothing-matches", strings.Replace(spec, "files: ['**/*', 'missing.txt']", "files: ['*.jar']", 1), "no matching artifact paths found"},
		{"no-base", strings.Replace(spec, "base-directory: dist", "base-directory: target", 1), "no matching base directory path found for target"},
		{"no-block", spec[:strings.Index(spec, "artifacts:")], "no definition for primary artifacts in buildspec"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := project(c.name, func(in *api.CreateProjectInput) { in.Source.Buildspec = new(c.spec) })
			for _, p := range b.Phases {
				if p.PhaseType == api.BuildPhaseTypeUploadArtifacts && (p.PhaseStatus != api.StatusTypeFailed || value(p.Contexts[0].StatusCode) != "CLIENT_ERROR" || value(p.Contexts[0].Message) != c.message) {
					t.Errorf("%+v", p)
				}
			}
			if b.BuildStatus != api.StatusTypeFailed {
				t.Errorf("the build %s", b.BuildStatus)
			}
		})
	}
	t.Run("a project without artifacts ignores the block", func(t *testing.T) {
		b := project("none", func(in *api.CreateProjectInput) {
			in.Artifacts = &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts}
		})
		if b.BuildStatus != api.StatusTypeSucceeded || strings.Contains(s.log(b), "Expanding base directory path: dist") {
			t.Errorf("NO_ARTIFACTS: %s\n%s", b.BuildStatus, s.log(b))
		}
	})
}
