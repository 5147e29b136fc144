package agent

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"slipway/internal/agent/sandbox"
	"slipway/internal/agentapi"
	"slipway/internal/lazy"
)

// A workspace is the folder tree of one build:
//
//	output/src<digits>/src/<host>/<owner>/<repository>   a source
//	output/tmp                                           scripts and state of the commands
//	readonly/buildspec.yml                               an inline buildspec
//
// User code writes in it, so the agent opens files there through root only,
// which follows no link out of it.
type workspace struct {
	root *os.Root
	host string // where it is
	seen string // how user code names it
	home string // HOME of user code, as the host names it
	tmp  string // its /tmp, likewise
	dir  string // of the launch
}

const (
	scriptFile   = "output/tmp/script.sh"
	stateFile    = "output/tmp/env.sh" // the variables after the last command
	cwdFile      = "output/tmp/dir"    // the directory after the last command, and its jobs
	exportedFile = "output/tmp/exported"
	inlineFile   = "readonly/buildspec.yml"
)

// newWorkspace makes the folders of a build in the launch's.
func newWorkspace(l agentapi.Launch) (*workspace, error) {
	w := &workspace{
		dir:  l.Dir,
		host: filepath.Join(l.Dir, "codebuild"),
		home: filepath.Join(l.Dir, "root"),
		tmp:  filepath.Join(l.Dir, "tmp"),
	}
	w.seen = w.host
	if l.Sandbox.Bubblewrap != "" || l.Sandbox.Container != 0 {
		w.seen = sandbox.Workspace
	}
	for _, dir := range []string{w.host, w.path("output"), w.path("output/tmp"), w.path("readonly"), w.home, w.tmp, w.varTmp()} {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	for _, dir := range []string{w.tmp, w.varTmp()} {
		if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
			return nil, err
		}
	}
	var err error
	w.root, err = os.OpenRoot(w.host)
	return w, err
}

func (w *workspace) varTmp() string { return filepath.Join(w.dir, "var-tmp") }

// path returns where name is on the host.
func (w *workspace) path(name string) string { return filepath.Join(w.host, name) }

// place returns how user code names name.
func (w *workspace) place(name string) string { return path.Join(w.seen, name) }

// hosts makes a host table in which the sandbox's own name is known: Java and
// others look it up.
func (w *workspace) hosts() (string, error) {
	table, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return "", nil // a machine without one has no need
	}
	name := filepath.Join(w.dir, "hosts")
	return name, os.WriteFile(name, fmt.Appendf(table, "\n127.0.1.1\t%s\n", sandbox.Hostname), 0o644)
}

var notInPath = lazy.Regexp(`[^A-Za-z0-9._-]+`)

// sourceDir names the directory of a source below the workspace. The digits
// are the same in every build of a project, since some tools keep absolute
// paths in their caches.
func sourceDir(project string, s agentapi.Source) string {
	digits := crc32.ChecksumIEEE([]byte(project + "\x00" + s.Identifier))
	dir := fmt.Sprintf("output/src%d/src", digits)
	location := s.Location
	if location == "" {
		location = s.URL
	}
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return dir
	}
	for _, part := range append([]string{u.Hostname()}, strings.Split(strings.TrimSuffix(u.Path, ".git"), "/")...) {
		part = notInPath().ReplaceAllString(part, "-")
		if strings.Trim(part, ".") != "" { // also not "." and ".."
			dir = path.Join(dir, part)
		}
	}
	return dir
}

// write makes the file name anew, whatever user code has put in its place.
func (w *workspace) write(name, text string) error {
	f, err := w.create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

func (w *workspace) create(name string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL // never through a link, never into a pipe
	if err := w.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = w.root.RemoveAll(name) // a directory
	}
	f, err := w.root.OpenFile(name, flags, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return nil, err
		}
		f, err = w.root.OpenFile(name, flags, 0o644)
	}
	return f, err
}

// errIrregular means that a file is a directory, a pipe or a device.
var errIrregular = errors.New("not a regular file")

// read reads at most limit bytes of a regular file below root.
func read(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not keep us waiting
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errIrregular
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// regular reports whether name is a regular file itself, not a link to one.
func (w *workspace) regular(name string) bool {
	fi, err := w.root.Lstat(name)
	return err == nil && fi.Mode().IsRegular()
}
