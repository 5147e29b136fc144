// Package sandbox says how bubblewrap has to be called so that user code sees
// the tools of this machine and its own workspace, and nothing else of it.
package sandbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options describe one sandbox. All paths are absolute and of the host.
type Options struct {
	Workspace string   // shown as /codebuild; its folder readonly cannot be written
	Agent     string   // a program shown as /codebuild/readonly/agent, where Workspace has a file; empty shows none
	Home      string   // shown as /root
	Tmp       string   // shown as /tmp
	VarTmp    string   // shown as /var/tmp
	Hosts     string   // a file shown as /etc/hosts; empty means the host's
	Hide      []string // directories and files to cover with nothing wherever they would be visible
	ReadOnly  []string // further paths to show at their own place
	Root      bool     // the agent runs as root
}

// Where the sandbox shows what it is given, and its name.
const (
	Workspace = "/codebuild"
	Home      = "/root"
	Hostname  = "slipway-build"
)

// shown are the top-level directories of the host that hold its tools. It is a
// list of what may be seen: a directory somebody added to / may hold anything.
var shown = []string{
	"bin", "etc", "gnu", "lib", "lib32", "lib64", "libexec", "libx32", "nix", "opt", "sbin", "srv", "usr", "var",
}

// Shows reports whether a sandbox shows an absolute path without links, unless it
// hides it.
func Shows(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(shown, first)
}

// privateLevels is how deep RootOnly looks: Debian's PostgreSQL keeps its data in
// /var/lib/postgresql/15/main.
const privateLevels = 4

// RootOnly lists what in /etc and /var, down to four levels, the machine's other
// users may not read: keys, password files, what services keep for themselves.
// To the root of a sandbox it is open, so a server that runs as root hides it.
// Left out are what is in one of the folders named in except, folders that such
// a one is in, and empty lock files.
func RootOnly(except []string) []string {
	var all []string
	for _, top := range []string{"/etc", "/var"} {
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == top || !d.IsDir() && !d.Type().IsRegular() {
				return nil // gone meanwhile, or nothing to read
			}
			fi, err := d.Info()
			if err != nil {
				return nil
			}
			named := slices.ContainsFunc(except, func(dir string) bool { return within(path, dir) || within(dir, path) })
			private := !openToAll(fi) && !named
			if private {
				all = append(all, path)
			}
			if d.IsDir() && (private || strings.Count(path, "/") > privateLevels) {
				return fs.SkipDir
			}
			return nil
		})
	}
	return all
}

// openToAll reports whether every user may read a file or folder.
func openToAll(fi fs.FileInfo) bool {
	need := fs.FileMode(0o004)
	if fi.IsDir() {
		need = 0o005
	} else if fi.Size() == 0 && strings.Contains(strings.ToLower(fi.Name()), "lock") {
		return true
	}
	return fi.Mode()&need == need
}

// kernelFiles are what of /proc the host's root may write even without a
// capability: who writes /proc/sys/kernel/core_pattern has the kernel run a
// program outside. Bubblewrap means to cover /proc/sys itself but takes it for
// read-only, since the folder as such is; what it does cover is not listed.
var kernelFiles = []string{"/proc/acpi", "/proc/asound", "/proc/fs", "/proc/scsi", "/proc/sys"}

// capabilities are those Docker leaves to root by default, without MKNOD:
// builds install packages and change owners, but do not mount or load anything.
var capabilities = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
	"CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// Args returns bubblewrap's options, without the command to run.
