package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/seal"
	"slipway/internal/store"
)

// A dataFolder is where one server keeps everything: the database, the key, the
// logs, and the workspaces of running builds.
type dataFolder string

// defaultData is the folder that serve and the other commands share when no
// --data is given: $SLIPWAY_DATA, or slipway in the user's data folder.
func defaultData() string {
	if dir := os.Getenv("SLIPWAY_DATA"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "slipway")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "/var/lib/slipway"
	}
	return filepath.Join(home, ".local", "share", "slipway")
}

func (d dataFolder) file(name ...string) string {
	return filepath.Join(append([]string{string(d)}, name...)...)
}

// open makes the folder if need be and takes its lock, which is held as long as
// the returned file is open: two servers on one folder would run builds twice.
func (d dataFolder) open() (*os.File, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(d.file("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another slipway serves the data folder %s: stop it, or give --data another folder", d)
	}
	return lock, nil
}

// keyset opens the key that seals secrets. A new key is made only with a new
// database: making one beside sealed secrets would hide that they are lost.
func (d dataFolder) keyset(uri string) (*seal.Keyset, error) {
	if uri == "" {
		uri = "file://" + d.file("key.json")
	}
	keys, err := seal.Open(uri)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if _, statErr := os.Stat(d.file("slipway.db")); statErr == nil {
		return nil, fmt.Errorf("the key %s is missing, and the database in %s holds secrets sealed with it: put the key back, or name it with --key", uri, d)
	}
	return seal.Create(uri)
}

// ownerKey returns the owner's access key, the oldest one in the store; the
// first start makes it.
func ownerKey(ctx context.Context, db *store.DB, keys *seal.Keyset, account string) (accesskey.Key, error) {
	all, err := db.AccessKeys().List(ctx)
	if err != nil {
		return accesskey.Key{}, err
	}
	if len(all) > 0 {
		return all[0].Open(keys)
	}
	key, err := accesskey.New(account, "owner", time.Now())
	if err != nil {
		return accesskey.Key{}, err
	}
	sealed, err := accesskey.Seal(key, keys)
	if err != nil {
		return accesskey.Key{}, err
	}
	return key, db.AccessKeys().Put(ctx, sealed)
}

// An endpoint is what a running server leaves in its folder for the other
// commands: where it listens, and for whom. It holds no secret.
type endpoint struct {
	URL     string `json:"url"`
	Region  string `json:"region"`
	Account string `json:"account"`
	Key     string `json:"key"` // URI of the key that seals secrets
}

func (d dataFolder) writeEndpoint(e endpoint) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	next := d.file("endpoint.json.new")
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, d.file("endpoint.json"))
}

func (d dataFolder) readEndpoint() (endpoint, error) {
	var e endpoint
	text, err := os.ReadFile(d.file("endpoint.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("no server has run on the data folder %s: start one with 'slipway serve --data %s'", d, d)
	}
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%s: %w", d.file("endpoint.json"), err)
	}
	return e, nil
}
