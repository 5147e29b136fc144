package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
)

// Builds of a project with LOCAL_SOURCE_CACHE share what they fetched, where no
// user code can see it; without a sandbox, and when it is off, they do without.
func TestSourceCache(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		kept int    // mirrors
		says string // a line of the log
	}{
		{"in a sandbox", []string{"--sandbox", "bubblewrap"}, 1, ""},
		{"without a sandbox", []string{"--sandbox", "none"}, 0, "LOCAL_SOURCE_CACHE is not available here: sources are fetched whole"},
		{"off", []string{"--source-cache-limit", "0"}, 0, "LOCAL_SOURCE_CACHE is not available here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProvider(t)
			s := serve(t, c.args...)
			call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", map[string]string{"serverType": "GITHUB_ENTERPRISE", "authType": "PERSONAL_ACCESS_TOKEN", "token": p.token})
			s.gitProject("app", p.cloneURL)
			call[api.UpdateProjectOutput](s, "UpdateProject", &api.UpdateProjectInput{
				Name: "app", Cache: &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalSourceCache}},
			})
			for round := range 3 {
				p.commitFiles(t, map[string]string{
					"round":         fmt.Sprint(round),
					"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - 'grep " + fmt.Sprint(round) + " round && ! ls " + filepath.Join(s.data, "mirrors") + "'\n",
				})
				b := s.finished(s.build("app"))
				log := s.log(b)
				if b.BuildStatus != api.StatusTypeSucceeded || value(b.ResolvedSourceVersion) != p.commit {
					t.Fatalf("build %d is %s at %s, want SUCCEEDED at %s:\n%s", round, b.BuildStatus, value(b.ResolvedSourceVersion), p.commit, log)
				}
				if got := strings.Contains(log, "CACHE"); got != (c.says != "") || !strings.Contains(log, c.says) {
					t.Errorf("the log has %q, want %q", log, c.says)
				}
			}
			packs, err := filepath.Glob(filepath.Join(s.data, "mirrors", strings.Repeat("?", 32), "objects", "pack", "*.pack"))
			if err != nil {
				t.Fatal(err)
			}
			mirrors, err := filepath.Glob(filepath.Join(s.data, "mirrors", strings.Repeat("?", 32)))
			if err != nil {
				t.Fatal(err)
			}
			if len(mirrors) != c.kept || len(packs) != 3*c.kept {
				t.Errorf("there are %d mirrors with %d packs, want %d with one for each build", len(mirrors), len(packs), c.kept)
			}
			for _, pack := range packs {
				if info, err := os.Stat(pack); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", pack, err)
				}
			}
		})
	}
}
