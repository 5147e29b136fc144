package sandbox_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"slipway/internal/agent/sandbox"
)

// nobody is a user that owns nothing on this machine.
const nobody = 65534

// A box is a sandbox to look around in.
type box struct {
	t    *testing.T
	o    sandbox.Options
	base string // what the test makes on the host; not shown inside
	user int
}

// newBox makes the folders of a sandbox for the user with that number.
func newBox(t *testing.T, user int) *box {
	t.Helper()
	base, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, base: base, user: user}
	b.o = sandbox.Options{
		Workspace: b.folder("codebuild"), Home: b.folder("home"), Tmp: b.folder("tmp"), VarTmp: b.folder("var-tmp"),
		Hosts: b.file("hosts", "127.0.1.1 "+sandbox.Hostname+"\n"),
		Root:  user == 0,
	}
	if b.o.Root {
		b.o.Hide = sandbox.RootOnly(nil)
	}
	b.folder("codebuild/readonly")
	b.file("codebuild/readonly/buildspec.yml", "version: 0.2\n")
	return b
}

// folder makes a folder on the host that belongs to the user.
func (b *box) folder(name string) string {
	b.t.Helper()
	path := filepath.Join(b.base, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.own(b.base)
	b.own(path)
	return path
}

// file makes a file on the host that belongs to the user.
func (b *box) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.base, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.own(path)
	return path
}

func (b *box) own(path string) {
	b.t.Helper()
	if b.user == os.Geteuid() {
		return
	}
	if err := os.Chown(path, b.user, b.user); err != nil {
		b.t.Fatal(err)
	}
}

// command returns bubblewrap with these options.
func (b *box) command(args ...string) *exec.Cmd {
	cmd := exec.Command(bubblewrap(b.t), args...)
	cmd.Dir = "/"
	cmd.Env = []string{} // as package shell does: what is in it could be read from inside
	if b.user != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(b.user), Gid: uint32(b.user)}}
	}
	return cmd
}

// run returns what a shell script writes in the sandbox.
func (b *box) run(script string) string {
	b.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	cmd := b.command("--args", "3", "--", "/bin/sh", "-c", script)
	cmd.ExtraFiles = []*os.File{r}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	r.Close()
	if _, err := w.WriteString(strings.Join(sandbox.Args(b.o), "\x00") + "\x00"); err != nil {
		b.t.Error(err)
	}
	w.Close()
	if err := cmd.Wait(); err != nil {
		b.t.Fatalf("the script ends with %v:\n%s", err, out.String())
	}
	return out.String()
}

// holds fails the test for every line that is not a true condition inside.
func (b *box) holds(conditions string) {
	b.t.Helper()
	script := "exec 2>&1\n"
	for line := range strings.Lines(conditions) {
		if line = strings.TrimSpace(line); line != "" {
			script += "( " + line + " ) >/dev/null || echo 'not so: " + strings.ReplaceAll(line, "'", `'\''`) + "'\n"
		}
	}
	if out := b.run(script + ":\n"); strings.Contains(out, "not so: ") {
		b.t.Error("inside the sandbox\n" + out)
	}
}

func bubblewrap(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("bwrap")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("bubblewrap is not installed")
		}
		t.Skip("bubblewrap is not installed")
	}
	return path
}

// asEach runs a test as this user and, if this is root, also as another one.
func asEach(t *testing.T, test func(t *testing.T, b *box)) {
	users := map[string]int{"as the tests' user": os.Geteuid()}
	if os.Geteuid() == 0 {
		users = map[string]int{"as root": 0, "as nobody": nobody}
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, user)
			if user != 0 {
				probe := b.command("--unshare-user", "--ro-bind", "/", "/", "true")
				if out, err := probe.CombinedOutput(); err != nil {
					t.Skipf("this machine gives user %d no user namespace: %s", user, out)
				}
			}
			test(t, b)
		})
	}
}

