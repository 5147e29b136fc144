package dockertest

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// machinePackages are what Machine has of this machine's Debian packages, with
// what they depend on: what builds commonly use.
var machinePackages = []string{
	"base-passwd", "bash", "bzip2", "ca-certificates", "coreutils", "curl", "dash", "diffutils", "file", "findutils", "git", "grep", "gzip", "hostname", "jq",
	"libc-bin", "make", "mawk", "nodejs", "npm", "openssl", "patch", "perl-base", "procps", "python3", "python3-minimal", "sed", "tar", "unzip", "util-linux", "xz-utils", "zip",
}

// machineLacks are packages that nothing in the image needs, and folders.
var (
	machineLacks   = []string{"perl", "dpkg", "debconf", "git-man", "adduser", "media-types", "tzdata", "node-gyp", "perl-modules-5.36", "libperl5.36"}
	machineFolders = []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/info/", "/usr/share/locale/", "/usr/share/lintian/", "/usr/share/bash-completion/", "/usr/include/", npmFolder + "/docs/", npmFolder + "/man/"}
)

// machineFiles are what no package has; npm, which many bring up to date by
// itself, is a folder of it.
const npmFolder = "/usr/lib/node_modules/npm"

var machineFiles = []string{"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.conf", "/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt"}

// Machine makes an image of tools of this machine, if the engine does not have
// it, and returns its name: in it commands find the same ones at the same
// places. It stays there, since it is large. Where tools are no Debian packages
// it fails the test in CI and skips it elsewhere.
func Machine(t testing.TB, c *client.Client) string {
	t.Helper()
	name, err := machine(t, c)
	if err != nil && (os.Getenv("CI") == "true" || !errors.Is(err, exec.ErrNotFound)) {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return name
}

func machine(t testing.TB, c *client.Client) (string, error) {
	packages, versions, err := closure(machinePackages)
	if err != nil {
		return "", err
	}
	recipe := fmt.Sprint(versions, machineFolders, machineFiles, 1)
	name := fmt.Sprintf("slipway-test/machine:%x", sha256.Sum256([]byte(recipe)))
	if _, err = c.ImageInspect(t.Context(), name); !errdefs.IsNotFound(err) {
		return name, err
	}
	paths, err := filesOf(packages)
	if err != nil {
		return "", err
	}
	return name, imported(c, name, []string{"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, func(w *tar.Writer) error {
		for _, top := range []string{"/bin", "/sbin", "/lib", "/lib64"} { // links, where all of it is below /usr
			if err := addAs(w, top); err != nil {
				return err
			}
		}
		for _, dir := range []tar.Header{{Name: "tmp/", Mode: 0o1777}, {Name: "var/tmp/", Mode: 0o1777}, {Name: "root/", Mode: 0o700}, {Name: "run/", Mode: 0o755}} {
			dir.Typeflag = tar.TypeDir
			if err := w.WriteHeader(&dir); err != nil {
				return err
			}
		}
		for _, p := range paths {
			if err := addAs(w, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// closure returns the packages that are installed of these and of what they
// depend on, and their versions.
func closure(wanted []string) (packages, versions []string, err error) {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package}\t${Architecture}\t${Version}\t${Pre-Depends},${Depends}\n").Output()
	if err != nil {
		return nil, nil, fmt.Errorf("the packages of this machine are not known: %w", err)
	}
	type known struct {
		version string
		needs   []string
	}
	all := map[string]known{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			continue
		}
		k := known{version: f[0] + "=" + f[2]}
		for need := range strings.FieldsFuncSeq(f[3], func(r rune) bool { return r == ',' || r == '|' }) {
			need, _, _ = strings.Cut(strings.TrimSpace(need), " ")
			need, _, _ = strings.Cut(need, ":")
			k.needs = append(k.needs, need)
		}
		all[f[0]] = k
	}
	for todo := slices.Clone(wanted); len(todo) > 0; todo = todo[1:] {
		k, ok := all[todo[0]]
		if !ok || slices.Contains(packages, todo[0]) || slices.Contains(machineLacks, todo[0]) {
			continue
		}
		packages, versions = append(packages, todo[0]), append(versions, k.version)
		todo = append(todo, k.needs...)
	}
	return packages, versions, nil
}

// filesOf returns the paths of the packages' files, links and folders, and of
// the links by which Debian names one of several programs.
func filesOf(packages []string) ([]string, error) {
	out, err := exec.Command("dpkg", append([]string{"-L"}, packages...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg -L: %w", err)
	}
	seen := map[string]bool{"/var/tmp": true} // as all that is directly below the root
	var paths []string
	take := func(p string) {
		dir, err := filepath.EvalSymlinks(filepath.Dir(p)) // /bin is /usr/bin
		if err != nil || slices.ContainsFunc(machineFolders, func(f string) bool { return strings.HasPrefix(p+"/", f) }) {
			return
		}
		p = filepath.Join(dir, filepath.Base(p))
		if !seen[p] {
			seen[p] = true
			paths = append(paths, p)
		}
	}
	for line := range strings.Lines(string(out)) {
		if p := strings.TrimSpace(line); len(p) > 2 && strings.Count(p, "/") > 1 {
			take(p)
		}
	}
	for _, p := range machineFiles {
		take(p)
	}
	_ = filepath.WalkDir(npmFolder, func(p string, _ fs.DirEntry, err error) error {
		if err == nil {
			take(p)
		}
		return nil // a machine may have none
	})
	links, err := filepath.Glob("/etc/alternatives/*")
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if to, err := filepath.EvalSymlinks(l); err == nil && seen[to] {
			take(l)
			take("/usr/bin/" + filepath.Base(l))
		}
	}
	return paths, nil
}

// addAs adds a file, a link or a folder of the machine as it is. One that is
// gone, or is none of these, is left out.
func addAs(w *tar.Writer, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	link := ""
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name = strings.TrimPrefix(path, "/")
	if info.IsDir() {
		h.Name += "/"
	}
	if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
