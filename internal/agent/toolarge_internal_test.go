package agent

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What shells save is read back: sizes are those of the values that went in.
func TestSizesOfSavedVariables(t *testing.T) {
	values := map[string]string{
		"PLAIN": "value", "EMPTY": "", "QUOTES": `it's "so" \n $x`, "LINES": "one\n\nexport X=1\ndeclare -x Y=\"2\n", "TAB": "a\tb\x01c", "LONG": strings.Repeat("x", 1000),
	}
	want := map[string]int{}
	env := []string{}
	for name, value := range values {
		want[name] = len(name) + 1 + len(value)
		env = append(env, name+"="+value)
	}
	for _, shell := range [][]string{{"dash", "-c", "export -p"}, {"bash", "-c", "export -p"}, {"busybox", "sh", "-c", "export -p"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			t.Logf("no %s here", shell[0])
			continue
		}
		cmd := exec.Command(shell[0], shell[1:]...)
		cmd.Env = env
		saved, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		got := sizesOf(string(saved))
		for _, name := range []string{"PATH", "PWD", "OLDPWD", "SHLVL"} { // the shell's own
			delete(got, name)
		}
		if shell[0] == "bash" { // which writes a control character as three digits
			got["TAB"] -= 2
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s\n%s", shell[0], d, saved)
		}
	}
	e := &environment{values: values}
	for name := range values {
		e.names = append(e.names, name)
	}
	if d := cmp.Diff(want, sizesOf(e.script())); d != "" {
		t.Error("our own (-want +got)\n", d)
	}
}

func FuzzSizesOf(f *testing.F) {
	f.Add("export A='1'\ndeclare -x B=\"2\\\"\"\ndeclare -x C\nexport D=$'\\n'\n")
	f.Fuzz(func(t *testing.T, saved string) {
		for name, size := range sizesOf(saved) {
			if !shellName().MatchString(name) || size <= len(name) && !strings.Contains(saved, name) || size > len(saved)+len(name)+1 {
				t.Errorf("%q has %d bytes", name, size)
			}
		}
	})
}
