// Package logstream keeps the logs of builds: one append-only file of frames
// per stream.
//
// A stream's file is <dir>/<account>/<region>/<group>/<name>.log, with names
// escaped so that whatever they are, they name a file in that place. It starts
// with a preamble (created, name) that frames follow. What an interrupted
// write left at the end is not seen by readers, and cut off before the next
// Append.
//
// Within a stream time never goes back, and no event is later than the moment
// the server took it in: frames of an agent whose clock says otherwise are
// moved. So a range of time is a range of events, and the time a file was last
// written bounds the events in it.
package logstream

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/logstream/frame"
)

// A StreamID names a stream. Group and Name may be any text that is not empty
// and not longer than 16 KiB.
type StreamID struct {
	Scope arn.Scope
	Group string
	Name  string
}

// A Store holds the streams below one directory. Its methods may be called
// from several goroutines; there must be one Store per directory.
type Store struct {
	root  *os.Root
	now   func() time.Time
	cache cache

	creating sync.Mutex // held while files and directories come into being

	unsynced struct {
		sync.Mutex                     // also held while syncing them: whoever waits finds his work done
		dirs       map[string]struct{} // directories with entries that may not be on disk yet
	}
}

// Open returns the Store of dir, which is created if need be, for this user only.
func Open(dir string) (*Store, error) { return open(dir, time.Now) }

func open(dir string, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	s := &Store{root: root, now: now}
	s.cache.open = s.load
	s.unsynced.dirs = map[string]struct{}{}
	return s, nil
}

// Close closes all files. Nothing is synced. Methods still running may fail.
func (s *Store) Close() error {
	s.cache.clear()
	return s.root.Close()
}

var errNoStream = fault.New(fault.NotFound, "The specified log stream does not exist.")

// Create makes an empty stream, and its group if that is new. A stream that
// exists already stays as it is. The stream is durable after Sync.
func (s *Store) Create(id StreamID, now time.Time) error {
	if id.Group == "" || id.Name == "" || len(id.Group) > maxName || len(id.Name) > maxName {
		return fault.New(fault.Invalid, "A log group or log stream name is empty or too long.")
	}
	s.creating.Lock()
	defer s.creating.Unlock()
	switch f, err := s.cache.acquire(id); {
	case err == nil:
		s.cache.release(f)
		return nil
	case !errors.Is(err, fs.ErrNotExist) && fault.KindOf(err) != fault.NotFound:
		return err
	}
	if err := s.createGroup(id.Scope, id.Group, now); err != nil {
		return fmt.Errorf("create log group: %w", err)
	}
	if err := s.write(id.path(), preamble(now, id.Name)); err != nil {
		return fmt.Errorf("create log stream: %w", err)
	}
	return nil
}

// createGroup makes the directory of a group, with a file that says its name and when it was created.
func (s *Store) createGroup(scope arn.Scope, group string, now time.Time) error {
	dir := groupPath(scope, group)
	about := path.Join(dir, groupFile)
	if _, err := s.root.Lstat(about); err == nil {
		return nil
	}
	if err := s.root.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; d != "."; d = path.Dir(d) {
		s.mark(path.Dir(d))
	}
	return s.write(about, preamble(now, group))
}

// write makes a file that is either there with all its content or not at all.
func (s *Store) write(name string, content []byte) error {
	draft := name + ".new"
	f, err := s.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.mark(path.Dir(name))
	return s.root.Rename(draft, name)
}

// Append adds a frame, number seq of the stream (the first is 0), and returns
// once every reader sees it. A frame that the stream has already is ignored; a
// gap is a fault of kind Invalid that names the number expected, as is what is
// no frame. The payload is checked to have arrived intact, not decompressed.
// NotFound if there is no such stream.
func (s *Store) Append(id StreamID, seq uint64, f []byte) error {
	h, err := frame.ParseHeader(f)
	if err != nil || len(f) != h.Size() || !h.Intact(f[frame.HeaderSize:]) {
		return fault.New(fault.Invalid, "this is not a log frame, or not all of one")
	}
	st, unlock, err := s.hold(id)
	if err != nil {
		return err
	}
	defer unlock()
	return st.append(seq, h, f, s.now().UnixMilli())
}

// Next returns the number of the frame that the stream expects next. NotFound
// if there is no such stream.
func (s *Store) Next(id StreamID) (uint64, error) {
	st, unlock, err := s.hold(id)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := st.recover(); err != nil {
		return 0, err
	}
	return uint64(st.snapshot().frames), nil
}

// Sync returns once all that was appended is on disk, and closes the file. It
// is for the end of a build; the next use opens the stream anew. NotFound if
// there is no such stream.
func (s *Store) Sync(id StreamID) error {
	st, unlock, err := s.hold(id)
	if err != nil {
		return err
	}
	// From now on the file's time is that of its last event, see Listed.
	err = s.root.Chtimes(id.path(), time.Time{}, time.UnixMilli(cmp.Or(st.snapshot().last, st.created)))
	if err == nil {
		err = st.file.Sync()
	}
	s.cache.drop(id) // still held, so that nobody appends to it besides a new one
	unlock()
	if err = errors.Join(err, s.syncDirs(id)); err != nil {
		return fmt.Errorf("sync log stream: %w", err)
	}
	return nil
}

// hold returns the stream for nobody else to write to until unlock.
func (s *Store) hold(id StreamID) (st *stream, unlock func(), err error) {
	for {
		st, err := s.cache.acquire(id)
		if err != nil {
			return nil, nil, err
		}
		st.writing.Lock()
		unlock := func() {
			st.writing.Unlock()
			s.cache.release(st)
		}
		if s.cache.holds(st) {
			return st, unlock, nil
		}
		unlock() // it was synced or deleted meanwhile
	}
}

// mark notes that dir has entries that may not be on disk.
func (s *Store) mark(dir string) {
	s.unsynced.Lock()
	defer s.unsynced.Unlock()
	s.unsynced.dirs[dir] = struct{}{}
}

// syncDirs makes the way from the root to a stream durable.
func (s *Store) syncDirs(id StreamID) error {
	s.unsynced.Lock()
	defer s.unsynced.Unlock()
	for dir := path.Dir(id.path()); ; dir = path.Dir(dir) {
		if _, ok := s.unsynced.dirs[dir]; ok {
			d, err := s.root.Open(dir)
			if err != nil {
				return err
			}
			if err := errors.Join(d.Sync(), d.Close()); err != nil {
				return err
			}
			delete(s.unsynced.dirs, dir)
		}
		if dir == "." {
			return nil
		}
	}
}

// Delete removes a stream; that there is none is no error. Its group stays.
func (s *Store) Delete(id StreamID) error {
	s.creating.Lock()
	defer s.creating.Unlock()
	defer s.cache.drop(id) // afterwards, or somebody could open what is about to go
	if err := s.root.Remove(id.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete log stream: %w", err)
	}
	return nil
}
