package shell_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/proctree"
	"slipway/internal/agent/shell"
)

func TestEveryExitStatus(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		for want := range 256 {
			if got, err := p.run("exit " + strconv.Itoa(want)); got != want || err != nil {
				t.Fatalf("exit %d: Run = %d, %v", want, got, err)
			}
		}
	})
}

func TestWhatAScriptMayDo(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		for _, c := range []struct {
			name, script string
			want         int
		}{
			{"nothing", "", 0},
			{"fail", "false", 1},
			{"name a tool that is not there", "no-such-tool", 127},
			{"break the syntax", "if", 2},
			{"be killed", "kill -9 $$", 128 + 9},
			{"be asked to end", "kill $$", 128 + 15},
			{"be interrupted", "kill -INT $$", 128 + 2},
			{"crash", "kill -SEGV $$", 128 + 11},
			{"have a child that is killed", `sh -c 'kill -9 $$'`, 128 + 9},
			{"become another program", "exec sh -c 'exit 7'", 7},
			{"close what it was given", "exec 0<&- 1>&- 2>&-; exit 8", 8},
			{"close everything", "for n in 0 1 2 3 4 5 6 7 8 9; do eval \"exec $n>&-\"; done; exit 9", 9},
			{"ask its whole group to end", "kill 0; sleep 1000", 128 + 15},
			{"interrupt its whole group", "kill -INT 0; sleep 1000", 128 + 2},
			{"hang up on its whole group", "kill -HUP 0; sleep 1000", 128 + 1},
			{"alarm its whole group", "kill -ALRM 0; sleep 1000", 128 + 14},
			{"signal its whole group", "kill -USR1 0; sleep 1000", 128 + 10},
			{"signal the driver", "kill $PPID; kill -INT $PPID; kill -USR2 $PPID; exit 3", 3},
			{"leave a child behind", "sleep 1000 >/dev/null 2>&1 & exit 4", 4},
			{"leave a child that holds its output", "sleep 1000 & exit 5", 5},
			{"be gone", "rm \"$0\"; exit 6", 6},
			{"change the traps", "trap 'exit 44' EXIT; exit 1", 44},
		} {
			if got, err := p.run(c.script); got != c.want || err != nil {
				t.Fatalf("a script may %s: Run = %d, %v, want %d", c.name, got, err, c.want)
			}
		}
	})
}

// A signal may come at any moment, also while the driver waits for the next
// script.
func TestAPlaceOutlivesSignalsBetweenScripts(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		for _, signal := range []string{"TERM", "INT", "HUP", "QUIT", "ALRM", "USR1", "USR2"} {
			p.between("kill -" + signal + " 0")
			if status, err := p.run("exit 3"); status != 3 || err != nil {
				t.Fatalf("after a signal %s Run = %d, %v, want 3", signal, status, err)
			}
		}
	})
}

func TestAScriptReadsNothing(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		p.succeed(`cat; [ "$(wc -c)" -eq 0 ]; read line && exit 9; readlink /proc/self/fd/0`)
		if got := p.line(); got != "/dev/null" {
			t.Errorf("its input is %q", got)
		}
	})
}

func TestAScriptInheritsNoPipeOfTheDriver(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		// ls itself opens the directory.
		p.succeed(`ls /proc/self/fd | tr '\n' ' '; echo; (echo 1 0 >&3) 2>/dev/null && exit 9; [ /proc/self/fd/1 -ef /proc/self/fd/2 ]`)
		if got := p.line(); got != "0 1 2 3 " {
			t.Errorf("it has the files %q", got)
		}
	})
}

func TestNothingOfTheAgentsEnvironmentGetsIn(t *testing.T) {
	t.Setenv("AGENTS_OWN", "variable")
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		p.succeed(`cat /proc/self/environ | tr '\0' '\n' | grep -v ^PWD=; cat /proc/$PPID/environ | tr '\0' '\n' | grep -v ^PWD=; :`)
		want := ""
		if wrapper == container {
			want = "PATH=/usr/bin:/bin\nPATH=/usr/bin:/bin\n" // the image's
		}
		if got := p.rest(); got != want {
			t.Errorf("the environment holds %q", got)
		}
	})
	t.Run("plain, with no environment given", func(t *testing.T) {
		p := plain(t, t.TempDir(), nil)
		p.succeed(`cat /proc/self/environ | tr '\0' '\n' | grep -v ^PWD=; :`)
		if got := p.rest(); got != "" {
			t.Errorf("the environment holds %q", got)
		}
	})
}

func TestThePlainPlaceStartsWhereItIsTold(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := plain(t, dir, []string{"NAME=value"})
	p.succeed(`echo "$NAME in $(pwd)"`)
	if got, want := p.line(), "value in "+dir; got != want {
		t.Errorf("the script runs with %q, want %q", got, want)
	}
}

