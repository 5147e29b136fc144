package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"slipway/internal/seal"
)

// place returns a key file that is not there yet, as path and URI.
func place(t *testing.T) (path, uri string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key.json")
	return path, "file://" + path
}

func create(t *testing.T, uri string) *seal.Keyset {
	t.Helper()
	k, err := seal.Create(uri)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func reopen(t *testing.T, uri string) *seal.Keyset {
	t.Helper()
	k, err := seal.Open(uri)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// opens tells that k opens what is in box.
func opens(t *testing.T, k *seal.Keyset, box []byte, want string) {
	t.Helper()
	if got, err := k.Open(box, owner); err != nil || string(got) != want {
		t.Errorf("Open = %q, %v, want %q", got, err, want)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAKeyOutlivesItsProcess(t *testing.T) {
	_, uri := place(t)
	k := create(t, uri)
	box := sealed(t, k, "hunter2")
	again := reopen(t, uri)
	opens(t, again, box, "hunter2")
	opens(t, k, sealed(t, again, "sealed later"), "sealed later")
	if k.KeyID() != again.KeyID() {
		t.Errorf("the key's id was %s and is %s", k.KeyID(), again.KeyID())
	}
}

func TestOnlyTheOwnerReachesAKeyFile(t *testing.T) {
	path, uri := place(t)
	create(t, uri)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != 0o600 {
		t.Errorf("the mode of a new key file is %v, want %v", got, fs.FileMode(0o600))
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the key file there are %v, %v", entries, err)
	}
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		reopen(t, uri)
	}
	for _, mode := range []fs.FileMode{0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("key file %s may be used by others (mode %04o): run chmod 600 %s", path, mode, path)
		if k, err := seal.Open(uri); k != nil || err == nil || err.Error() != want {
			t.Errorf("Open = %v, %v, want %s", k, err, want)
		}
		if k, created, err := seal.OpenOrCreate(uri, true); k != nil || created || err == nil || err.Error() != want {
			t.Errorf("OpenOrCreate = %v, %t, %v, want %s", k, created, err, want)
		}
	}
}

func TestCreateTouchesNothingThatIsThere(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a key file":    func(path string) error { _, err := seal.Create("file://" + path); return err },
		"any file":      func(path string) error { return os.WriteFile(path, []byte("notes"), 0o644) },
		"an empty file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a lost link":   func(path string) error { return os.Symlink("nowhere", path) },
		"a folder":      func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			path, uri := place(t)
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := os.ReadFile(path) // some cannot be read
			if k, err := seal.Create(uri); k != nil || !errors.Is(err, fs.ErrExist) {
				t.Errorf("Create = %v, %v, want fs.ErrExist", k, err)
			}
			after, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if now, _ := os.ReadFile(path); !os.SameFile(before, after) || before.Mode() != after.Mode() || !bytes.Equal(text, now) {
				t.Errorf("what was there is %v with %q, want %v with %q", after.Mode(), now, before.Mode(), text)
			}
			if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
				t.Errorf("beside it there are %v, %v", entries, err)
			}
		})
	}
}

func TestAMissingKeyIsMadeOnlyWhereThatIsAllowed(t *testing.T) {
	path, uri := place(t)
	for name, open := range map[string]func() (*seal.Keyset, error){
		"Open":         func() (*seal.Keyset, error) { return seal.Open(uri) },
		"OpenOrCreate": func() (*seal.Keyset, error) { k, _, err := seal.OpenOrCreate(uri, false); return k, err },
	} {
		if k, err := open(); k != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s = %v, %v, want fs.ErrNotExist", name, k, err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("there is a key file now: %v", err)
	}
	k, created, err := seal.OpenOrCreate(uri, true)
	if err != nil || !created {
		t.Fatalf("OpenOrCreate = %v, %t, %v, want a new key", k, created, err)
	}
	for _, mayCreate := range []bool{true, false} {
		again, created, err := seal.OpenOrCreate(uri, mayCreate)
		if err != nil || created || again.KeyID() != k.KeyID() {
			t.Errorf("OpenOrCreate = %v, %t, %v, want %v", again, created, err, k)
		}
	}
}

func TestAFolderThatIsMissingIsNotMade(t *testing.T) {
	uri := "file://" + filepath.Join(t.TempDir(), "missing", "key.json")
	if k, created, err := seal.OpenOrCreate(uri, true); k != nil || created || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenOrCreate = %v, %t, %v, want fs.ErrNotExist", k, created, err)
	}
}

func TestProcessesThatStartTogetherShareOneKey(t *testing.T) {
	_, uri := place(t)
	var (
		g    sync.WaitGroup
		mu   sync.Mutex
		ids  = map[string]int{}
		made int
	)
	for range 8 {
		g.Go(func() {
			k, created, err := seal.OpenOrCreate(uri, true)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[k.KeyID()]++
			if created {
				made++
			}
		})
	}
	g.Wait()
	if len(ids) != 1 || made != 1 {
		t.Errorf("%d keys were made, and these are in use: %v", made, ids)
	}
}

