// Package mirror keeps what builds have fetched of git repositories, so that
// the next build of the same project fetches only what is new.
//
// A mirror is packs of objects and the commits that they are complete for. It
// decides nothing: a fetch that starts from one talks to the provider with the
// build's own login all the same, and the provider says what there is and
// whether this login may have it. Objects are named by their content, so what
// one build put here cannot pass for something else in another.
//
// That holds only as long as no build can write here. User code sees copies of
// packs and never a link to one: through a hard link, root in a sandbox could
// change what the next build gets.
package mirror

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Folder holds mirrors. Processes may work on it at the same time.
type Folder struct {
	Dir   string // absolute; made if it is not there
	Limit int64  // bytes that all mirrors may take; those used longest ago go first
}

// A Name says what a mirror is of.
type Name struct {
	Project string // no project sees what another one fetched
	URL     string // of the repository
	Depth   int    // of the history; 0 means all of it
}

func (n Name) key() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", n.Project, n.URL, n.Depth))
	return hex.EncodeToString(sum[:16])
}

// A Seed is a copy of a mirror. The zero Seed is that of none.
type Seed struct {
	Dir string // what git takes as the template of a new repository; empty if there is no mirror

	packs []string // without their endings
	tips  []string
}

// Namespace is where a new repository that was made from a Seed has refs to
// what it holds: they tell the provider what need not be sent. Clean takes them
// out.
const Namespace = "refs/slipway/"

// When a mirror is made anew: its packs are more than git likes to search, or
// they have grown so much that most of them may be of no use any more.
const (
	maxPacks = 40
	growth   = 2
	slack    = 64 << 20
)

// maxTips is how many commits of earlier fetches are remembered beside those of
// the last one.
const maxTips = 256

// infoFile is what is known of a mirror; it is as old as the mirror's last use.
const infoFile = ".info"

// info is for people, but for First.
type info struct {
	Name
	First int64 `json:"first"` // bytes of packs when it was made
}

// ErrDamaged means that a mirror was not as it was left. It has been removed.
var ErrDamaged = errors.New("the mirror is damaged")

// Seed makes a copy of n's mirror in dir, which must not exist. Without a
// mirror, or when others hold it for too long, it is that of none.
func (f Folder) Seed(n Name, dir string) (Seed, error) {
	if _, err := os.Stat(f.at(n)); err != nil {
		return Seed{}, nil //nolint:nilerr // there is none
	}
	unlock, err := f.lock(n)
	if err != nil {
		return Seed{}, ignoreBusy(err)
	}
	defer unlock()
	s, err := f.seed(n, dir)
	if err == nil {
		return s, nil
	}
	_ = os.RemoveAll(dir)
	switch {
	case errors.Is(err, ErrDamaged):
		err = errors.Join(err, f.remove(n))
	case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		err = nil
	}
	return Seed{}, err
}