func TestBothOutputsKeepTheirOrder(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		p.succeed(`echo 1; echo 2 >&2; echo 3; no-such-tool; echo 5`)
		got := strings.Split(strings.TrimSpace(p.rest()), "\n")
		if len(got) != 5 || got[0] != "1" || got[1] != "2" || got[2] != "3" || !strings.Contains(got[3], "no-such-tool") || got[4] != "5" {
			t.Errorf("the output is %q", got)
		}
	})
}

func TestAScriptThatKillsTheDriver(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		if status, err := p.run("(setsid sleep 1000 &); kill -9 $PPID; sleep 1000"); !errors.Is(err, shell.ErrDead) {
			t.Errorf("Run = %d, %v, want %v", status, err, shell.ErrDead)
		}
		if status, err := p.run("true"); !errors.Is(err, shell.ErrDead) {
			t.Errorf("another Run = %d, %v, want %v", status, err, shell.ErrDead)
		}
		p.rest()
	})
}

// An answer that somebody else writes may be taken for the next script's, which
// is the user's own loss, and no other is taken after it.
func TestForgedAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		forge string // the answer, as an argument of printf
		taken bool   // as that of the next script
	}{
		"the right one":             {`2 0\n`, true},
		"of another script":         {`3 0\n`, false},
		"of no number":              {`x 0\n`, false},
		"of a status that is none":  {`2 256\n`, false},
		"of a negative status":      {`2 -1\n`, false},
		"of no status":              {`2\n`, false},
		"an empty line":             {`\n`, false},
		"of half a line":            {`2 `, false},
		"with a NUL":                {`2 \000\n`, false},
		"longer than any answer is": {`%0100d`, false},
		"ready":                     {`ready\n`, false},
	} {
		t.Run(name, func(t *testing.T) {
			inEach(t, func(t *testing.T, wrapper string) {
				p := begin(t, wrapper)
				p.between("printf '" + c.forge + "' > /proc/$PPID/fd/3")
				status, err := p.run("exit 5")
				if c.taken {
					if status != 0 || err != nil {
						t.Errorf("Run = %d, %v", status, err)
					}
					status, err = p.run("exit 6")
				}
				if !errors.Is(err, shell.ErrDead) {
					t.Errorf("Run = %d, %v, want %v", status, err, shell.ErrDead)
				}
				p.rest()
			})
		})
	}
}

func TestEndLeavesNothing(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		p := begin(t, wrapper)
		p.succeed(`trap '' TERM INT HUP
sleep 1000 & (setsid sleep 1000 &)
(setsid sh -c '(setsid sleep 1000 &)' &)
(setsid sh -c 'trap : 0 1 2 3 15; while :; do sleep 1000; done' &)
echo started`)
		if got := p.rest(); got != "started\n" {
			t.Errorf("the output is %q", got)
		}
		if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD && wrapper != container { // which is somebody else's child
			t.Errorf("a child is left: wait4 says %v", err)
		}
		p.within("another End", p.End)
		if status, err := p.run("true"); !errors.Is(err, shell.ErrDead) {
			t.Errorf("Run = %d, %v, want %v", status, err, shell.ErrDead)
		}
	})
}

func TestEndDuringARun(t *testing.T) {
	for name, end := range map[string]func(*place){
		"once": func(p *place) { p.End() },
		"by several": func(p *place) {
			done := make(chan struct{})
			for range 4 {
				go func() { p.End(); done <- struct{}{} }()
			}
			for range 4 {
				<-done
			}
		},
		"by a context": func(p *place) {
			ctx, cancel := context.WithCancel(context.Background())
			defer p.Watch(ctx)()
			cancel()
			p.End() // returns when the one that the context began does
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEach(t, func(t *testing.T, wrapper string) {
				p := begin(t, wrapper)
				script := p.script("(setsid sleep 1000 &); echo now; sleep 1000")
				ran := make(chan error)
				go func() {
					_, err := p.Run(shell.Path, script)
					ran <- err
				}()
				if got := p.line(); got != "now" {
					t.Fatalf("the output is %q", got)
				}
				p.within("End", func() { end(p) })
				p.within("Run", func() {
					if err := <-ran; !errors.Is(err, shell.ErrDead) {
						t.Errorf("Run = %v, want %v", err, shell.ErrDead)
					}
				})
				p.rest()
			})
		})
	}
}

