package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"slipway/internal/agent/output"
	"slipway/internal/agentapi"
	"slipway/internal/api"
)

func newTestWorkspace(t *testing.T) *workspace {
	t.Helper()
	w, err := newWorkspace(agentapi.Launch{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.root.Close() })
	return w
}

func TestWritingReplacesWhateverIsThere(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	for name, put := range map[string]func(path string) error{
		"nothing":        func(string) error { return nil },
		"a file":         func(path string) error { return os.WriteFile(path, []byte("old and long"), 0o400) },
		"a link":         func(path string) error { return os.Symlink(outside, path) },
		"a hard link":    func(path string) error { return errors.Join(os.WriteFile(outside, nil, 0o600), os.Link(outside, path)) },
		"a full folder":  func(path string) error { return os.MkdirAll(path+"/a/b", 0o755) },
		"a pipe":         func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"no such folder": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorkspace(t)
			if err := put(w.path(scriptFile)); err != nil {
				t.Fatal(err)
			}
			if err := w.write(scriptFile, "new"); err != nil {
				t.Fatal(err)
			}
			if text, err := read(w.root, scriptFile, 10); err != nil || string(text) != "new" || !w.regular(scriptFile) {
				t.Errorf("read %q, %v", text, err)
			}
			if text, err := os.ReadFile(outside); err == nil && len(text) > 0 {
				t.Errorf("outside is %q", text)
			}
		})
	}
}

func TestWritingDoesNotLeaveTheWorkspace(t *testing.T) {
	w, outside := newTestWorkspace(t), t.TempDir()
	if err := errors.Join(os.RemoveAll(w.path("output/tmp")), os.Symlink(outside, w.path("output/tmp"))); err != nil {
		t.Fatal(err)
	}
	if err := w.write(scriptFile, "new"); err == nil {
		t.Error("written through a link out of the workspace")
	}
	if files, err := os.ReadDir(outside); err != nil || len(files) > 0 {
		t.Error("outside has", files, err)
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	w := newTestWorkspace(t)
	if err := errors.Join(syscall.Mkfifo(w.path("pipe"), 0o600), os.Mkdir(w.path("folder"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "folder"} {
		if _, err := read(w.root, name, 10); !errors.Is(err, errIrregular) {
			t.Errorf("read(%s) = %v", name, err)
		}
	}
	if _, err := read(w.root, "none", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Error("read(none) =", err)
	}
}

func TestTheDirectoryOfASource(t *testing.T) {
	for _, c := range []struct {
		location, want string // want after output/src<digits>/
	}{
		{"https://github.com/owner/repo.git", "src/github.com/owner/repo"},
		{"https://ghe.example:8443/owner/repo", "src/ghe.example/owner/repo"},
		{"https://user:secret@bitbucket.org/owner/repo", "src/bitbucket.org/owner/repo"},
		{"https://gitlab.example/a/b/c/repo.git", "src/gitlab.example/a/b/c/repo"},
		{"https://h/../../etc/./passwd", "src/h/etc/passwd"},
		{"https://h/a b/$(x)/.git", "src/h/a-b/-x-"},
		{"", "src"},
		{"not an address", "src"},
	} {
		dir := sourceDir("project", agentapi.Source{Location: c.location})
		_, got, _ := strings.Cut(strings.TrimPrefix(dir, "output/"), "/")
		if got != c.want || !strings.HasPrefix(dir, "output/src") {
			t.Errorf("sourceDir(%q) = %q, want %q", c.location, got, c.want)
		}
	}
	one, other := sourceDir("project", agentapi.Source{Identifier: "a"}), sourceDir("project", agentapi.Source{Identifier: "b"})
	if one == other || one != sourceDir("project", agentapi.Source{Identifier: "a"}) {
		t.Error("the digits are not those of project and source:", one, other)
	}
}

// A repository may hold a link to any file of the agent's machine.
func TestABuildspecOfTheSource(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("root:secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, spec string
		put        func(dir string) error
		want       string // of the message; empty for success
	}{
		{"the default", "", func(dir string) error { return os.WriteFile(dir+"/buildspec.yml", []byte("text"), 0o644) }, ""},
		{"named", "ci/build.yml", func(dir string) error {
			return errors.Join(os.Mkdir(dir+"/ci", 0o755), os.WriteFile(dir+"/ci/build.yml", []byte("text"), 0o644))
		}, ""},
		{"a link within the source", "", func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/other.yml", []byte("text"), 0o644), os.Symlink("other.yml", dir+"/buildspec.yml"))
		}, ""},
		{"missing", "none.yml", func(string) error { return nil }, "/none.yml: no such file or directory"},
		{"a link to a file outside", "", func(dir string) error { return os.Symlink(outside, dir+"/buildspec.yml") }, "must be a regular file of the source"},
		{"a link to the agent's files", "", func(dir string) error {
			return os.Symlink("../../../output/tmp", dir+"/buildspec.yml")
		}, "must be a regular file of the source"},
		{"a path outside", "../../../../../../etc/passwd", func(string) error { return nil }, "must be a regular file of the source"},
		{"an absolute path", outside, func(string) error { return nil }, "outside"},
		{"a folder", "", func(dir string) error { return os.Mkdir(dir+"/buildspec.yml", 0o755) }, "must be a regular file of the source"},
		{"a pipe", "", func(dir string) error { return syscall.Mkfifo(dir+"/buildspec.yml", 0o644) }, "must be a regular file of the source"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := agentapi.Source{Type: api.SourceTypeGithub, Location: "https://github.com/o/r"}
			e := &engine{w: newTestWorkspace(t), work: &agentapi.Work{ProjectName: "p", Source: source, Buildspec: c.spec}}
			e.log = output.New(nil, nil, func(uint64, []byte) error { return nil })
			dir := e.w.path(sourceDir("p", source))
			if err := errors.Join(os.MkdirAll(dir, 0o755), c.put(dir)); err != nil {
				t.Fatal(err)
			}
			text, out := e.specText(t.Context())
			if strings.Contains(string(text)+out.message, "secret:") {
				t.Error("a file outside was read")
			}
			if c.want == "" && (!out.ok() || string(text) != "text") {
				t.Errorf("specText = %q, %v", text, out)
			}
			if c.want != "" && (out.ok() || out.status != api.StatusTypeFailed) {
				t.Errorf("specText = %q, %v; want %q", text, out, c.want)
			}
			if c.want != "outside" && !strings.Contains(out.message, c.want) {
				t.Errorf("specText says %q, want %q", out.message, c.want)
			}
		})
	}
}
