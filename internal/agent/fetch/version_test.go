package fetch_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/build/event"

	"github.com/google/go-cmp/cmp"
)

// history is what octo/app has: three commits on main, one more on topic, one
// of a pull request, one of a merge request, and tags.
type history struct{ first, second, third, topic, both, pull, merge string }

func withHistory(t *testing.T) (*world, history) {
	t.Helper()
	w, first := withApp(t)
	h := history{first: first}
	h.second = w.commit(t, "main", "second")
	h.third = w.commit(t, "main", "third")
	h.topic = w.commit(t, "topic", "topic")
	h.both = w.commit(t, "both", "both") // a branch and, elsewhere, a tag
	h.pull = w.commit(t, "refs/pull/7/head", "pull")
	h.merge = w.commit(t, "refs/merge-requests/5/head", "merge")
	must(t, w.Tag("octo", "app", "light", first, ""))
	must(t, w.Tag("octo", "app", "v2.0", h.second, "annotated"))
	must(t, w.Tag("octo", "app", "both", first, ""))
	must(t, w.SetRef("octo", "app", "refs/heads/feature/deep", h.second))
	must(t, w.SetRef("octo", "app", "refs/heads/cafe", h.topic)) // reads as an abbreviated id
	must(t, w.SetRef("octo", "app", "refs/heads/pr/x", h.topic))
	return w, h
}

type asked struct{ name, version, want string }

// versions are the forms of a version with the commits that they mean.
func (h history) versions() []asked {
	return []asked{
		{"the default branch", "", h.third},
		{"HEAD is the default branch", "HEAD", h.third},
		{"a branch", "topic", h.topic},
		{"a branch with a slash", "feature/deep", h.second},
		{"a tag", "light", h.first},
		{"an annotated tag", "v2.0", h.second},
		{"a branch before a tag of the same name", "both", h.both},
		{"a branch that reads as a commit id", "cafe", h.topic},
		{"a branch that reads almost as a pull request", "pr/x", h.topic},
		{"a branch by its ref", "refs/heads/topic", h.topic},
		{"a tag by its ref", "refs/tags/both", h.first},
		{"an annotated tag by its ref", "refs/tags/v2.0", h.second},
		{"a commit", h.second, h.second},
		{"a commit in capitals", strings.ToUpper(h.second), h.second},
		{"a commit of no branch", h.pull, h.pull},
		{"an abbreviated commit", h.second[:8], h.second},
		{"a pull request", "pr/7", h.pull},
		{"a pull request by its ref", "refs/pull/7/head", h.pull},
		{"a pinned branch", "refs/heads/main^{" + h.second + "}", h.second},
		{"a pinned branch by its name", "main^{" + h.first + "}", h.first},
		{"a pinned tag by its name", "v2.0^{" + h.second + "}", h.second},
		{"a pinned tag, at an older commit", "refs/tags/v2.0^{" + h.first + "}", h.first},
		{"a pinned pull request", "refs/pull/7/head^{" + h.pull + "}", h.pull},
		{"a pinned pull request by its number", "pr/7^{" + h.third + "}", h.third},
		{"a merge request by its ref", "refs/merge-requests/5/head", h.merge},
		{"a pinned merge request", "refs/merge-requests/5/head^{" + h.merge + "}", h.merge},
	}
}

// Every version comes out of a build without a cache as it should, and out of one
// with a cache as out of one without.
func TestEveryFormOfVersion(t *testing.T) {
	w, h := withHistory(t)
	mirrors := caching(t, w).launch.Mirrors
	w.launch.Mirrors = agentapi.Mirrors{}
	for _, c := range h.versions() {
		for _, depth := range []int{0, 1} {
			t.Run(c.name+" at depth "+strconv.Itoa(depth), func(t *testing.T) {
				s := w.source(t, c.version)
				s.Depth = depth
				result := w.fetched(t, s)
				if diff := cmp.Diff([]event.Resolved{{Commit: c.want}}, result.Commits); diff != "" {
					t.Fatalf("Commits (-want +got):\n%s", diff)
				}
				if got := git(t, s.Dir, "rev-parse", "HEAD"); got != c.want {
					t.Errorf("HEAD = %s, want %s", got, c.want)
				}
				if got := git(t, s.Dir, "rev-parse", "--abbrev-ref", "HEAD"); got != "HEAD" {
					t.Errorf("HEAD is at %s, want it detached", got)
				}
				if got := git(t, s.Dir, "status", "--porcelain"); got != "" {
					t.Errorf("the working copy differs: %s", got)
				}
				if got, want := git(t, s.Dir, "config", "remote.origin.url"), w.CloneURL("octo", "app"); got != want {
					t.Errorf("origin = %s, want %s", got, want)
				}
				noSecretBelow(t, s.Dir)
				w.sameFromCache(t, mirrors, s, result)
			})
		}
	}
	noSecretBelow(t, mirrors.Dir)
}