func Args(o Options) []string {
	b := &builder{o: o}
	b.add("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", Hostname)
	b.add("--die-with-parent", "--new-session", "--clearenv")
	if o.Root {
		b.add("--cap-drop", "ALL")
		for _, c := range capabilities {
			b.add("--cap-add", c)
		}
	} else {
		// The user keeps its own number inside. As number 0, tar and npm would
		// try to give files to other users, which fails where only one is mapped.
		b.add("--unshare-user")
	}
	for _, name := range shown {
		b.topLevel("/" + name)
	}
	b.add("--proc", "/proc", "--dev", "/dev", "--perms", "0755", "--dir", "/run")
	if o.Root {
		for _, path := range kernelFiles {
			b.add("--ro-bind-try", path, path)
		}
	}
	b.resolver()
	b.add("--bind", o.Tmp, "/tmp", "--bind", o.Home, Home)
	if b.directory("/var") {
		if b.directory("/var/tmp") {
			b.add("--bind", o.VarTmp, "/var/tmp")
		}
		if b.directory("/var/run") { // most often a link to /run
			b.add("--tmpfs", "/var/run")
		}
	}
	for _, path := range o.ReadOnly {
		b.readOnly(path)
	}
	for _, path := range o.Hide {
		b.hide(path)
	}
	b.add("--bind", o.Workspace, Workspace)
	b.add("--ro-bind", filepath.Join(o.Workspace, "readonly"), filepath.Join(Workspace, "readonly"))
	if o.Agent != "" {
		b.add("--ro-bind", o.Agent, filepath.Join(Workspace, "readonly", "agent"))
	}
	b.add("--chdir", Workspace)
	return b.args
}

type builder struct {
	o       Options
	args    []string
	binds   []bind
	covered []string // places with nothing in them any more
}

// A bind is a host path, without links, that the sandbox shows somewhere.
type bind struct{ host, place string }

func (b *builder) add(args ...string) { b.args = append(b.args, args...) }

// directory reports whether path is a directory itself, not a link to one.
func (b *builder) directory(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.IsDir()
}

func (b *builder) bind(host, place string) {
	b.add("--ro-bind", host, place)
	b.binds = append(b.binds, bind{host, place})
}

// topLevel shows a directory of the host's root, or the link that it is.
func (b *builder) topLevel(path string) {
	host, err := filepath.EvalSymlinks(path)
	if err != nil || b.hidden(host) {
		return // not on this machine, or a link to what must not be seen
	}
	if target, err := os.Readlink(path); err == nil && Shows(host) {
		b.add("--symlink", target, path)
		return
	}
	b.bind(host, path)
}

// resolver shows the file that /etc/resolv.conf is a link to, if the sandbox
// would not have it otherwise: often it is somewhere in /run.
func (b *builder) resolver() {
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err == nil && !Shows(target) {
		b.add("--ro-bind", target, target)
	}
	if fi, err := os.Lstat("/etc/hosts"); err == nil && fi.Mode().IsRegular() && b.o.Hosts != "" {
		b.add("--ro-bind", b.o.Hosts, "/etc/hosts")
	}
}

func (b *builder) readOnly(path string) {
	host, err := filepath.EvalSymlinks(path)
	if err != nil || b.hidden(host) {
		return // not there: nothing to show
	}
	b.bind(host, filepath.Clean(path))
}

// hidden reports whether host, which has no links, is or lies in what must not
// be seen.
func (b *builder) hidden(host string) bool {
	return slices.ContainsFunc(b.o.Hide, func(path string) bool {
		path, err := filepath.EvalSymlinks(path)
		return err == nil && within(host, path)
	})
}

// hide covers path wherever a bind would show it. A path that does not exist
// cannot be covered; the server makes its folders before it starts an agent.
func (b *builder) hide(path string) {
	host, err := filepath.EvalSymlinks(path)
	if err != nil {
		return
	}
	fi, err := os.Stat(host)
	if err != nil {
		return
	}
	for _, shown := range b.binds {
		if !within(host, shown.host) {
			continue
		}
		place := filepath.Join(shown.place, strings.TrimPrefix(host, shown.host))
		if slices.ContainsFunc(b.covered, func(dir string) bool { return within(place, dir) }) {
			continue // bubblewrap could not even make the place
		}
		b.covered = append(b.covered, place)
		if fi.IsDir() {
			b.add("--tmpfs", place, "--remount-ro", place)
		} else {
			b.add("--ro-bind", "/dev/null", place)
		}
	}
}

// within reports whether path is dir or lies below it. Both are clean.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
