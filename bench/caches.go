package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// caches measures how long a build takes to save 1 GB in 20,000 files and to
// restore it, beside tar and zstd that do it with the same files.
func (b *bench) caches() error {
	files, each := b.pick(20_000, 1000), 50_000
	dir, err := os.MkdirTemp(b.dir, "files-")
	if err != nil {
		return err
	}
	if err := writeFiles(filepath.Join(dir, "deps"), files, each); err != nil {
		return err
	}
	s, err := b.serve(b.dir, "--sandbox", "bubblewrap", "--sandbox-read-only", dir)
	if err != nil {
		return err
	}
	defer s.stop()
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n      - rm -rf deps && cp -r " + dir + "/deps .\ncache:\n  paths: ['deps/**/*']\n"
	if err := s.project(b.ctx, "app", spec, nil); err != nil {
		return err
	}
	cache := &api.ProjectCache{Type: api.CacheTypeS3, Location: new("store/caches")}
	if err := s.call(b.ctx, "UpdateProject", &api.UpdateProjectInput{Name: "app", Cache: cache}, new(api.UpdateProjectOutput)); err != nil {
		return err
	}
	var saved, restored, packed, unpacked sample
	archive, back := filepath.Join(dir, "deps.tar.zst"), filepath.Join(dir, "back")
	for n := range b.pick(4, 2) {
		id, err := s.build(b.ctx, "app")
		if err != nil {
			return err
		}
		if err := s.wait(b.ctx, 10*time.Millisecond, id); err != nil {
			return err
		}
		var out slipway.DescribeBuildOutput
		if err := s.client.Call(b.ctx, slipway.Definition, "DescribeBuild", &slipway.DescribeBuildInput{BuildID: id}, &out); err != nil {
			return err
		}
		for _, use := range out.Caches {
			took := time.Duration(use.Seconds * float64(time.Second))
			switch use.Outcome {
			case slipway.CacheOutcomeHit:
				restored = append(restored, took)
			case slipway.CacheOutcomeSaved:
				saved = append(saved, took)
			case slipway.CacheOutcomeMiss:
			default:
				return errors.New("the cache: " + use.Reason)
			}
		}
		if n == 0 {
			continue
		}
		if err := os.RemoveAll(back); err != nil {
			return err
		}
		if err := os.Mkdir(back, 0o755); err != nil {
			return err
		}
		for _, c := range []struct {
			to   *sample
			line string
		}{
			{&packed, "tar -C '" + dir + "' -cf - deps | zstd -q -3 -f -o '" + archive + "'"},
			{&unpacked, "zstd -q -dc '" + archive + "' | tar -C '" + back + "' -xf -"},
		} {
			began := time.Now()
			if out, err := exec.CommandContext(b.ctx, "sh", "-c", c.line).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", c.line, err, out)
			}
			*c.to = append(*c.to, time.Since(began))
		}
	}
	what := fmt.Sprintf("cache of %d MB in %d files", files*each/1_000_000, files)
	for _, r := range []struct {
		name         string
		value, floor sample
	}{{"saved", saved, packed}, {"restored", restored, unpacked}} {
		b.table.add(what+", "+r.name, ms(r.value.at(50)), ms(r.floor.at(50)), times(float64(r.value.at(50)), float64(r.floor.at(50))), "≤ 1.3 × tar | zstd -3")
	}
	return nil
}

// writeFiles writes files of words such as sources have, of about size bytes
// each, fifty in a directory.
func writeFiles(dir string, files, size int) error {
	random := rand.New(rand.NewPCG(3, 4))
	var words []string
	for range 5000 {
		words = append(words, fmt.Sprintf("%x", random.Uint64())[:3+random.IntN(9)])
	}
	var text strings.Builder
	for n := range files {
		text.Reset()
		for want := size/2 + random.IntN(size); text.Len() < want; {
			from := random.IntN(len(words) - 12) // phrases come again
			for _, word := range words[from : from+1+random.IntN(12)] {
				text.WriteString(word)
				text.WriteByte(" \n(),;"[random.IntN(6)])
			}
		}
		path := filepath.Join(dir, fmt.Sprint("package-", n/50), "lib", fmt.Sprint("file-", n, ".js"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