func TestWhatIsSeenOfTheHost(t *testing.T) {
	asEach(t, func(t *testing.T, b *box) {
		allowed := []string{
			"bin", "etc", "gnu", "lib", "lib32", "lib64", "libexec", "libx32", "nix", "opt", "sbin", "srv", "usr", "var", // tools
			"codebuild", "dev", "proc", "root", "run", "tmp",
		}
		for name := range strings.FieldsSeq(b.run("ls -A /")) {
			if !slices.Contains(allowed, name) {
				t.Errorf("/%s is there", name)
			}
		}
		b.holds(`
[ -x /bin/sh ] && [ -d /usr/bin ] && [ -r /etc/passwd ]
[ -z "$(ls -A /root)" ] && [ -z "$(ls -A /tmp)" ] && [ -z "$(ls -A /var/tmp)" ]
! find /run -type f | grep -v resolv.conf
! find /run/ /var/run/ -type s | grep .
[ ! -e /home ] && [ ! -e /mnt ] && [ ! -e /boot ] && [ ! -e /sys ] && [ ! -e ` + b.base + ` ]
! cat /etc/shadow
! cat /etc/gshadow
! cat /proc/1/root/etc/shadow
[ -r /etc/resolv.conf ] || [ ! -e /etc/resolv.conf ]
grep ` + sandbox.Hostname + ` /etc/hosts
! find /dev -type b | grep .
`)
		if _, err := os.Stat("/etc/resolv.conf"); err == nil {
			b.holds(`cat /etc/resolv.conf`)
		}
	})
}

func TestWhatCanBeWritten(t *testing.T) {
	asEach(t, func(t *testing.T, b *box) {
		b.file("tmp/of the build's", "")
		b.holds(`
[ "$(pwd)" = /codebuild ]
echo x > /codebuild/file && mkdir /codebuild/folder && echo x > /codebuild/folder/file
echo x > /root/file && echo x > /tmp/file && echo x > /var/tmp/file && echo x > /dev/null
[ -e "/tmp/of the build's" ]
cat /codebuild/readonly/buildspec.yml
! touch /codebuild/readonly/file
! touch /codebuild/readonly/buildspec.yml
! rm -f /codebuild/readonly/buildspec.yml
! mv /codebuild/readonly /codebuild/elsewhere
! rmdir /codebuild/readonly
! touch /usr/file
! touch /usr/bin/file
! touch /etc/file
! touch /etc/hosts
! touch /var/file
! chmod 777 /etc/passwd
! ln /etc/passwd /tmp/passwd
! mount -o remount,rw /usr
! mount -t tmpfs none /usr
! umount /etc/hosts
! mknod /tmp/device b 8 0
! mknod /tmp/device c 1 1
[ -e /proc/sys/kernel/core_pattern ] && [ ! -w /proc/sys/kernel/core_pattern ]
[ ! -w /proc/sysrq-trigger ]
`)
		if b.user == 0 {
			b.holds(`! find /proc/sys /proc/irq /proc/bus /proc/fs /proc/acpi /proc/scsi -type f -writable 2>/dev/null | grep .`)
		}
		for name, text := range map[string]string{
			"codebuild/file": "x\n", "codebuild/folder/file": "x\n", "home/file": "x\n", "tmp/file": "x\n", "var-tmp/file": "x\n",
			"codebuild/readonly/buildspec.yml": "version: 0.2\n",
		} {
			if got, err := os.ReadFile(filepath.Join(b.base, name)); string(got) != text {
				t.Errorf("%s holds %q, %v, want %q", name, got, err, text)
			}
		}
	})
}

