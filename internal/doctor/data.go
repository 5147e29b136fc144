package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"slipway/internal/api/slipway"
)

// The bounds of a disk that is full.
const (
	spaceWarning = 1 << 30
	spaceError   = 100 << 20
)

// data looks at the data folder: its mode, the room on its disk, and its lock.
func (m Machine) data() []slipway.Finding {
	if m.Data == "" {
		return nil
	}
	info, err := os.Stat(m.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return one(AreaData, m.Data, slipway.FindingLevelWarning, "The data folder does not exist yet.", "Start a server, which makes it: 'slipway serve --data "+m.Data+"'; or name the right one with --data.")
	case err != nil:
		return one(AreaData, m.Data, slipway.FindingLevelError, "The data folder cannot be looked at: "+err.Error()+".", "Run this as the user who runs the server.")
	case !info.IsDir():
		return one(AreaData, m.Data, slipway.FindingLevelError, "The data folder is no folder.", "Name a folder with --data.")
	}
	var all []slipway.Finding
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		all = append(all, one(AreaData, m.Data, slipway.FindingLevelWarning, fmt.Sprintf("Others on this machine may look into the data folder (mode %#o).", mode), "Close it: 'chmod 700 "+m.Data+"'.")...)
	}
	all = append(all, m.space()...)
	all = append(all, m.lock()...)
	if len(all) == 0 {
		all = one(AreaData, m.Data, slipway.FindingLevelOk, "The data folder is closed to others and has room.", "")
	}
	return all
}

func (m Machine) space() []slipway.Finding {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(m.Data, &disk); err != nil {
		return one(AreaData, m.Data, slipway.FindingLevelWarning, "How much room is left for the data folder cannot be told: "+err.Error()+".", "")
	}
	free := int64(min(disk.Bavail, 1<<40)) * disk.Bsize //nolint:gosec // bounded before
	const fix = "Delete old builds and logs, or move the data folder to a larger disk."
	switch said := "There is room for " + Bytes(free) + " more in the data folder: builds and logs need it."; {
	case free < spaceError:
		return one(AreaData, m.Data, slipway.FindingLevelError, said, fix)
	case free < spaceWarning:
		return one(AreaData, m.Data, slipway.FindingLevelWarning, said, fix)
	}
	return nil
}

// lock looks whether a server that does not answer holds the folder.
func (m Machine) lock() []slipway.Finding {
	if m.Serving {
		return nil
	}
	f, err := os.Open(filepath.Join(m.Data, "lock"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return one(AreaData, m.Data, slipway.FindingLevelError, "The data folder's lock cannot be looked at: "+err.Error()+".", "Run this as the user who runs the server.")
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor
		return one(AreaData, m.Data, slipway.FindingLevelError, "A server holds the data folder and does not answer.", "Look at its log; stop it, if need be by its process id ('fuser "+filepath.Join(m.Data, "lock")+"'), and start it again.")
	}
	return nil
}
