// Package glob finds the files that the patterns of a buildspec name.
//
// In a pattern, * is any text within one component of a path, ? one character,
// [a-z] one of some, {a,b} either text, and a component ** any number of
// directories, none too. Names that begin with a dot are names like all others.
// Patterns name files: dir/* those directly in dir, dir/**/* all below it, and
// the name of a directory alone nothing.
package glob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Options of an expansion.
type Options struct {
	Root     string   `json:"root"`          // absolute path of the directory that a relative Base is below: the source's root
	Base     string   `json:"base,omitzero"` // directory that relative patterns are below, or a pattern of several; empty means Root
	Patterns []string `json:"patterns"`      // a leading ~/ is HOME
	Exclude  []string `json:"exclude,omitzero"`
	Follow   bool     `json:"follow,omitzero"` // links are what they lead to; one that leads nowhere, or into itself, is left out
	Dirs     bool     `json:"dirs,omitzero"`   // directories are named, too, each before what is in it; without Follow only
}

// A File is one that a pattern names, or a directory if Options.Dirs has them
// named.
type File struct {
	Path string // absolute
	Name string // below its base directory, with slashes; of one that is below none, its path without the first slash
	Info fs.FileInfo
}

// A Result is what an expansion came to.
type Result struct {
	Bases   []string // the base directories that are there
	Matched []int    // how many files each pattern named; each file counts for the first pattern that names it
}

// Bounds of what strangers may ask for.
const (
	maxPattern = 4096 // bytes
	maxDeep    = 16   // ** in one pattern
)

// Walk calls do with each file that o names, once, in order of the patterns and
// of names. A pattern that names nothing is no error, nor is a directory that
// cannot be read; an error of do ends the walk and is returned.
func Walk(ctx context.Context, o Options, do func(File) error) (Result, error) {
	result := Result{Matched: make([]int, len(o.Patterns))}
	for _, p := range slices.Concat(o.Patterns, o.Exclude, []string{o.Base}) {
		if err := check(p); err != nil {
			return result, err
		}
	}
	var err error
	if result.Bases, err = bases(o); err != nil {
		return result, err
	}
	w := &walk{ctx: ctx, o: o, do: do, seen: map[string]bool{}}
	for i, pattern := range o.Patterns {
		pattern = Home(pattern)
		if path.IsAbs(pattern) {
			base := "/"
			for _, b := range result.Bases {
				if below(path.Clean(pattern), b) {
					base = b
				}
			}
			if err := w.expand("/", base, strings.TrimPrefix(path.Clean(pattern), "/")); err != nil {
				return result, err
			}
		} else {
			for _, base := range result.Bases {
				if err := w.expand(base, base, path.Clean(pattern)); err != nil {
					return result, err
				}
			}
		}
		result.Matched[i], w.matched = w.matched, 0
	}
	return result, nil
}

func check(pattern string) error {
	switch {
	case len(pattern) > maxPattern:
		return fmt.Errorf("a pattern has %d bytes, at most %d", len(pattern), maxPattern)
	case strings.Count(pattern, "**") > maxDeep:
		return fmt.Errorf("the pattern %.100q has more than %d times **", pattern, maxDeep)
	case !doublestar.ValidatePattern(pattern):
		return fmt.Errorf("%.100q is no pattern: a bracket or brace is not closed", pattern)
	}
	return nil
}

// bases returns the base directories of o that are there.
func bases(o Options) ([]string, error) {
	base := Home(o.Base)
	if !path.IsAbs(base) {
		base = path.Join(o.Root, base)
	}
	base = path.Clean(base)
	if info, err := os.Stat(base); err == nil && info.IsDir() {
		return []string{base}, nil
	}
	if !IsPattern(base) {
		return nil, nil
	}
	matches, err := doublestar.FilepathGlob(base)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(matches, func(name string) bool {
		info, err := os.Stat(name)
		return err != nil || !info.IsDir()
	}), nil
}

// Home returns a pattern in which a leading ~ is replaced by HOME.
func Home(pattern string) string {
	if pattern == "~" {
		pattern = "~/"
	}
	if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return path.Join(dir, rest)
		}
	}
	return pattern
}

// below reports whether name is below dir.
func below(name, dir string) bool {
	return dir == "/" || strings.HasPrefix(name, dir+"/")
}

type walk struct {
	ctx     context.Context
	o       Options
	do      func(File) error
	seen    map[string]bool // paths
	matched int
}

// expand finds the files below dir that a relative pattern names. Names are
// told as below base.
func (w *walk) expand(dir, base, pattern string) error {
	start, rest := doublestar.SplitPattern(pattern)
	if rest == "" || !IsPattern(rest) {
		start, rest = pattern, ""
	}
	from := path.Join(dir, start)
	if rest == "" { // a plain name; it may hold what looks like a pattern
		return w.file(from, base)
	}
	if info, err := os.Lstat(path.Join(dir, pattern)); err == nil && info.Mode().IsRegular() {
		if err := w.file(path.Join(dir, pattern), base); err != nil {
			return err
		}
	}
	depth := -1
	if !strings.Contains(rest, "**") && !strings.Contains(rest, "{") {
		depth = strings.Count(rest, "/")
	}
	return w.directory(from, "", rest, base, depth, nil)
}

// directory goes through one directory: rel is its path below the pattern's
// fixed part, depth how many levels below it can hold a match, -1 for all.
func (w *walk) directory(dir, rel, pattern, base string, depth int, parents []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && len(entries) == 0 {
		return nil // not there, no directory, or not ours to read
	}
	for _, e := range entries {
		name, below := path.Join(dir, e.Name()), path.Join(rel, e.Name())
		if e.IsDir() || e.Type() == fs.ModeSymlink && w.o.Follow {
			info, err := os.Stat(name)
			if err != nil {
				continue
			}
			if info.IsDir() {
				if w.o.Dirs {
					if ok, err := doublestar.Match(pattern, below); err != nil {
						return err
					} else if ok {
						if err := w.file(name, base); err != nil {
							return err
						}
					}
				}
				if depth == 0 || slices.ContainsFunc(parents, func(p fs.FileInfo) bool { return os.SameFile(p, info) }) {
					continue
				}
				if err := w.directory(name, below, pattern, base, max(depth-1, -1), append(parents, info)); err != nil {
					return err
				}
				continue
			}
		}
		if ok, err := doublestar.Match(pattern, below); err != nil {
			return err
		} else if ok {
			if err := w.file(name, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// file tells of a file, unless it is none, is left out, or was told of.
func (w *walk) file(name, base string) error {
	look := os.Lstat
	if w.o.Follow {
		look = os.Stat
	}
	info, err := look(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink && !(info.IsDir() && w.o.Dirs) {
		return nil
	}
	if err != nil || w.seen[name] {
		return nil
	}
	f := File{Path: name, Name: strings.TrimPrefix(name, "/"), Info: info}
	if base != "/" && below(name, base) {
		f.Name = name[len(base)+1:]
	}
	for _, pattern := range w.o.Exclude {
		pattern = path.Clean(Home(pattern))
		against := f.Name
		if path.IsAbs(pattern) {
			against = name
		}
		// The guide leaves out a file of all directories with **/name/**/*.
		for _, p := range []string{pattern, strings.TrimSuffix(pattern, "/**/*")} {
			if ok, err := doublestar.Match(p, against); err != nil {
				return err
			} else if ok {
				return nil
			}
		}
	}
	w.seen[name] = true
	if !info.IsDir() {
		w.matched++
	}
	return w.do(f)
}

// IsPattern reports whether a text is more than a path.
func IsPattern(text string) bool { return strings.ContainsAny(text, `*?[{`) }
