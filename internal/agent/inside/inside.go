// Package inside has what a build's agent does in the place where user code
// runs: reading and writing files with the paths, the links and the rights that
// user code has.
//
// The agent proper may be root on a machine of others, so it follows no path
// that user code made. It starts itself once more in the place instead, with a
// request in one file, and reads the answer from another.
package inside

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A duty does one thing: it reads a request, a JSON value, and returns what is
// to be answered. Its error is for the user who wrote the build.
type duty func(request []byte) (any, error)

// duties are all that can be asked for.
var duties = map[string]duty{
	Artifacts:   artifacts,
	Discover:    discover,
	GitConfig:   gitConfig,
	Ping:        func(request []byte) (any, error) { return json.RawMessage(request), nil },
	PackCache:   packCache,
	Report:      reports,
	Runtimes:    readRuntimes,
	UnpackCache: unpackCache,
	User:        findUser,
}

// Ping answers with the request itself.
const Ping = "ping"

// Most of a request and of an answer, in bytes.
const (
	MaxRequest = 4 << 20
	MaxAnswer  = 64 << 20
)

// An Answer is what a duty came to: a value or a problem.
type Answer struct {
	Value   json.RawMessage `json:"value,omitzero"`
	Problem string          `json:"problem,omitzero"`
}

// Main carries out a duty: args are its name and the paths of the request and
// of the file to answer in. It returns the exit status.
func Main(args []string, stderr io.Writer) int {
	if len(args) != 3 || duties[args[0]] == nil {
		fmt.Fprintln(stderr, "usage: the agent starts this itself")
		return 2
	}
	if err := run(duties[args[0]], args[1], args[2]); err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return 1
	}
	return 0
}

func run(do duty, requestFile, answerFile string) error {
	in, err := os.Open(requestFile)
	if err != nil {
		return err
	}
	request, err := io.ReadAll(io.LimitReader(in, MaxRequest+1))
	in.Close()
	switch {
	case err != nil:
		return err
	case len(request) > MaxRequest:
		return errors.New("the request is too long")
	}
	var a Answer
	value, err := do(request)
	if err == nil {
		a.Value, err = json.Marshal(value)
	}
	if err != nil {
		a = Answer{Problem: err.Error()}
	}
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := os.WriteFile(answerFile, text, 0o600); err != nil {
		return err
	}
	return giveBack(requestFile)
}

// giveBack gives what root made beside the request to whom the request belongs:
// the agent outside may not be root, and is to read it.
func giveBack(requestFile string) error {
	var asked unix.Stat_t
	if err := unix.Lstat(requestFile, &asked); err != nil || os.Geteuid() != 0 || asked.Uid == 0 {
		return err
	}
	dir := filepath.Dir(requestFile)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var st unix.Stat_t
		path := filepath.Join(dir, e.Name())
		if unix.Lstat(path, &st) == nil && st.Uid == 0 && e.Type().IsRegular() {
			if err := os.Lchown(path, int(asked.Uid), int(asked.Gid)); err != nil {
				return err
			}
		}
	}
	return nil
}
