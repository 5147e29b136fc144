package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"slipway/internal/buildspec"
	"slipway/internal/solo"
)

// A runSource is what run builds.
type runSource struct {
	dir       string // absolute
	secondary []solo.Source
	exclude   []string        // is not copied
	buildspec string          // a path in dir, or the text of one that lies elsewhere
	shown     string          // how to call it
	text      []byte          // of the buildspec
	spec      *buildspec.Spec // nil if the text is none: the build says why
}

// identifier is what a variable's name can end in.
var identifier = regexp.MustCompile(`^[A-Za-z0-9_]{1,127}$`)

// source finds what there is to build.
func (o *runOptions) source() (*runSource, error) {
	s := &runSource{dir: o.dir}
	for i, text := range o.sources {
		id, dir, ok := strings.Cut(text, ":")
		if info, err := os.Stat(text); i == 0 && (!ok || err == nil && info.IsDir()) {
			if o.dir != "" {
				return nil, usagef("%s and --source %s both name the directory to build: leave one out", o.dir, text)
			}
			s.dir = text
			continue
		}
		if !ok || !identifier.MatchString(id) {
			return nil, usagef("--source %s: after the first one, IDENTIFIER:DIR is expected, with an identifier of letters, digits and _", text)
		}
		dir, err := directory(dir)
		if err != nil {
			return nil, err
		}
		s.secondary = append(s.secondary, solo.Source{Identifier: id, Directory: dir})
	}
	if s.dir == "" {
		s.dir = "."
	}
	var err error
	if s.dir, err = directory(s.dir); err != nil {
		return nil, err
	}
	return s, s.find(o.buildspec)
}

// directory returns the absolute path of one that can be read.
func directory(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", usagef("there is no directory %s: name the one to build", name)
	case err != nil:
		return "", usagef("%w", err)
	case !info.IsDir():
		return "", usagef("%s is no directory: name the one to build, and a buildspec in it with --buildspec", name)
	}
	if _, err := os.ReadDir(name); err != nil {
		return "", fmt.Errorf("the directory cannot be copied: %w; run as a user who can read it", err)
	}
	return filepath.Abs(name)
}

// find finds the buildspec: a path in the directory, or else anywhere.
func (s *runSource) find(name string) error {
	s.buildspec = name
	if name == "" {
		name = buildspec.DefaultPath
	}
	s.shown = name
	path := filepath.Join(s.dir, name)
	if filepath.IsAbs(name) {
		path = name
	}
	text, err := readSpec(path)
	if errors.Is(err, fs.ErrNotExist) && s.buildspec != "" && !filepath.IsAbs(name) {
		text, err = readSpec(name) // as seen from here
		if err == nil {
			path = name
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.missing(name)
	case err != nil:
		return fmt.Errorf("the buildspec cannot be read: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	rel, err := filepath.Rel(s.dir, path)
	if err == nil && filepath.IsLocal(rel) {
		if s.buildspec != "" {
			s.buildspec = rel
		}
		s.shown = rel
	} else if s.buildspec = string(text); buildspec.PlaceOf(s.buildspec) != buildspec.Inline {
		return fmt.Errorf("%s is no buildspec", path)
	}
	s.text = text
	if s.spec, err = buildspec.Parse(text); err != nil {
		s.spec = nil // which is the build's to tell, with its line
	}
	return nil
}

// readSpec reads a file, as far as it can be a buildspec.
func readSpec(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, buildspec.MaxSize+1))
}

// missing says that there is no buildspec, and which file may be meant.
func (s *runSource) missing(name string) error {
	advice := "write one, or name one with --buildspec"
	var found []string
	for _, pattern := range []string{"*buildspec*.y*ml", "*/*buildspec*.y*ml"} {
		paths, _ := filepath.Glob(filepath.Join(globQuote(s.dir), pattern))
		for _, path := range paths {
			if rel, err := filepath.Rel(s.dir, path); err == nil && len(found) < 5 {
				found = append(found, rel)
			}
		}
	}
	if len(found) > 0 {
		advice = "there is " + strings.Join(found, ", ") + ": name one with --buildspec"
	}
	return fmt.Errorf("%s: no such file or directory: this is the buildspec to run; %s", filepath.Join(s.dir, name), advice)
}

// globQuote returns a path as a pattern that matches it alone.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// artifacts returns where the build's artifacts go: nowhere without --artifacts,
// which is said if there are some.
func (o *runOptions) artifacts(s *runSource, stderr io.Writer) (*solo.Artifacts, error) {
	var spec *buildspec.Artifacts
	if s.spec != nil {
		spec = s.spec.Artifacts
	}
	if o.artifactDir == "" {
		if spec != nil {
			fmt.Fprintln(stderr, "The buildspec's artifacts are not gathered: --artifacts DIR lays them into a folder.")
		}
		return nil, nil
	}
	if spec == nil && s.spec != nil {
		fmt.Fprintln(stderr, "The buildspec has no artifacts, so that nothing will be laid into "+o.artifactDir+".")
	}
	dir, err := filepath.Abs(o.artifactDir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, usagef("--artifacts %s: this is no directory", o.artifactDir)
	}
	if dir == s.dir {
		return nil, usagef("--artifacts %s: this is the directory that is built, which is never changed: name one in it or elsewhere", o.artifactDir)
	}
	s.exclude = append(s.exclude, dir) // what an earlier build laid there is not the source of this one
	return solo.NewArtifacts(dir, spec), nil
}
