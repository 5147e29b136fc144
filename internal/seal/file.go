package seal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

// maxKeyFile bounds what is read: a keyset has some hundred bytes for each key.
const maxKeyFile = 1 << 20

// Create makes a new key at uri, file:///path/key.json, with mode 0600, and
// returns it once it is durable. If there is one already, the error is fs.ErrExist
// and the file is untouched.
func Create(uri string) (*Keyset, error) {
	path, err := filePath(uri)
	if err != nil {
		return nil, err
	}
	k, err := New()
	if err != nil {
		return nil, err
	}
	text, err := k.encode()
	if err != nil {
		return nil, err
	}
	if err := writeNew(path, text); err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return k, nil
}

// Open reads the key at uri. If there is none, the error is fs.ErrNotExist: what
// was sealed with it is then lost for ever, so no new one is made in its place.
// A file that others than its owner may use is refused.
func Open(uri string) (*Keyset, error) {
	path, err := filePath(uri)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not keep us waiting
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s may be used by others (mode %04o): run chmod 600 %s", path, mode, path)
	}
	k, err := read(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	return k, nil
}

// OpenOrCreate opens the key at uri. If there is none and mayCreate is true, it
// makes one; mayCreate must be false where anything is sealed already.
func OpenOrCreate(uri string, mayCreate bool) (k *Keyset, created bool, err error) {
	k, err = Open(uri)
	if err == nil || !mayCreate || !errors.Is(err, fs.ErrNotExist) {
		return k, false, err
	}
	k, err = Create(uri)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		k, err = Open(uri)
		return k, false, err
	}
	return k, err == nil, err
}

// filePath returns the path of a file URI. Only the scheme of others is
// repeated: the rest may hold a password.
func filePath(uri string) (string, error) {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return "", errors.New("the key must be named by a URI such as file:///var/lib/slipway/key.json")
	case u.Scheme != "file":
		return "", fmt.Errorf("keys at %s: are not supported; use file:///path/key.json", u.Scheme)
	case u.Host != "" && u.Host != "localhost" || u.Opaque != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("a key file must be named by an absolute path, as in file:///path/key.json")
	}
	return filepath.Clean(u.Path), nil
}

// writeNew writes a file that appears whole or not at all and never replaces
// one: it is written under another name and then linked.
func writeNew(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	temporary := filepath.Join(dir, ".key-"+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary), syncFolder(dir)) }()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Link(temporary, path)
}

// syncFolder makes the names in dir durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
