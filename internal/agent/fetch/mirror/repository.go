package mirror

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names in a git directory.
const (
	packDir     = "objects/pack"
	shallowFile = "shallow"
)

// endings are those of the files of a pack, the one that makes it count last.
var endings = []string{".pack", ".idx"}

// A repository is what is read of one that was just fetched.
type repository struct {
	packs   []string // without their endings
	tips    []string // what its refs lead to
	shallow []string // commits whose parents are not there
}

// read reads the git directory of a repository.
func read(gitDir string) (repository, error) {
	var r repository
	var err error
	if r.packs, err = packsIn(gitDir); err != nil {
		return r, err
	}
	root, err := os.OpenRoot(gitDir)
	if err != nil {
		return r, err
	}
	defer root.Close()
	seen := map[string]bool{}
	add := func(id string) {
		if id = strings.TrimSpace(id); isID(id) && !seen[id] {
			seen[id] = true
			r.tips = append(r.tips, id)
		}
	}
	if head, err := root.ReadFile("HEAD"); err == nil {
		add(string(head))
	}
	if packed, err := root.ReadFile("packed-refs"); err == nil {
		for line := range strings.Lines(string(packed)) {
			if id, name, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(name, Namespace) {
				add(id)
			}
		}
	}
	err = fs.WalkDir(root.FS(), "refs", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := root.ReadFile(name)
		add(string(text))
		return err
	})
	if err != nil {
		return r, err
	}
	text, err := root.ReadFile(shallowFile)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	for line := range strings.Lines(string(text)) {
		r.shallow = append(r.shallow, strings.TrimSpace(line))
	}
	return r, err
}

// writeShallow adds the repository's shallow commits to those of the mirror in
// dir: packs that others added may need theirs.
func (r repository) writeShallow(dir string) error {
	name := filepath.Join(dir, shallowFile)
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all := strings.Fields(string(text))
	before := len(all)
	for _, id := range r.shallow {
		if isID(id) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	if len(all) == before {
		return nil
	}
	return replace(name, []byte(strings.Join(all, "\n")+"\n"))
}

// packsIn lists the packs of a git directory that have an index.
func packsIn(gitDir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(gitDir, packDir))
	if err != nil {
		return nil, err
	}
	var packs []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".idx")
		if ok && strings.HasPrefix(name, "pack-") && isID(strings.TrimPrefix(name, "pack-")) {
			packs = append(packs, name)
		}
	}
	return packs, nil
}

// copyPacks copies packs from one git directory to a new one, and returns how
// many bytes they have.
func copyPacks(from, to string, packs []string) (int64, error) {
	if err := os.MkdirAll(filepath.Join(to, packDir), 0o700); err != nil {
		return 0, err
	}
	var total int64
	for _, p := range packs {
		for _, ending := range endings {
			size, err := copyFile(filepath.Join(from, packDir, p+ending), filepath.Join(to, packDir, p+ending))
			if err != nil {
				return 0, err
			}
			total += size
		}
	}
	return total, nil
}

// sizeOf returns how many bytes the packs of a git directory have.
func sizeOf(gitDir string) int64 {
	entries, err := os.ReadDir(filepath.Join(gitDir, packDir))
	if err != nil {
		return 0
	}
	var total int64
	for _, e := range entries {
		if i, err := e.Info(); err == nil {
			total += i.Size()
		}
	}
	return total
}

// sound holds a pack against its index: both end with hashes, and the index
// repeats the pack's. What a power cut or a full disk leaves does not pass. What
// is in between, git checks as it reads it.
func sound(path string) error {
	size := int64(hashSize(path))
	pack, err := ends(path+".pack", 12, size)
	if err != nil {
		return damaged(err)
	}
	index, err := ends(path+".idx", 8, 2*size)
	if err != nil {
		return damaged(err)
	}
	if string(pack.head[:4]) != "PACK" || binary.BigEndian.Uint32(pack.head[8:]) == 0 || !bytes.Equal(pack.tail, index.tail[:size]) {
		return ErrDamaged
	}
	return nil
}

// isEmpty reports whether a pack has no objects: git keeps those of fetches that
// bring none.
func isEmpty(path string) bool {
	const header = 12
	i, err := os.Stat(path + ".pack")
	return err == nil && i.Size() <= header+int64(hashSize(path))
}

// hashSize returns how many bytes the hashes of a pack have.
func hashSize(path string) int { return len(strings.TrimPrefix(filepath.Base(path), "pack-")) / 2 }

type bothEnds struct{ head, tail []byte }

// ends reads the first and the last bytes of a file.
func ends(name string, head, tail int64) (e bothEnds, err error) {
	f, err := os.Open(name)
	if err != nil {
		return e, err
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return e, err
	}
	if about.Size() < head+tail {
		return e, errors.New("cut off")
	}
	e = bothEnds{make([]byte, head), make([]byte, tail)}
	if _, err = f.ReadAt(e.head, 0); err == nil {
		_, err = f.ReadAt(e.tail, about.Size()-tail)
	}
	return e, err
}

func damaged(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }

// isID reports whether s is the id of an object, by SHA-1 or SHA-256.
func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
