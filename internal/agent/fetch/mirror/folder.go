package mirror

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// prune removes the mirrors used longest ago until the rest is within the
// Limit, and what processes left that died. n's own is locked and stays.
func (f Folder) prune(n Name) error {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return err
	}
	type mirror struct {
		key  string
		used time.Time
		size int64
	}
	var all []mirror
	var total int64
	for _, e := range entries {
		path := filepath.Join(f.Dir, e.Name())
		about, err := os.Stat(filepath.Join(path, infoFile))
		switch {
		case err == nil:
			all = append(all, mirror{e.Name(), about.ModTime(), sizeOf(path)})
			total += all[len(all)-1].size
		case strings.HasPrefix(e.Name(), temporaryName) && old(e):
			_ = os.RemoveAll(path)
		case strings.HasSuffix(e.Name(), lockEnding) && old(e):
			f.removeLock(strings.TrimSuffix(e.Name(), lockEnding))
		}
	}
	slices.SortFunc(all, func(a, b mirror) int { return a.used.Compare(b.used) })
	for _, m := range all {
		if total <= f.Limit {
			break
		}
		if m.key == n.key() {
			continue
		}
		unlock, err := f.lockKey(m.key, 0)
		if err != nil {
			continue // in use
		}
		if err = f.discard(m.key); err == nil {
			total -= m.size
		}
		unlock()
	}
	return nil
}

func old(e fs.DirEntry) bool {
	i, err := e.Info()
	return err == nil && time.Since(i.ModTime()) > abandoned
}

// removeLock removes the lock of a mirror that is gone.
func (f Folder) removeLock(key string) {
	unlock, err := f.lockKey(key, 0)
	if err != nil {
		return
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(f.Dir, key)); errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(f.lockFile(key))
	}
}

// How long a lock is waited for, which nobody holds for longer than it takes to
// change a few names; and when what a process was writing is nobody's any more.
const (
	lockTime  = 2 * time.Second
	lockPause = 5 * time.Millisecond
	abandoned = 24 * time.Hour
)

// Names in a Folder beside the mirrors', which are hexadecimal digits.
const (
	temporaryName = "tmp-"
	lockEnding    = ".lock"
)

var errBusy = errors.New("the mirror is in use")

func ignoreBusy(err error) error {
	if errors.Is(err, errBusy) {
		return nil
	}
	return err
}

func (f Folder) lockFile(key string) string { return filepath.Join(f.Dir, key+lockEnding) }

// lock locks n's mirror until unlock is called, at the latest when the process
// ends.
func (f Folder) lock(n Name) (unlock func(), err error) { return f.lockKey(n.key(), lockTime) }

func (f Folder) lockKey(key string, patience time.Duration) (unlock func(), err error) {
	for begin := time.Now(); ; {
		file, err := os.OpenFile(f.lockFile(key), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && isStill(file) {
			return func() { _ = file.Close() }, nil
		}
		_ = file.Close()
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		if time.Since(begin) > patience {
			return nil, errBusy
		}
		time.Sleep(lockPause)
	}
}

// isStill reports whether an open file is the one of its name: locks of mirrors
// that are gone are removed.
func isStill(file *os.File) bool {
	a, errA := file.Stat()
	b, errB := os.Stat(file.Name())
	return errA == nil && errB == nil && os.SameFile(a, b)
}
