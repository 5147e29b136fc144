package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"slipway/internal/api"
)

// artifacts measures the ZIP of 1 GB, from the end of the commands until it is
// in its bucket, beside zip -3 of the same files. Half of them are text, half
// bytes that do not get smaller.
func (b *bench) artifacts() error {
	if _, err := exec.LookPath("zip"); err != nil {
		b.table.add("ZIP of artifacts", "not measured: zip is not installed", "", "", "≤ 1.5 ×")
		return nil
	}
	dir, err := os.MkdirTemp(b.dir, "artifacts-")
	if err != nil {
		return err
	}
	files := b.pick(1000, 100)
	if err := writeArtifacts(dir, files); err != nil {
		return err
	}
	s, err := b.serve(b.dir, "--sandbox", "bubblewrap", "--sandbox-read-only", dir)
	if err != nil {
		return err
	}
	defer s.stop()
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n      - cp -r " + dir + " files\nartifacts:\n  files: ['**/*']\n  base-directory: files\n"
	err = s.project(b.ctx, "app", spec, nil, func(in *api.CreateProjectInput) {
		in.Artifacts = &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store"), Packaging: api.ArtifactPackagingZip, Name: new("all.zip")}
	})
	if err != nil {
		return err
	}
	var got, floor sample
	for range b.pick(3, 1) { // in turn: what else the machine does meets both
		d, err := b.zipFloor(dir)
		if err != nil {
			return err
		}
		floor = append(floor, d)
		if d, err = s.upload(b); err != nil {
			return err
		}
		got = append(got, d)
	}
	b.table.add(fmt.Sprintf("ZIP of %d MB of artifacts, in its bucket", files), ms(got.at(50)), "zip -3 "+ms(floor.at(50)), times(float64(got.at(50)), float64(floor.at(50))), "≤ 1.5 ×")
	return nil
}

// upload runs a build and returns how long its phase UPLOAD_ARTIFACTS took.
func (s *server) upload(b *bench) (time.Duration, error) {
	id, err := s.build(b.ctx, "app")
	if err != nil {
		return 0, err
	}
	if err := s.wait(b.ctx, 20*time.Millisecond, id); err != nil {
		return 0, err
	}
	var out api.BatchGetBuildsOutput
	if err := s.call(b.ctx, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}}, &out); err != nil {
		return 0, err
	}
	for _, p := range out.Builds[0].Phases {
		if p.PhaseType == api.BuildPhaseTypeUploadArtifacts && !p.EndTime.IsZero() {
			return p.EndTime.Sub(p.StartTime.Time), nil
		}
	}
	return 0, errors.New("the build has no phase UPLOAD_ARTIFACTS")
}

// zipFloor is how long zip -3 takes, with the result on disk.
func (b *bench) zipFloor(dir string) (time.Duration, error) {
	to := filepath.Join(b.dir, "floor.zip")
	defer os.Remove(to)
	cmd := exec.CommandContext(b.ctx, "zip", "-3", "-q", "-r", to, ".")
	cmd.Dir = dir
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("zip: %w\n%s", err, out)
	}
	file, err := os.Open(to)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// writeArtifacts writes so many files of 1 MB, in twenty folders.
func writeArtifacts(dir string, files int) error {
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 1_000_000)
	for n := range files {
		folder := filepath.Join(dir, fmt.Sprint("folder-", n%20))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		path := filepath.Join(folder, fmt.Sprint("file-", n))
		if n%2 == 0 {
			if err := writeText(path, len(noise)/100); err != nil {
				return err
			}
			continue
		}
		_, _ = random.Read(noise) // never fails
		if err := os.WriteFile(path, noise, 0o644); err != nil {
			return err
		}
	}
	return nil
}
