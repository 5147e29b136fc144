package solo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
)

// artifactBucket is where the record says that artifacts are: it knows no
// folders of this machine.
const artifactBucket = "local"

// Artifacts lays the artifacts of a build into a folder as a tree, secondary
// ones in folders of their identifiers. Files that are there and have the name
// of one are replaced, others are left alone.
type Artifacts struct {
	dir  string
	spec *buildspec.Artifacts

	mu   sync.Mutex                  // guards laid
	laid map[string]map[string]int64 // sizes, by identifier and path
}

// NewArtifacts returns what lays artifacts into dir, which is made when the
// first one comes. Spec says which ones there are.
func NewArtifacts(dir string, spec *buildspec.Artifacts) *Artifacts {
	return &Artifacts{dir: dir, spec: spec, laid: map[string]map[string]int64{}}
}

// A Laid is one artifact that is in its place.
type Laid struct {
	Identifier string // empty for the primary one
	Dir        string
	Files      int
	Bytes      int64
}

// Laid returns the artifacts that came, the primary one first.
func (a *Artifacts) Laid() []Laid {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Laid
	for _, id := range slices.Sorted(maps.Keys(a.laid)) {
		l := Laid{Identifier: id, Dir: filepath.Join(a.dir, id), Files: len(a.laid[id])}
		for _, size := range a.laid[id] {
			l.Bytes += size
		}
		all = append(all, l)
	}
	return all
}

// ask has a project make these artifacts.
func (a *Artifacts) ask(in *api.CreateProjectInput) {
	if a == nil || a.spec == nil {
		return
	}
	tree := api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new(artifactBucket), Packaging: api.ArtifactPackagingNone, Name: new("/")}
	if len(a.spec.Files) > 0 {
		in.Artifacts = &tree
	}
	for _, o := range a.spec.Secondary {
		one := tree
		one.ArtifactIdentifier = new(o.Identifier)
		in.SecondaryArtifacts = append(in.SecondaryArtifacts, one)
	}
}

// put lays one file of an artifact, all of it or nothing.
func (a *Artifacts) put(_ context.Context, b build.Build, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	var info agentapi.ObjectInfo
	if _, ok := b.ArtifactSettings(o.Identifier); !ok || o.Kind != agentapi.ArtifactObject || !filepath.IsLocal(o.Path) || o.Path == "." || strings.ContainsRune(o.Path, 0) {
		return info, unknown(o)
	}
	size, err := a.lay(path.Join(o.Identifier, o.Path), o.Mode, body)
	if err != nil {
		// The folder is the user's own: what is wrong with it is theirs to mend.
		return info, fault.New(fault.Invalid, "%s cannot be laid into %s: %v", o.Path, a.dir, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.laid[o.Identifier] == nil {
		a.laid[o.Identifier] = map[string]int64{}
	}
	a.laid[o.Identifier][o.Path] = size
	return agentapi.ObjectInfo{Size: size, Location: "arn:aws:s3:::" + path.Join(artifactBucket, o.Identifier, o.Path)}, nil
}

// lay makes a file below the folder, and leaves it by no link.
func (a *Artifacts) lay(name string, mode fs.FileMode, body io.Reader) (size int64, err error) {
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(a.dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return 0, err
	}
	part := name + ".slipway-part"
	if err := root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a build that was killed
		return 0, err
	}
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(f, body)
	if mode = mode.Perm() &^ 0o022; mode == 0 {
		mode = 0o644
	}
	if err = errors.Join(err, f.Chmod(mode|0o600), f.Close()); err == nil {
		err = root.Rename(part, name)
	}
	if err != nil {
		return 0, errors.Join(err, root.Remove(part))
	}
	return size, nil
}

// String tells how much an artifact is.
func (l Laid) String() string {
	s := "s"
	if l.Files == 1 {
		s = ""
	}
	return fmt.Sprintf("%d file%s, %d bytes in %s", l.Files, s, l.Bytes, l.Dir)
}
