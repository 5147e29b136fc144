package glob_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/glob"
)

// tree makes files, and links where a name is "link -> target".
func tree(t testing.TB, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		name, target, link := strings.Cut(name, " -> ")
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if link {
			err = os.Symlink(target, at)
		} else {
			err = os.WriteFile(at, []byte(name), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func walk(t testing.TB, o glob.Options) ([]string, glob.Result) {
	t.Helper()
	names := []string{}
	result, err := glob.Walk(t.Context(), o, func(f glob.File) error {
		names = append(names, f.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, result
}

func TestPatterns(t *testing.T) {
	root := tree(t, "a.txt", "b.txt", ".env", "dist/app.js", "dist/app.js.map", "dist/css/x.css", "dist/css/deep/y.css", ".git/config",
		"build-1/one", "build-2/two", "odd [1].txt", "to-dist -> dist", "to-a -> a.txt", "nowhere -> gone", "loop/self -> ../loop")
	every := []string{".env", ".git/config", "a.txt", "b.txt", "build-1/one", "build-2/two", "dist/app.js", "dist/app.js.map", "dist/css/deep/y.css", "dist/css/x.css", "odd [1].txt"}
	for _, c := range []struct {
		name string
		o    glob.Options
		want []string
	}{
		{"a file", glob.Options{Patterns: []string{"a.txt"}}, []string{"a.txt"}},
		{"a file with ./", glob.Options{Patterns: []string{"./a.txt"}}, []string{"a.txt"}},
		{"a star is one level", glob.Options{Patterns: []string{"dist/*"}}, []string{"dist/app.js", "dist/app.js.map"}},
		{"two stars are all levels, none too", glob.Options{Patterns: []string{"dist/**/*.css"}}, []string{"dist/css/deep/y.css", "dist/css/x.css"}},
		{"two stars hold what is directly there", glob.Options{Patterns: []string{"dist/**/*"}}, []string{"dist/app.js", "dist/app.js.map", "dist/css/deep/y.css", "dist/css/x.css"}},
		{"a directory alone is nothing", glob.Options{Patterns: []string{"dist", "dist/"}}, []string{}},
		{"braces", glob.Options{Patterns: []string{"{a,b}.txt"}}, []string{"a.txt", "b.txt"}},
		{"each file once", glob.Options{Patterns: []string{"*.txt", "a.txt"}}, []string{"a.txt", "b.txt", "odd [1].txt"}},
		{"a name that looks like a pattern", glob.Options{Patterns: []string{"odd [1].txt"}}, []string{"odd [1].txt"}},
		{"a base directory", glob.Options{Base: "dist", Patterns: []string{"**/*"}}, []string{"app.js", "app.js.map", "css/deep/y.css", "css/x.css"}},
		{"a base directory with a pattern", glob.Options{Base: "build-*", Patterns: []string{"*"}}, []string{"one", "two"}},
		{"a base that is not there", glob.Options{Base: "target", Patterns: []string{"**/*"}}, []string{}},
		{"exclusions", glob.Options{Patterns: []string{"dist/**/*"}, Exclude: []string{"**/*.map", "**/css/**/*"}}, []string{"dist/app.js"}},
		{"a star in an exclusion is one component", glob.Options{Base: "dist", Patterns: []string{"**/*"}, Exclude: []string{"*.css", "*.js*"}}, []string{"css/deep/y.css", "css/x.css"}},
		{"a file excluded everywhere, as the guide has it", glob.Options{Patterns: []string{"**/*"}, Exclude: []string{"**/x.css/**/*", "**/.*/**/*", "**/.*", "b*/**", "odd*", "loop/*", "to-*", "nowhere"}}, []string{"a.txt", "dist/app.js", "dist/app.js.map", "dist/css/deep/y.css"}},
		{"links that are kept", glob.Options{Patterns: []string{"to-*", "nowhere"}}, []string{"to-a", "to-dist", "nowhere"}},
		{"links that are followed", glob.Options{Patterns: []string{"to-*", "to-dist/*", "nowhere"}, Follow: true}, []string{"to-a", "to-dist/app.js", "to-dist/app.js.map"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Root = root
			got, _ := walk(t, c.o)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("everything", func(t *testing.T) {
		got, result := walk(t, glob.Options{Root: root, Patterns: []string{"**/*", "none"}, Exclude: []string{"to-*", "nowhere", "loop/*"}})
		slices.Sort(got)
		if diff := cmp.Diff(every, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !slices.Equal(result.Matched, []int{len(every), 0}) || !slices.Equal(result.Bases, []string{root}) {
			t.Errorf("%+v", result)
		}
	})
	t.Run("a link to its own directory ends", func(t *testing.T) {
		walk(t, glob.Options{Root: root, Patterns: []string{"loop/**/*"}, Follow: true})
	})
	t.Run("absolute patterns and HOME", func(t *testing.T) {
		t.Setenv("HOME", filepath.Join(root, "dist"))
		got, _ := walk(t, glob.Options{Root: t.TempDir(), Patterns: []string{root + "/*.txt", "~/css/*"}})
		below := strings.TrimPrefix(root, "/")
		if diff := cmp.Diff([]string{below + "/a.txt", below + "/b.txt", below + "/odd [1].txt", below + "/dist/css/x.css"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	for _, pattern := range []string{"a[", "{a", strings.Repeat("x", 5000), strings.Repeat("**/a/", 20)} {
		if _, err := glob.Walk(t.Context(), glob.Options{Root: root, Patterns: []string{pattern}}, nil); err == nil {
			t.Errorf("%.20s is taken for a pattern", pattern)
		}
	}
}

// FuzzWalk holds that every file that is told of is there, below the root, and
// told of once.
func FuzzWalk(f *testing.F) {
	root := tree(f, "a", "b/c", "b/d/e", "{x}/[y]", "b/up -> ..")
	for _, seed := range []string{"**/*", "b/*", "{a,b}/**", "[a-c]", "~", "../*", "/**/../a", "b/**/up/**/c"} {
		f.Add(seed, seed, false)
	}
	f.Fuzz(func(t *testing.T, pattern, exclude string, follow bool) {
		if strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "~") || strings.Contains(pattern, "..") {
			return // the whole machine
		}
		seen := map[string]bool{}
		_, _ = glob.Walk(t.Context(), glob.Options{Root: root, Patterns: []string{pattern}, Exclude: []string{exclude}, Follow: follow}, func(file glob.File) error {
			if _, err := os.Lstat(file.Path); err != nil || seen[file.Path] || !strings.HasPrefix(file.Path, root+"/") {
				t.Errorf("%q names %q: %v", pattern, file.Path, err)
			}
			seen[file.Path] = true
			return nil
		})
	})
}