func TestVersionsThatAreNotThere(t *testing.T) {
	w, _ := withHistory(t)
	nothing := strings.Repeat("12", 20)
	for _, version := range []string{
		"nope", "abcdef1", nothing, "pr/8", "refs/heads/light", "refs/tags/topic", "refs/pull/8/head",
		"refs/heads/nope^{" + nothing + "}", "refs/pull/7/head^{" + nothing + "}", "main^{" + nothing + "}", "nope^{" + nothing + "}",
	} {
		for _, depth := range []int{0, 1} {
			t.Run(version+" at depth "+strconv.Itoa(depth), func(t *testing.T) {
				s := w.source(t, version)
				s.Depth = depth
				message, _ := w.fails(t, s)
				if want := "reference not found for primary source and source version " + version + ": " + w.CloneURL("octo", "app") + " has no "; !strings.HasPrefix(message, want) {
					t.Errorf("message = %q, want it to begin with %q", message, want)
				}
			})
		}
	}
}

func TestDepth(t *testing.T) {
	w, h := withHistory(t)
	mirrors := caching(t, w).launch.Mirrors
	w.launch.Mirrors = agentapi.Mirrors{}
	for range 3 {
		w.commit(t, "main", "more")
	}
	for _, c := range []struct {
		name    string
		version string
		depth   int
		want    int // commits
	}{
		{"0 is everything", "main", 0, 6},
		{"1", "main", 1, 1},
		{"3 of the default branch", "", 3, 3},
		{"25 is more than there is", "main", 25, 6},
		{"26 is everything", "main", 26, 6},
		{"less than 0 is everything", "main", -1, 6},
		{"a commit", h.third, 2, 2},
		{"a pull request", "pr/7", 2, 2},
		{"a tag", "v2.0", 1, 1},
		{"2 of a tag", "v2.0", 2, 2},
		{"2 of a branch", "topic", 2, 2},
		{"2 of the default branch", "", 2, 2},
		{"a pin at the tip", "refs/pull/7/head^{" + h.pull + "}", 1, 1},
		{"a pin that is deeper", "refs/heads/main^{" + h.second + "}", 1, 1},
		{"a pin that is deeper than the depth", "refs/heads/main^{" + h.third + "}", 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.source(t, c.version)
			s.Depth = c.depth
			result := w.fetched(t, s)
			if got := git(t, s.Dir, "rev-list", "--count", "HEAD"); got != strconv.Itoa(c.want) {
				t.Errorf("%s commits, want %d", got, c.want)
			}
			w.sameFromCache(t, mirrors, s, result)
		})
	}
}

func TestAFullCloneHasBranchesAndTags(t *testing.T) {
	w, h := withHistory(t)
	for _, version := range []string{"", "main", h.first, "refs/heads/topic", "pr/7"} {
		s := w.source(t, version)
		w.fetched(t, s)
		if got := git(t, s.Dir, "rev-parse", "origin/topic"); got != h.topic {
			t.Errorf("%q: origin/topic = %s, want %s", version, got, h.topic)
		}
		if got := git(t, s.Dir, "describe", "--tags", "--match=v*", "--abbrev=0", "origin/main"); got != "v2.0" {
			t.Errorf("%q: describe = %s, want v2.0", version, got)
		}
	}
}

func TestAPinnedReferenceFetchesThatReferenceOnly(t *testing.T) {
	w, h := withHistory(t)
	s := w.source(t, "refs/heads/main^{"+h.first+"}")
	w.fetched(t, s)
	if got := git(t, s.Dir, "for-each-ref", "--format=%(refname)", "refs/remotes"); got != "refs/remotes/origin/main" {
		t.Errorf("refs = %q, want main alone", got)
	}
}

func TestSecondarySources(t *testing.T) {
	w, commit := withApp(t)
	must(t, w.CreateRepository("octo", "lib", true))
	lib, err := w.Commit("octo", "lib", "main", map[string]string{"lib": "x"}, "lib")
	must(t, err)
	first, second := w.source(t, ""), w.source(t, "main")
	second.Identifier, second.URL, second.Location = "lib", w.CloneURL("octo", "lib"), w.CloneURL("octo", "lib")
	second.Dir = filepath.Join(t.TempDir(), "a", "b") // its parents are made
	none := w.source(t, "")
	none.Source = agentapi.Source{Type: "NO_SOURCE"}

	result := w.fetched(t, none, first, second)
	want := []event.Resolved{{Commit: commit}, {Identifier: "lib", Commit: lib}}
	if diff := cmp.Diff(want, result.Commits); diff != "" {
		t.Errorf("Commits (-want +got):\n%s", diff)
	}

	first = w.source(t, "")
	second.Version, second.Dir = "nope", filepath.Join(t.TempDir(), "src")
	result, _ = w.fetch(t, first, second)
	if diff := cmp.Diff([]event.Resolved{{Commit: commit}}, result.Commits); diff != "" {
		t.Errorf("Commits before the failure (-want +got):\n%s", diff)
	}
	if want := "reference not found for source lib and source version nope: "; result.Failure == nil || !strings.HasPrefix(*result.Failure.Message, want) {
		t.Errorf("Failure = %v, want %q", result.Failure, want)
	}
}
