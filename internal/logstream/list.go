package logstream

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"slipway/internal/arn"
	"slipway/internal/fault"
)

// A Group is what holds streams.
type Group struct {
	Name    string
	Created int64 // milliseconds since 1970
}

var errNoGroup = fault.New(fault.NotFound, "The specified log group does not exist.")

// Group returns one group, or a fault of kind NotFound.
func (s *Store) Group(scope arn.Scope, name string) (Group, error) {
	return s.group(groupPath(scope, name), name)
}

// group reads the group in dir; name may be "" if it is not known.
func (s *Store) group(dir, name string) (Group, error) {
	b, err := s.root.ReadFile(path.Join(dir, groupFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Group{}, errNoGroup
	}
	if err != nil {
		return Group{}, fmt.Errorf("read log group: %w", err)
	}
	created, stored, _, ok := parsePreamble(b)
	if !ok || name != "" && stored != name {
		return Group{}, errNoGroup
	}
	return Group{Name: stored, Created: created}, nil
}

// Groups returns the groups of a scope by name.
func (s *Store) Groups(scope arn.Scope) ([]Group, error) {
	entries, err := s.list(scopePath(scope))
	if err != nil {
		return nil, err
	}
	var all []Group
	for _, e := range entries {
		g, err := s.group(path.Join(scopePath(scope), e.Name()), "")
		if fault.KindOf(err) == fault.NotFound {
			continue // being made, or not ours
		}
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// list reads a directory; that it is not there makes an empty list.
func (s *Store) list(dir string) ([]fs.DirEntry, error) {
	d, err := s.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	return entries, nil
}

// A Listed is a stream as the list of a group shows it, without opening it.
type Listed struct {
	Name string
	// Last is close to the time of the last event (of an empty stream: its
	// creation), in milliseconds since 1970. It is exact for streams that are
	// open or were synced; after a crash it is when the file was last written.
	Last int64
}

// Streams returns the streams of a group whose names begin with prefix, by
// name. NotFound if there is no such group.
func (s *Store) Streams(scope arn.Scope, group, prefix string) ([]Listed, error) {
	if _, err := s.Group(scope, group); err != nil {
		return nil, err
	}
	dir := groupPath(scope, group)
	entries, err := s.list(dir)
	if err != nil {
		return nil, err
	}
	var all []Listed
	for _, e := range entries {
		file, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok {
			continue
		}
		name, ok := unescape(file)
		if !ok {
			name, ok = s.nameIn(path.Join(dir, e.Name()))
		}
		if !ok || !strings.HasPrefix(name, prefix) {
			continue
		}
		last, err := s.last(StreamID{scope, group, name}, e)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list logs: %w", err)
		}
		all = append(all, Listed{name, last})
	}
	slices.SortFunc(all, func(a, b Listed) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (s *Store) last(id StreamID, e fs.DirEntry) (int64, error) {
	if st, ok := s.cache.peek(id); ok {
		defer s.cache.release(st)
		if v := st.snapshot(); v.events > 0 {
			return v.last, nil
		}
		return st.created, nil
	}
	info, err := e.Info()
	if err != nil {
		return 0, err
	}
	return info.ModTime().UnixMilli(), nil
}

// nameIn reads the name of a stream whose name is too long for a file name.
func (s *Store) nameIn(file string) (string, bool) {
	f, err := s.root.Open(file)
	if err != nil {
		return "", false
	}
	defer f.Close()
	b := make([]byte, preambleFixed+maxName+4)
	n, _ := f.ReadAt(b, 0) // it is shorter than b as a rule
	_, name, _, ok := parsePreamble(b[:n])
	return name, ok && escape(name)+suffix == path.Base(file)
}
