package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// TestCaches holds what builds keep for later ones, through AWS's SDK.
func TestCaches(t *testing.T) {
	s := serve(t)
	client := codebuild.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(s.client.Key.ID, s.client.Key.Secret.Reveal(), ""),
	})
	create := func(name, spec string, cache *types.ProjectCache) {
		t.Helper()
		_, err := client.CreateProject(t.Context(), &codebuild.CreateProjectInput{
			Name: &name, ServiceRole: aws.String("arn:aws:iam::000000000000:role/build"), Cache: cache,
			Source:      &types.ProjectSource{Type: types.SourceTypeNoSource, Buildspec: &spec},
			Artifacts:   &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
			Environment: &types.ProjectEnvironment{Type: types.EnvironmentTypeLinuxContainer, Image: aws.String("local"), ComputeType: types.ComputeTypeBuildGeneral1Small},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	build := func(name string, more ...types.EnvironmentVariable) (log string, caches []slipway.CacheUse) {
		t.Helper()
		out, err := client.StartBuild(t.Context(), &codebuild.StartBuildInput{ProjectName: &name, EnvironmentVariablesOverride: more})
		if err != nil {
			t.Fatal(err)
		}
		b := s.finished(*out.Build.Id)
		log = s.log(b)
		if b.BuildStatus != api.StatusTypeSucceeded {
			t.Fatalf("%s:\n%s", b.BuildStatus, log)
		}
		var described slipway.DescribeBuildOutput
		if err := s.client.Call(t.Context(), slipway.Definition, "DescribeBuild", &slipway.DescribeBuildInput{BuildID: *b.ID}, &described); err != nil {
			t.Fatal(err)
		}
		return log, described.Caches
	}
	used := func(t *testing.T, got []slipway.CacheUse, want ...slipway.CacheUse) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(slipway.CacheUse{}, "Seconds", "ArchiveBytes", "Bytes")); diff != "" {
			t.Errorf("the cache's use (-want +got):\n%s", diff)
		}
	}
	const commands = "version: 0.2\nphases:\n  build:\n    commands:\n      - cat deps/made || echo nothing\n      - mkdir -p deps \"$HOME/.tool\" && echo made by $CODEBUILD_BUILD_NUMBER > deps/made && touch \"$HOME/.tool/x\"\n"

	t.Run("one for the project, until it is invalidated", func(t *testing.T) {
		create("plain", commands+"cache:\n  paths: [deps/**/*, '/root/.tool/**/*']\n", &types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("store/caches")})
		log, uses := build("plain")
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "MISS", Type: "S3", Reason: "there is none yet"}, slipway.CacheUse{Action: "SAVE", Outcome: "SAVED", Type: "S3", Files: 2})
		if !strings.Contains(log, "\nnothing\n") {
			t.Errorf("log:\n%s", log)
		}
		log, uses = build("plain")
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "HIT", Type: "S3", Files: 2}, slipway.CacheUse{Action: "SAVE", Outcome: "SAVED", Type: "S3", Files: 2})
		if !strings.Contains(log, "\nmade by 1\n") {
			t.Errorf("log:\n%s", log)
		}
		if _, err := client.InvalidateProjectCache(t.Context(), &codebuild.InvalidateProjectCacheInput{ProjectName: aws.String("plain")}); err != nil {
			t.Fatal(err)
		}
		_, uses = build("plain")
		if uses[0].Outcome != slipway.CacheOutcomeMiss {
			t.Errorf("it is there again: %+v", uses)
		}
		var none *types.ResourceNotFoundException
		if _, err := client.InvalidateProjectCache(t.Context(), &codebuild.InvalidateProjectCacheInput{ProjectName: aws.String("nobody")}); !errors.As(err, &none) {
			t.Errorf("of no project: %v", err)
		}
	})
	t.Run("keys and a namespace", func(t *testing.T) {
		spec := commands + "cache:\n  key: deps-$LOCK\n  fallback-keys: [deps-]\n  paths: [deps/**/*]\n"
		for _, name := range []string{"first", "second"} {
			create(name, spec, &types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("store"), CacheNamespace: aws.String("team")})
		}
		lock := func(v string) types.EnvironmentVariable {
			return types.EnvironmentVariable{Name: aws.String("LOCK"), Value: &v}
		}
		_, uses := build("first", lock("1"))
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "MISS", Type: "S3", Key: "deps-1", Reason: "there is none with this key and these paths, nor one whose key begins as a fallback key"},
			slipway.CacheUse{Action: "SAVE", Outcome: "SAVED", Type: "S3", Key: "deps-1", Files: 1})
		_, uses = build("second", lock("1"))
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "HIT", Type: "S3", Key: "deps-1", FoundKey: "deps-1", Files: 1},
			slipway.CacheUse{Action: "SAVE", Outcome: "SKIPPED", Type: "S3", Key: "deps-1", Reason: "there is one with this key already, which is never changed"})
		_, uses = build("second", lock("2"))
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "HIT", Type: "S3", Key: "deps-2", FoundKey: "deps-1", Files: 1}, slipway.CacheUse{Action: "SAVE", Outcome: "SAVED", Type: "S3", Key: "deps-2", Files: 1})
	})
	t.Run("on the machine", func(t *testing.T) {
		create("local", commands+"cache:\n  paths: [deps, notes.txt]\n", &types.ProjectCache{Type: types.CacheTypeLocal, Modes: []types.CacheMode{types.CacheModeLocalCustomCache}})
		build("local")
		log, uses := build("local")
		used(t, uses, slipway.CacheUse{Action: "RESTORE", Outcome: "HIT", Type: "LOCAL", Files: 1}, slipway.CacheUse{Action: "SAVE", Outcome: "SAVED", Type: "LOCAL", Files: 1})
		if !strings.Contains(log, "\nmade by 1\n") {
			t.Errorf("log:\n%s", log)
		}
		if _, err := client.InvalidateProjectCache(t.Context(), &codebuild.InvalidateProjectCacheInput{ProjectName: aws.String("local")}); err != nil {
			t.Fatal(err)
		}
		if _, uses = build("local"); uses[0].Outcome != slipway.CacheOutcomeMiss {
			t.Errorf("it is there again: %+v", uses)
		}
	})
	t.Run("builds at the same time", func(t *testing.T) {
		const spec = `version: 0.2
phases:
  build:
    commands:
      - |
        if [ -e d ]; then sort -u d/* | wc -l; ls d | wc -l; fi | tr '\n' ' ' | sed 's/^/restored: /'
        rm -rf d; mkdir d; for i in $(seq 300); do echo $CODEBUILD_BUILD_ID > d/$i; done
cache:
  paths: [d/**/*]
`
		create("busy", spec, &types.ProjectCache{Type: types.CacheTypeLocal, Modes: []types.CacheMode{types.CacheModeLocalCustomCache}})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 2 {
					out, err := client.StartBuild(t.Context(), &codebuild.StartBuildInput{ProjectName: aws.String("busy")})
					if err != nil {
						t.Error(err)
						return
					}
					b := s.finished(*out.Build.Id)
					log := s.log(b)
					if strings.Contains(log, "\nrestored: ") && !strings.Contains(log, "\nrestored: 1 300 ") || strings.Contains(log, ": failed") || b.BuildStatus != api.StatusTypeSucceeded {
						t.Errorf("a cache of two builds:\n%s", log)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestRunKeepsACache(t *testing.T) {
	dir := checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - cat deps/made || echo nothing\n      - if ls kept 2>/dev/null; then echo it was copied $((40+2)); fi\n      - mkdir -p deps && echo made > deps/made\ncache:\n  key: k-$WHICH\n  fallback-keys: [k-]\n  paths: [deps/**/*]\n"})
	kept := filepath.Join(dir, "kept") // in the directory itself
	for i, want := range []string{"\nnothing\n", "\nmade\n", "\nmade\n"} {
		which := fmt.Sprint(max(1, i)) // 1 1 2
		r := runs(t, dir, "--cache", "kept", "--env", "WHICH="+which)
		r.holds(t, 0, []string{want}, nil)
		if strings.Contains(r.log, "was copied 42") {
			t.Errorf("the build sees the caches:\n%s", r.log)
		}
	}
	var names bytes.Buffer
	_ = filepath.WalkDir(kept, func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			fmt.Fprintln(&names, filepath.Base(path))
		}
		return nil
	})
	if names.String() != "key-k-1.tar.zst\nkey-k-2.tar.zst\n" {
		t.Errorf("kept:\n%s", names.String())
	}
	runs(t, dir).holds(t, 0, []string{"Skip cache due to: the project has no cache", "\nnothing\n"}, nil)
	runs(t, dir, "--cache", "buildspec.yml").holds(t, 2, nil, []string{"--cache"})
}
