package inside

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"slipway/internal/agent/runtimes"
)

// Runtimes reads what the place's image says that it can set up: the first of
// the files whose paths are asked for.
const Runtimes = "runtimes"

// A RuntimesAnswer is that file. Path is empty if there is none.
type RuntimesAnswer struct {
	Path string `json:"path,omitzero"`
	Text []byte `json:"text,omitzero"`
}

func readRuntimes(request []byte) (any, error) {
	var paths []string
	if err := json.Unmarshal(request, &paths); err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file", path)
		}
		text, err := io.ReadAll(io.LimitReader(f, runtimes.MaxSize+1))
		return RuntimesAnswer{Path: path, Text: text}, err
	}
	return RuntimesAnswer{}, nil
}