func TestAContextThatIsNoLongerWatched(t *testing.T) {
	p := begin(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	if !p.Watch(ctx)() {
		t.Error("the context was not watched")
	}
	cancel()
	p.succeed("true")
}

func TestEndBeforeReady(t *testing.T) {
	inEach(t, func(t *testing.T, wrapper string) {
		for range 10 {
			var p *shell.Place
			var err error
			if wrapper == container {
				p, err = shell.StartFar(connect(t, t.TempDir()), "/")
			} else {
				p, err = shell.Start(wrapper, []string{"--unshare-pid", "--die-with-parent", "--ro-bind", "/", "/"}, "/", []string{})
			}
			if err != nil {
				t.Fatal(err)
			}
			p.End()
			_ = p.Output.SetReadDeadline(time.Now().Add(limit))
			if out, err := io.ReadAll(p.Output); len(out) > 0 || err != nil {
				t.Errorf("the output is %q, %v", out, err)
			}
			_ = p.Ready(limit) // whatever it says
			if _, err := p.Run(shell.Path, "/dev/null"); !errors.Is(err, shell.ErrDead) {
				t.Errorf("Run = %v, want %v", err, shell.ErrDead)
			}
			p.Output.Close()
		}
	})
}

func TestReadySaysWhyNot(t *testing.T) {
	bwrap := bubblewrap(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an option that there is not": {[]string{"--no-such-option"}, "no-such-option"},
		"a folder that there is not":  {[]string{"--ro-bind", "/no/such/folder", "/"}, "/no/such/folder: No such file or directory"},
		"no shell inside":             {[]string{"--tmpfs", "/"}, "/bin/sh: No such file or directory"},
		"an option without its value": {[]string{"--chdir"}, "--chdir"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := shell.Start(bwrap, c.args, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Output.Close()
			defer p.End()
			if err := p.Ready(limit); err == nil || !strings.HasPrefix(err.Error(), "bwrap: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Ready = %v, want bubblewrap's words about %s", err, c.want)
			}
		})
	}
}

// wrapper returns the path of a wrapper that is a shell script.
func wrapper(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wrapper")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadyWithAWrapperThatDoesNotWork(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
		limit        time.Duration
	}{
		"that says nothing":          {"exit 1", shell.ErrDead.Error(), limit},
		"that says something":        {"echo ' out of order' >&2; exit 1", "out of order", limit},
		"that says too much":         {"yes | head -n 2000 >&2; exit 1", strings.Repeat("y\n", 500)[:999], limit},
		"that never gets ready":      {"sleep 1000", "not ready after 10ms", 10 * time.Millisecond},
		"that says it is what it is": {"echo steady >&3; exit 1", shell.ErrDead.Error(), limit},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := shell.Start(wrapper(t, c.script), []string{"--option"}, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Output.Close()
			defer p.End()
			if err := p.Ready(c.limit); err == nil || err.Error() != c.want {
				t.Errorf("Ready = %q, want %q", err, c.want)
			}
		})
	}
}

// What bubblewrap says is believed only when it says it again.
func TestReadyWithAWrapperThatWorksInTheEnd(t *testing.T) {
	failures := filepath.Join(t.TempDir(), "failures")
	p, err := shell.Start(wrapper(t, "echo x >> "+failures+"\n"+`cat <&4 >/dev/null
[ "$(wc -l <`+failures+`)" -gt 3 ] || { echo something was unmounted >&2; exit 1; }
shift 3; exec "$@"`), []string{"--option"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Output.Close()
	defer p.End()
	if err := p.Ready(limit); err != nil {
		t.Fatalf("Ready = %v", err)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("echo it runs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, err := p.Run(shell.Path, script); status != 0 || err != nil {
		t.Errorf("Run = %d, %v", status, err)
	}
	p.End()
	if out, err := io.ReadAll(p.Output); string(out) != "it runs\n" || err != nil {
		t.Errorf("the output is %q, %v", out, err)
	}
}

// A wrapper that cannot even be started again is told of in its own last words.
func TestReadyWithAWrapperThatGoesAway(t *testing.T) {
	p, err := shell.Start(wrapper(t, `rm "$0"; echo out of order >&2; exit 1`), []string{"--option"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Output.Close()
	defer p.End()
	if err := p.Ready(limit); err == nil || err.Error() != "out of order" {
		t.Errorf("Ready = %v", err)
	}
}

// More options than a pipe holds, and nobody reads them.
func TestStartWithAWrapperThatReadsNoOptions(t *testing.T) {
	(&place{t: t}).within("Start", func() {
		p, err := shell.Start(wrapper(t, "echo out of order >&2; exit 1"), slices.Repeat([]string{"--ro-bind"}, 100_000), "", nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer p.Output.Close()
		defer p.End()
		if err := p.Ready(limit); err == nil || err.Error() != "out of order" {
			t.Errorf("Ready = %v", err)
		}
	})
}

func TestStartWithoutItsWrapper(t *testing.T) {
	if p, err := shell.Start("/no/such/wrapper", nil, "", nil); err == nil {
		p.End()
		t.Error("Start = nil, want an error")
	}
}

// Bubblewrap's command line can be read from inside, so its options are not there.
func TestTheOptionsCannotBeReadFromInside(t *testing.T) {
	p := begin(t, bubblewrap(t))
	p.succeed(`cat /proc/*/cmdline | tr '\0' ' '`)
	if got := p.rest(); strings.Contains(got, "bind") || strings.Contains(got, p.host) || !strings.Contains(got, "--args") {
		t.Errorf("the command lines are %q", got)
	}
}

// However an agent ends, its driver does not go on.
func TestTheDriverEndsWithTheAgent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "script.sh")
	if err := os.WriteFile(script, []byte("echo $PPID\nexec sleep 1000\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "agent", dir, script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer proctree.End(true, limit)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	driver, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(driver, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(ended, int(limit.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Errorf("the driver goes on: poll says %d, %v", n, err)
		}
		return
	}
}
