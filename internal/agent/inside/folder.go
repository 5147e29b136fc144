package inside

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// errInTheWay means that what is at a path is of another kind, such as a link
// where a directory should be.
var errInTheWay = errors.New("something else is there")

// A folder is an open directory. All that is done in it names one component of
// a path and follows no link.
type folder struct {
	fd    int
	users atomic.Int32 // when nobody is left it is closed
}

const openFolder = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

func newFolder(fd int) *folder {
	f := &folder{fd: fd}
	f.users.Store(1)
	return f
}

// enter opens a directory in f. If it is not there it is made.
func (f *folder) enter(name string) (*folder, error) {
	fd, err := unix.Openat(f.fd, name, openFolder|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENOENT) {
		if err := unix.Mkdirat(f.fd, name, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, err
		}
		fd, err = unix.Openat(f.fd, name, openFolder|unix.O_NOFOLLOW, 0)
	}
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return nil, errInTheWay
	}
	if err != nil {
		return nil, err
	}
	return newFolder(fd), nil
}

func (f *folder) hold() *folder {
	f.users.Add(1)
	return f
}

func (f *folder) release() {
	if f.users.Add(-1) == 0 {
		_ = unix.Close(f.fd)
	}
}

// instead makes something at name, in the place of what is there unless that is
// a directory.
func (f *folder) instead(name string, do func() error) error {
	err := do()
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return errInTheWay
	}
	if err := unix.Unlinkat(f.fd, name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return do()
}

// create makes a file, open for writing.
func (f *folder) create(name string, perm fs.FileMode) (fd int, err error) {
	err = f.instead(name, func() (err error) {
		fd, err = unix.Openat(f.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm.Perm()))
		return err
	})
	return fd, err
}

// touch sets the time of what is at name, of a link its own. Times that no file
// can have are left out.
func (f *folder) touch(name string, at time.Time) error {
	t, err := unix.TimeToTimespec(at)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	err = unix.UtimesNanoAt(f.fd, name, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOVERFLOW) {
		return nil
	}
	return err
}

// free returns how many bytes may be written where f is.
func (f *folder) free() (int64, error) {
	var at unix.Statfs_t
	if err := unix.Fstatfs(f.fd, &at); err != nil {
		return 0, fmt.Errorf("free space: %w", err)
	}
	return max(0, int64(at.Bavail)*int64(at.Bsize)-spareBytes), nil //nolint:unconvert // they have other types elsewhere
}

// spareBytes of a disk are left free.
const spareBytes = 256 << 20

// A base is a directory below which a cache may be restored. What there is of
// its path when the restoring begins is where it leads then: what is restored
// cannot move it.
type base struct {
	dir   string
	start *folder  // the deepest directory on the path to it that is there
	rest  []string // the names that are still to be made below that
	left  int64    // bytes that may be written
}

// openBase opens the directory dir, or as much of its path as there is.
func openBase(dir string) (*base, error) {
	b := &base{dir: dir}
	for at := dir; ; at = path.Dir(at) {
		fd, err := unix.Open(at, openFolder, 0)
		if errors.Is(err, unix.ENOENT) && at != "/" {
			var st unix.Stat_t
			if unix.Lstat(at, &st) == nil { // a link to what is not there
				return nil, fmt.Errorf("%s: %w", at, errInTheWay)
			}
			b.rest = append([]string{path.Base(at)}, b.rest...)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		b.start = newFolder(fd)
		b.left, err = b.start.free()
		return b, err
	}
}

// parts returns the names that lead from start to a path below the base.
func (b *base) parts(rel string) []string {
	parts := append([]string(nil), b.rest...)
	if rel != "." && rel != "" {
		parts = append(parts, strings.Split(rel, "/")...)
	}
	return parts
}