func TestASandboxHasProcessesAndANameOfItsOwn(t *testing.T) {
	asEach(t, func(t *testing.T, b *box) {
		b.holds(`
[ "$(cat /proc/sys/kernel/hostname)" = ` + sandbox.Hostname + ` ]
[ "$(ls /proc | grep -c '^[0-9]')" -lt 10 ]
[ -z "$(tr '\0' '\n' < /proc/1/environ)" ]
[ "$(env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=)" = "" ]
! cat /proc/*/cmdline | grep -a '` + b.base[:1] + "[" + b.base[1:2] + "]" + b.base[2:] + `'
`)
		out := b.run(`for n in pid ipc uts mnt; do readlink /proc/self/ns/$n; done; cut -d' ' -f6 /proc/$$/stat; id -u`)
		lines := strings.Fields(out)
		if len(lines) != 6 {
			t.Fatalf("the script says %q", out)
		}
		for i, n := range []string{"pid", "ipc", "uts", "mnt"} {
			if ours, err := os.Readlink("/proc/self/ns/" + n); err != nil || lines[i] == ours {
				t.Errorf("the sandbox has the %s namespace of this process, %s, %v", n, ours, err)
			}
		}
		if lines[4] == "0" {
			t.Error("the sandbox is in the agent's session")
		}
		if want := map[bool]string{true: "0", false: "65534"}[b.user == 0]; b.user != os.Geteuid() && lines[5] != want {
			t.Errorf("the user's number is %s, want %s", lines[5], want)
		}
	})
}

// The server's data folder may lie anywhere, and be named in many ways.
func TestHide(t *testing.T) {
	asEach(t, func(t *testing.T, b *box) {
		for _, name := range []string{"shown", "shown/data", "shown/data/keys", "shown/data/builds", "shown/other"} {
			b.folder(name)
			b.file(name+"/canary", name)
		}
		shown := filepath.Join(b.base, "shown")
		data := filepath.Join(shown, "data")
		link := filepath.Join(b.base, "link")
		if err := os.Symlink("shown", link); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			readOnly, hide, conditions string // $S is shown, $L a link to it
		}{
			"nothing":                            {"$S", "", `[ -e $S/canary ] && [ -e $S/data/canary ] && ! touch $S/canary`},
			"a folder":                           {"$S", "$S/data", `[ -e $S/other/canary ] && [ -z "$(ls -A $S/data)" ]`},
			"a folder, which cannot be written":  {"$S", "$S/data", `! touch $S/data/file`},
			"a folder, which cannot be removed":  {"$S", "$S/data", `! umount $S/data && ! unshare -Um umount $S/data && ! unshare -Urm umount $S/data`},
			"a folder by a link":                 {"$S", "$L/data", `[ -e $S/other/canary ] && [ -z "$(ls -A $S/data)" ]`},
			"where a link shows it":              {"$L", "$S/data", `[ -e $L/other/canary ] && [ -z "$(ls -A $L/data)" ] && [ ! -e $S/canary ]`},
			"where two places show it":           {"$S $L", "$S/data", `[ -z "$(ls -A $L/data)" ] && [ -z "$(ls -A $S/data)" ] && [ -e $L/canary ] && [ -e $S/canary ]`},
			"all that is shown":                  {"$S", "$S", `[ ! -e $S/canary ] && [ ! -e $S/data ]`},
			"what contains all that is shown":    {"$S/data", "$S", `[ ! -e $S/data ]`},
			"a single file":                      {"$S", "$S/data/canary", `! grep data $S/data/canary && [ -e $S/data/keys/canary ]`},
			"two folders":                        {"$S", "$S/data/keys $S/other", `[ -z "$(ls -A $S/data/keys)" ] && [ -z "$(ls -A $S/other)" ] && [ -e $S/data/canary ]`},
			"a folder and one in it":             {"$S", "$S/data $S/data/keys", `[ -z "$(ls -A $S/data)" ] && [ -e $S/other/canary ]`},
			"a folder and a file in it":          {"$S", "$S/data $S/data/canary", `[ -z "$(ls -A $S/data)" ] && [ -e $S/other/canary ]`},
			"a folder and the one that it is in": {"$S", "$S/data/keys $S/data", `[ -z "$(ls -A $S/data)" ] && [ -e $S/other/canary ]`},
			"a folder twice":                     {"$S", "$S/data $L/data $S/data", `[ -z "$(ls -A $S/data)" ] && [ -e $S/other/canary ]`},
			"what is not there":                  {"$S", "$S/no/such/folder", `[ -e $S/data/canary ]`},
			"what is not shown":                  {"", "$S", `[ ! -e $S/canary ]`},
			"a path shown that is not there":     {"$S/no/such/folder", "", `[ ! -e $S/canary ]`},
		} {
			t.Run(name, func(t *testing.T) {
				names := strings.NewReplacer("$S", shown, "$L", link)
				b := *b
				b.t = t
				b.o.ReadOnly, b.o.Hide = strings.Fields(names.Replace(c.readOnly)), strings.Fields(names.Replace(c.hide))
				b.holds(names.Replace(c.conditions))
			})
		}
		if got, err := os.ReadFile(filepath.Join(data, "canary")); string(got) != "shown/data" {
			t.Errorf("the host's file holds %q, %v", got, err)
		}
	})
}

func TestHideBelowATopLevelFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder in one that every sandbox shows")
	}
	dir, err := os.MkdirTemp("/opt", "sandbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "canary"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBox(t, 0)
	b.holds(`[ -e ` + dir + `/canary ]`)
	b.o.Hide = []string{dir}
	b.holds(`[ ! -e ` + dir + `/canary ]`)
}

// Builds install packages and change owners, as in a container.
func TestWhatRootMayDo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is not root")
	}
	b := newBox(t, 0)
	b.holds(`
touch /codebuild/file && chown 1234:1234 /codebuild/file && chmod 600 /codebuild/file && cat /codebuild/file
[ "$(grep ^CapEff /proc/self/status)" = "$(grep ^CapPrm /proc/self/status | sed s/CapPrm/CapEff/)" ]
! chroot / mount -t proc none /proc
! dmesg
! cat /dev/kmsg
! unshare -m true
`)
}

func TestAHostTableOfTheHosts(t *testing.T) {
	asEach(t, func(t *testing.T, b *box) {
		b.o.Hosts = ""
		want, err := os.ReadFile("/etc/hosts")
		if err != nil {
			t.Skip("this machine has no host table")
		}
		if got := b.run("cat /etc/hosts"); got != string(want) {
			t.Errorf("the host table is %q, want %q", got, want)
		}
	})
}

func TestWhatOnlyRootMayRead(t *testing.T) {
	all := sandbox.RootOnly(nil)
	if !slices.Contains(all, "/etc/shadow") {
		t.Errorf("the machine's passwords are not among %q", all)
	}
	for _, path := range all {
		if fi, err := os.Lstat(path); err != nil || fi.Mode()&0o004 != 0 && fi.Mode()&0o001 != 0 {
			t.Errorf("%s is open to all: %v, %v", path, fi.Mode(), err)
		}
	}
	if most := sandbox.RootOnly([]string{"/etc/shadow"}); slices.Contains(most, "/etc/shadow") || len(most) != len(all)-1 {
		t.Errorf("RootOnly does not leave out what it is told to: %q", most)
	}
}

// What a service keeps for itself lies deeper than its folder.
func TestWhatAServiceKeepsForItself(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder in one that every sandbox shows")
	}
	service, err := os.MkdirTemp("/var/lib", "slipway-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(service) })
	data := filepath.Join(service, "15/main")
	if err := errors.Join(os.Chmod(service, 0o755), os.Mkdir(filepath.Dir(data), 0o755), os.Mkdir(data, 0o700),
		os.WriteFile(filepath.Join(data, "table"), []byte("rows"), 0o600),
		os.WriteFile(filepath.Join(service, "password"), []byte("hush"), 0o640),
		os.WriteFile(filepath.Join(service, "lock"), nil, 0o640)); err != nil {
		t.Fatal(err)
	}
	var below []string
	for _, path := range sandbox.RootOnly(nil) {
		if strings.HasPrefix(path, service) {
			below = append(below, strings.TrimPrefix(path, service))
		}
	}
	if want := []string{"/15/main", "/password"}; !slices.Equal(below, want) {
		t.Errorf("RootOnly has %q of the service, want %q", below, want)
	}
	b := newBox(t, 0) // which hides what RootOnly finds
	b.holds("! cat " + data + "/table\n! grep . " + service + "/password\n[ -z \"$(ls " + data + ")\" ]")
}