func TestAFileThatIsNoKeysetIsRefused(t *testing.T) {
	path, uri := place(t)
	create(t, uri)
	good := content(t, path)
	key := keyIn(t, good)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "it is not a Tink keyset in JSON"},
		{"cut", good[:len(good)/2], "it is not a Tink keyset in JSON"},
		{"an empty object", "{}", "it is not a Tink keyset in JSON"},
		{"another document", `{"password": "` + key + `"}`, "it is not a Tink keyset in JSON"},
		{"not JSON", key, "it is not a Tink keyset in JSON"},
		{"without its primary key", strings.Replace(good, `"primaryKeyId":`, `"primaryKeyId":1`, 1), "it is not a Tink keyset in JSON"},
		{"with a short key", strings.Replace(good, key, base64.StdEncoding.EncodeToString([]byte("short")), 1), "it is not a Tink keyset in JSON"},
		{"of an unknown type", strings.Replace(good, "AesGcmKey", "AesXyzKey", 1), "the keyset has no key to seal with (AEAD)"},
		{"too large", strings.Repeat(" ", 1<<20) + good, "it is not a Tink keyset in JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			k, err := seal.Open(uri)
			if want := "read key file " + path + ": " + c.want; k != nil || err == nil || err.Error() != want {
				t.Errorf("Open = %v, %v, want %s", k, err, want)
			}
			if k, created, err := seal.OpenOrCreate(uri, true); k != nil || created || err == nil {
				t.Errorf("OpenOrCreate = %v, %t, %v, want an error", k, created, err)
			}
			if content(t, path) != c.text {
				t.Error("the file was changed")
			}
		})
	}
}

// keyIn returns the key in a key file's text, in base64.
func keyIn(t *testing.T, text string) string {
	t.Helper()
	var file struct {
		Key []struct {
			KeyData struct{ Value string }
		}
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil || len(file.Key) != 1 || file.Key[0].KeyData.Value == "" {
		t.Fatalf("the key file is %s, %v", text, err)
	}
	return file.Key[0].KeyData.Value
}

func TestALogHoldsNoKey(t *testing.T) {
	path, uri := place(t)
	k := create(t, uri)
	key := keyIn(t, content(t, path))
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("sealed", "key", k, "in", struct{ Keys *seal.Keyset }{k})
	}
	fmt.Fprintf(&out, "%v %+v %#v", struct{ keys *seal.Keyset }{k}, []any{k}, map[string]any{"k": k})
	for _, form := range []string{key, string(raw), fmt.Sprintf("%x", raw[2:]), strings.Trim(fmt.Sprint(raw[2:]), "[]")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the key is in %s", &out)
		}
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) }, // nobody ever writes into it
	} {
		t.Run(name, func(t *testing.T) {
			path, uri := place(t)
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			want := "key file " + path + " is not a regular file"
			if k, err := seal.Open(uri); k != nil || err == nil || err.Error() != want {
				t.Errorf("Open = %v, %v, want %s", k, err, want)
			}
		})
	}
}

// keysetFile writes the keyset that m holds to a new file and returns its URI.
func keysetFile(t *testing.T, m *keyset.Manager) string {
	t.Helper()
	h, err := m.Handle()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		t.Fatal(err)
	}
	path, uri := place(t)
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return uri
}

func TestAKeysetOpensWhatAnyOfItsKeysSealed(t *testing.T) {
	m := keyset.NewManager()
	add := func() uint32 {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.SetPrimary(id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	add()
	before := reopen(t, keysetFile(t, m))
	box := sealed(t, before, "sealed before")
	second := add()
	after := reopen(t, keysetFile(t, m))
	if got, want := after.KeyID(), fmt.Sprint(second); got != want {
		t.Errorf("the key that seals is %s, want %s", got, want)
	}
	opens(t, after, box, "sealed before")
	opens(t, after, sealed(t, after, "sealed after"), "sealed after")
	_, err := before.Open(sealed(t, after, "x"), owner)
	if want := fmt.Sprintf("sealed with key %d", second); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the keyset without the new key says %v, want %q in it", err, want)
	}
}

func TestAKeysetForAnotherPurposeIsRefused(t *testing.T) {
	m := keyset.NewManager()
	id, err := m.Add(mac.HMACSHA256Tag128KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	k, err := seal.Open(keysetFile(t, m))
	if k != nil || err == nil || !strings.HasSuffix(err.Error(), "the keyset has no key to seal with (AEAD)") {
		t.Errorf("Open = %v, %v, want an error", k, err)
	}
}

func TestHowAKeyIsNamed(t *testing.T) {
	const (
		uriWanted  = "the key must be named by a URI such as file:///var/lib/slipway/key.json"
		pathWanted = "a key file must be named by an absolute path, as in file:///path/key.json"
	)
	path, uri := place(t)
	k := create(t, uri)
	for _, good := range []string{uri, "file:" + path, "file://localhost" + path, "FILE://" + path, "file://" + filepath.Dir(path) + "/./key%2Ejson"} {
		if got := reopen(t, good).KeyID(); got != k.KeyID() {
			t.Errorf("Open(%s) has key %s, want %s", good, got, k.KeyID())
		}
	}
	for uri, want := range map[string]string{
		"":                               uriWanted,
		path:                             uriWanted,
		"key.json":                       uriWanted,
		"://hunter2":                     uriWanted,
		"file://%zz/hunter2":             uriWanted,
		"file:key.json":                  pathWanted,
		"file://key.json":                pathWanted,
		"file://hunter2" + path:          pathWanted,
		"file://":                        pathWanted,
		uri + "?password=hunter2":        pathWanted,
		uri + "#hunter2":                 pathWanted,
		"aws-kms://user:hunter2@kms/key": "keys at aws-kms: are not supported; use file:///path/key.json",
		"vault:hunter2":                  "keys at vault: are not supported; use file:///path/key.json",
	} {
		for name, open := range map[string]func(string) (*seal.Keyset, error){"Open": seal.Open, "Create": seal.Create} {
			if k, err := open(uri); k != nil || err == nil || err.Error() != want {
				t.Errorf("%s(%q) = %v, %v, want %s", name, uri, k, err, want)
			}
		}
	}
}
