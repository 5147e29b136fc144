package inside

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"slipway/internal/agent/glob"
)

// A CacheRequest says what is in a cache, and where the other end of its
// stream is.
type CacheRequest struct {
	Paths       []string `json:"paths"`                // patterns, those that are not absolute below Source
	Source      string   `json:"source"`               // absolute path of the source's root
	Roots       []Root   `json:"roots"`                // what paths in an archive may be relative to
	Directories bool     `json:"directories,omitzero"` // a path without a pattern is that of a directory
	Stream      string   `json:"stream"`               // path of the agent's socket
}

// A Root is a directory that may be elsewhere in the next build.
type Root struct {
	Name string `json:"name"` // the first component of paths below it in an archive
	Dir  string `json:"dir"`  // absolute
}

// absolute is the first component of paths below no root.
const absolute = "abs"

// A CacheAnswer says what was done.
type CacheAnswer struct {
	Files   int      `json:"files"`            // and links
	Bytes   int64    `json:"bytes"`            // of all files
	Matched []int    `json:"matched,omitzero"` // of a cache that is packed: files, for each path
	Bare    []int    `json:"bare,omitzero"`    // likewise: paths that are directories without a pattern
	Skipped int      `json:"skipped,omitzero"` // entries or files
	Notes   []string `json:"notes,omitzero"`   // about them, the first of them
}

const maxNotes = 20

// skip counts what is left out, and says why for the first of them.
func (a *CacheAnswer) skip(note string) {
	if a.Skipped++; a.Skipped <= maxNotes {
		a.Notes = append(a.Notes, note)
	}
}

// An area is what a pattern may name.
type area struct {
	path    int    // which of the request's it comes of
	dir     string // absolute, without patterns
	pattern string // of paths below dir
	plain   bool   // pattern is a path
	tree    bool   // all below a directory that is named without a pattern
}

// areas returns what the paths of a request name. A path that ends in a plain
// name is that of a file, or of a directory with all that is below it.
func (r CacheRequest) areas() []area {
	var all []area
	for i, p := range r.Paths {
		p = path.Clean(glob.Home(p))
		dir := "/"
		if !path.IsAbs(p) {
			dir = path.Clean(r.Source)
			for p == ".." || strings.HasPrefix(p, "../") {
				dir, p = path.Dir(dir), path.Clean(strings.TrimPrefix(strings.TrimPrefix(p, ".."), "/"))
			}
		}
		p = strings.TrimPrefix(p, "/")
		last := path.Base(p)
		if glob.IsPattern(last) {
			all = append(all, narrow(area{path: i, dir: dir, pattern: p}))
			continue
		}
		if !r.Directories {
			all = append(all, narrow(area{path: i, dir: dir, pattern: p}))
		}
		if p == "." || p == "" {
			p = "**/*"
		} else {
			p += "/**/*"
		}
		all = append(all, narrow(area{path: i, dir: dir, pattern: p, tree: true}))
	}
	return all
}

// narrow moves the part of a pattern that is a plain path into dir.
func narrow(a area) area {
	start, rest := doublestar.SplitPattern(a.pattern)
	if rest == "" || !glob.IsPattern(rest) {
		start, rest = path.Split(a.pattern)
		a.plain = true
	}
	a.dir, a.pattern = path.Join(a.dir, start), rest
	return a
}

// names reports whether an area names a path, which is absolute and clean.
func (a area) names(p string) bool {
	rest, ok := strings.CutPrefix(p, strings.TrimSuffix(a.dir, "/")+"/")
	if !ok {
		return false
	}
	if a.plain {
		return rest == a.pattern
	}
	ok, err := doublestar.Match(a.pattern, rest)
	return ok && err == nil
}

// A layout turns paths into names in an archive and back.
type layout []Root

// layout returns the roots, those first that are below others.
func (r CacheRequest) layout() layout {
	l := slices.Clone(r.Roots)
	for i := range l {
		l[i].Dir = path.Clean(l[i].Dir)
	}
	slices.SortStableFunc(l, func(a, b Root) int { return cmp.Compare(len(b.Dir), len(a.Dir)) })
	return l
}

// name returns the name of an absolute path.
func (l layout) name(p string) string {
	for _, r := range l {
		if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(r.Dir, "/")+"/"); ok {
			return r.Name + "/" + rest
		}
	}
	return absolute + p
}

// path returns the absolute path of a name, and whether it has one.
func (l layout) path(name string) (string, bool) {
	first, rest, _ := strings.Cut(strings.TrimSuffix(name, "/"), "/")
	if rest == "" || path.Clean("/"+rest) != "/"+rest || strings.Contains(rest, "\x00") {
		return "", false
	}
	if first == absolute {
		return "/" + rest, true
	}
	i := slices.IndexFunc(l, func(r Root) bool { return r.Name == first })
	if i < 0 {
		return "", false
	}
	return path.Join(l[i].Dir, rest), true
}
