// Package runas runs a program as another user, in the place of a build: what
// run-as of a buildspec asks for. It needs nothing of the place but its list of
// users.
//
// It is no wall. Commands of several users share the state of one shell, so who
// runs first decides what the next one finds in PATH.
package runas

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Request says what to run as whom. All paths are absolute.
type Request struct {
	User  string   `json:"user"`           // name or number; empty means whoever runs this
	Trees []string `json:"trees,omitzero"` // directories that become the user's, with all that is in them
	Files []string `json:"files,omitzero"` // files that become the user's, made if they are not there
	Show  []string `json:"show,omitzero"`  // directories and files that the user must be able to get to
	Run   []string `json:"run"`            // the program, by its path, and its arguments
}

// The exit statuses of what could not be run are the shell's.
const (
	exitCannot = 126
	exitUsage  = 2
)

// Main runs what the only argument, a Request, says. It returns the exit status
// only if it cannot.
func Main(args []string, stderr io.Writer) int {
	var r Request
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &r) != nil || len(r.Run) == 0 {
		fmt.Fprintln(stderr, "usage: the agent starts this itself")
		return exitUsage
	}
	err := r.run()
	fmt.Fprintf(stderr, "run-as %s: %v\n", r.User, err)
	return exitCannot
}

// run ends as another program, or with an error.
func (r Request) run() error {
	who := Identity{UID: os.Geteuid(), GID: os.Getegid()}
	if r.User != "" {
		var err error
		if who, err = Find(r.User); err != nil {
			return err
		}
	}
	if os.Geteuid() == 0 {
		for _, dir := range r.Trees {
			if err := give(dir, who); err != nil {
				return err
			}
		}
		for _, file := range r.Files {
			if err := giveFile(file, who); err != nil {
				return err
			}
		}
	}
	if who.UID != os.Geteuid() {
		// A mount namespace is one thread's: it must be this one that becomes the program.
		runtime.LockOSThread()
		if err := show(r.Show, who); err != nil {
			return err
		}
		if err := who.become(); err != nil {
			return err
		}
	}
	return syscall.Exec(r.Run[0], r.Run, os.Environ()) //nolint:gosec // it is what this is for
}

// An Identity is a user as the kernel knows one.
type Identity struct {
	UID, GID int
	Groups   []int
}

// Find returns the user with a name, or a number, in this place.
func Find(name string) (Identity, error) {
	u, err := user.Lookup(name)
	if _, notNumber := strconv.Atoi(name); err != nil && notNumber == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return Identity{}, err
	}
	var who Identity
	if who.UID, err = strconv.Atoi(u.Uid); err == nil {
		who.GID, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("user %s has no number", name)
	}
	groups, err := u.GroupIds()
	if err != nil {
		groups = []string{u.Gid} // a place may have no list of groups
	}
	for _, g := range groups {
		if n, err := strconv.Atoi(g); err == nil {
			who.Groups = append(who.Groups, n)
		}
	}
	return who, nil
}

// become makes this process the user's, with no way back.
func (who Identity) become() error {
	for _, fd := range []int{1, 2} { // else the user could not open /dev/stdout
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFIFO {
			_ = unix.Fchown(fd, who.UID, who.GID)
		}
	}
	if err := syscall.Setgroups(who.Groups); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setgid(who.GID); err != nil {
		return fmt.Errorf("set group: %w", err)
	}
	if err := syscall.Setuid(who.UID); err != nil {
		return fmt.Errorf("set user: %w", err)
	}
	return nil
}

// give makes dir and all that is in it the user's. Links are given and not
// followed, also one that takes a directory's place meanwhile.
func give(dir string, who Identity) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		if info, err := d.Info(); err == nil && owned(info, who) {
			return nil
		}
		err = root.Lchown(name, who.UID, who.GID)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EROFS) {
			return nil // gone, or something that the build cannot change anyway
		}
		return err
	})
}

func owned(info fs.FileInfo, who Identity) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == who.UID && int(stat.Gid) == who.GID
}

func giveFile(path string, who Identity) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chown(who.UID, who.GID)
}
