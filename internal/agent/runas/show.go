package runas

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// show lets the user get to paths below directories that are closed to others,
// as a server's data folder is: from here on this process and its children see
// nothing of the outermost such directories but these paths. For everybody else
// nothing changes.
func show(paths []string, who Identity) error {
	below := map[string][]string{} // paths by the closed directory above them
	for _, path := range paths {
		if dir := closedAbove(path, who); dir != "" {
			below[dir] = append(below[dir], path)
		}
	}
	if len(below) == 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return closed(below, err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return closed(below, err)
	}
	defer unix.Umask(unix.Umask(0o022)) // of the directories, and not of the program
	for dir, paths := range below {
		if err := cover(dir, paths); err != nil {
			return closed(map[string][]string{dir: paths}, err)
		}
	}
	return nil
}

func closed(below map[string][]string, err error) error {
	dir := slices.Sorted(maps.Keys(below))[0]
	return fmt.Errorf("%s is closed to the user, and cannot be opened for this build alone: %w", dir, err)
}

// cover puts an empty directory over dir that shows only some of what is below.
func cover(dir string, paths []string) error {
	type held struct {
		path string
		fd   int
		dir  bool
	}
	var all []held
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		all = append(all, held{path, fd, info.IsDir()})
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=64k"); err != nil {
		return err
	}
	for _, h := range all {
		err := os.MkdirAll(filepath.Dir(h.path), 0o755)
		if err == nil && h.dir {
			err = os.MkdirAll(h.path, 0o755)
		} else if err == nil {
			err = os.WriteFile(h.path, nil, 0o644) //nolint:gosec // a place to show the file at
		}
		if err == nil {
			err = unix.Mount("/proc/self/fd/"+strconv.Itoa(h.fd), h.path, "", unix.MS_BIND|unix.MS_REC, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// closedAbove returns the outermost directory above path that the user cannot
// go through, or "".
func closedAbove(path string, who Identity) string {
	dir := "/"
	for part := range strings.SplitSeq(filepath.Dir(path), "/") {
		dir = filepath.Join(dir, part)
		info, err := os.Stat(dir)
		if err != nil {
			return ""
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return ""
		}
		shift := 0
		switch {
		case int(stat.Uid) == who.UID:
			shift = 6
		case int(stat.Gid) == who.GID || slices.Contains(who.Groups, int(stat.Gid)):
			shift = 3
		}
		if stat.Mode>>shift&1 == 0 {
			return dir
		}
	}
	return ""
}
