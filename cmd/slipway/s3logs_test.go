package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
)

func TestALogGoesToS3(t *testing.T) {
	s := serve(t)
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name: "logged", ServiceRole: "arn:aws:iam::000000000000:role/build",
		Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new("version: 0.2\nphases: {build: {commands: [echo $((40+2))]}}\n")},
		Environment: &api.ProjectEnvironment{Type: "LINUX_CONTAINER", Image: "local", ComputeType: "BUILD_GENERAL1_SMALL"},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		LogsConfig:  &api.LogsConfig{S3Logs: &api.S3LogsConfig{Status: api.LogsConfigStatusTypeEnabled, Location: new("kept/logs")}},
	})
	b := s.finished(s.build("logged"))
	_, id, _ := strings.Cut(value(b.ID), ":")
	if want := "arn:aws:s3:::kept/logs/" + id + ".gz"; value(b.Logs.S3LogsARN) != want {
		t.Errorf("s3LogsArn is %s, want %s", value(b.Logs.S3LogsARN), want)
	}
	name := filepath.Join(s.data, "buckets", "kept", "logs", id+".gz")
	until(t, "the log is in its bucket", func() bool { _, err := os.Stat(name); return err == nil })
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != s.log(b) || !strings.Contains(string(text), "\n42\n") {
		t.Errorf("%v: in S3 is\n%s\nwant\n%s", err, text, s.log(b))
	}
}