func (f Folder) seed(n Name, dir string) (Seed, error) {
	from := f.at(n)
	now := time.Now()
	if err := os.Chtimes(filepath.Join(from, infoFile), now, now); err != nil {
		return Seed{}, err
	}
	packs, err := packsIn(from)
	if err != nil {
		return Seed{}, err
	}
	s := Seed{Dir: dir, packs: packs}
	refs, err := os.ReadFile(filepath.Join(from, "packed-refs"))
	if err != nil {
		return Seed{}, damaged(err)
	}
	for line := range strings.Lines(string(refs)) {
		tip, _, ok := strings.Cut(line, " "+Namespace)
		if !ok || !isID(tip) {
			return Seed{}, ErrDamaged
		}
		s.tips = append(s.tips, tip)
	}
	if len(packs) == 0 || len(s.tips) == 0 {
		return Seed{}, ErrDamaged
	}
	to := filepath.Join(dir, packDir)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return Seed{}, err
	}
	for _, p := range packs {
		if err := sound(filepath.Join(from, packDir, p)); err != nil {
			return Seed{}, err
		}
		for _, ending := range endings {
			// A link, since the mirror may change or go while git copies it. The
			// template is the fetch's own, and goes with it.
			if err := link(filepath.Join(from, packDir, p+ending), filepath.Join(to, p+ending)); err != nil {
				return Seed{}, err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "packed-refs"), refs, 0o600); err != nil {
		return Seed{}, err
	}
	shallow, err := os.ReadFile(filepath.Join(from, shallowFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return Seed{}, err
	}
	return s, os.WriteFile(filepath.Join(dir, shallowFile), shallow, 0o600)
}

// Keep adds to n's mirror what the repository at gitDir has beyond the Seed that
// it was made from, and makes the mirror if there was none. It is called before
// user code has seen the repository. What others did to the mirror meanwhile
// stays: then nothing is added.
func (f Folder) Keep(n Name, gitDir string, s Seed) error {
	r, err := read(gitDir)
	if err != nil {
		return err
	}
	if len(r.tips) == 0 {
		return nil
	}
	added := slices.DeleteFunc(slices.Clone(r.packs), func(p string) bool {
		return slices.Contains(s.packs, p) || isEmpty(filepath.Join(gitDir, packDir, p))
	})
	if s.Dir != "" && len(added) == 0 && !slices.ContainsFunc(r.tips, func(tip string) bool { return !slices.Contains(s.tips, tip) }) {
		return nil // nothing is new
	}
	if s.Dir == "" && len(added) == 0 {
		return nil
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	// Copied where nobody looks, so that others wait for no more than names.
	temporary, err := os.MkdirTemp(f.Dir, temporaryName)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	size, err := copyPacks(gitDir, temporary, added)
	if err != nil {
		return err
	}
	if size > f.Limit {
		return nil // it would push out itself
	}
	unlock, err := f.lock(n)
	if err != nil {
		return ignoreBusy(err)
	}
	defer unlock()
	there, err := packsIn(f.at(n))
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.Dir == "":
		err = f.make(n, temporary, r, size)
	case err == nil && s.Dir != "" && !slices.ContainsFunc(s.packs, func(p string) bool { return !slices.Contains(there, p) }):
		err = f.extend(n, temporary, added, r, s)
	case errors.Is(err, fs.ErrNotExist), err == nil:
		return nil // somebody else made it, or made it anew
	}
	return errors.Join(err, f.prune(n))
}

// make makes a mirror whose packs are in temporary.
func (f Folder) make(n Name, temporary string, r repository, size int64) error {
	text, err := json.Marshal(info{Name: n, First: size})
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(temporary, infoFile), text, 0o600),
		os.WriteFile(filepath.Join(temporary, "packed-refs"), refs(r.tips), 0o600),
		r.writeShallow(temporary),
	)
	if err != nil {
		return err
	}
	return os.Rename(temporary, f.at(n))
}

// extend adds packs to a mirror, or removes it if it has grown too much: the
// next build makes it anew, out of what its provider has then.
func (f Folder) extend(n Name, temporary string, added []string, r repository, s Seed) error {
	to := f.at(n)
	var about info
	text, err := os.ReadFile(filepath.Join(to, infoFile))
	if err != nil || json.Unmarshal(text, &about) != nil {
		return f.remove(n)
	}
	if size := sizeOf(to) + sizeOf(temporary); len(s.packs)+len(added) > maxPacks || size > growth*about.First+slack || size > f.Limit {
		return f.remove(n)
	}
	for _, p := range added {
		for _, ending := range endings { // a pack counts once its index is there
			if err := os.Rename(filepath.Join(temporary, packDir, p+ending), filepath.Join(to, packDir, p+ending)); err != nil {
				return err
			}
		}
	}
	// What is said to be there follows what is there.
	if err := r.writeShallow(to); err != nil {
		return err
	}
	return replace(filepath.Join(to, "packed-refs"), refs(append(slices.Clone(r.tips), s.tips[:min(len(s.tips), maxTips)]...)))
}

// Drop removes n's mirror.
func (f Folder) Drop(n Name) error {
	unlock, err := f.lock(n)
	if err != nil {
		return ignoreBusy(err)
	}
	defer unlock()
	return f.remove(n)
}

// remove removes n's mirror, which is locked, at once.
func (f Folder) remove(n Name) error { return f.discard(n.key()) }

func (f Folder) discard(key string) error {
	away, err := os.MkdirTemp(f.Dir, temporaryName)
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(f.Dir, key), filepath.Join(away, "mirror"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(away))
}

func (f Folder) at(n Name) string { return filepath.Join(f.Dir, n.key()) }

// refs writes tips as refs in Namespace.
func refs(tips []string) []byte {
	var out bytes.Buffer
	seen := map[string]bool{}
	for _, tip := range tips {
		if !seen[tip] {
			fmt.Fprintf(&out, "%s %s%d\n", tip, Namespace, len(seen))
			seen[tip] = true
		}
	}
	return out.Bytes()
}

// replace writes a file at once or not at all.
func replace(name string, text []byte) error {
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// link makes to another name of from, or a copy where there can be none.
func link(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EMLINK) {
		_, err = copyFile(from, to)
	}
	return err
}

func copyFile(from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(out, in) // in the kernel, and shared where the file system can
	return size, errors.Join(err, out.Close())
}
