package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/seal"
)

// signIn stores a new session and returns it with its key's id.
func signIn(t testing.TB, s *Sessions, account string, at time.Time) (accesskey.Session, string) {
	t.Helper()
	v, k, err := accesskey.NewSession(account, "alice", slipway.SessionOriginLink, at)
	must(t, err)
	_, err = s.Create(t.Context(), v, sealed(k))
	must(t, err)
	return v, k.ID
}

func sealed(k accesskey.Key) accesskey.Sealed {
	return accesskey.Sealed{ID: k.ID, Account: k.Account, User: k.User, Box: []byte(k.ID), Created: k.Created, Expires: k.Expires}
}

func TestSessions(t *testing.T) {
	const account, stranger = "000000000000", "111111111111"
	s := open(t, t.TempDir()).Sessions()
	ctx := t.Context()
	first, firstKey := signIn(t, s, account, noon)
	second, secondKey := signIn(t, s, account, noon.Add(time.Minute))
	others, _ := signIn(t, s, stranger, noon)
	now := noon.Add(2 * time.Minute)

	all, err := s.List(ctx, account, now)
	must(t, err)
	if d := cmp.Diff([]accesskey.Session{second, first}, all); d != "" {
		t.Errorf("List: %s", d)
	}
	got, err := s.ByKey(ctx, secondKey, now)
	must(t, err)
	if got != second {
		t.Errorf("ByKey = %+v, want %+v", got, second)
	}
	k, err := s.Key(ctx, firstKey)
	must(t, err)
	if k.ID != firstKey || string(k.Box) != firstKey || k.Account != account || k.User != "alice" || !k.Expires.Equal(first.Expires) || !k.Created.Equal(noon) {
		t.Errorf("Key = %+v", k)
	}
	_, err = s.Key(ctx, "ASIANOBODY")
	wantFault(t, err, fault.NotFound, "The access key does not exist")
	_, err = s.ByKey(ctx, "AKIAOWNER", now)
	wantFault(t, err, fault.NotFound, "There is no such session")
	_, err = s.Delete(ctx, account, others.ID, now)
	wantFault(t, err, fault.NotFound, "There is no such session")

	gone, err := s.Delete(ctx, account, first.ID, now)
	must(t, err)
	if d := cmp.Diff([]string{firstKey}, gone); d != "" {
		t.Errorf("Delete: %s", d)
	}
	_, err = s.Key(ctx, firstKey)
	wantFault(t, err, fault.NotFound, "The access key does not exist")
	_, err = s.Delete(ctx, account, first.ID, now)
	wantFault(t, err, fault.NotFound, "There is no such session")
	_, renewed := first.Renew(now)
	_, err = s.Renew(ctx, first, sealed(renewed), firstKey, now)
	wantFault(t, err, fault.NotFound, "There is no such session")

	late := second.Expires
	if all, err := s.List(ctx, account, late); len(all) != 0 || err != nil {
		t.Errorf("List at its end = %+v, %v", all, err)
	}
	_, err = s.ByKey(ctx, secondKey, late)
	wantFault(t, err, fault.NotFound, "There is no such session")
	_, err = s.Delete(ctx, account, second.ID, late)
	wantFault(t, err, fault.NotFound, "There is no such session")
	v, fresh, err := accesskey.NewSession(account, "alice", slipway.SessionOriginLink, late)
	must(t, err)
	gone, err = s.Create(ctx, v, sealed(fresh))
	must(t, err)
	if !slices.Contains(gone, secondKey) || slices.Contains(gone, fresh.ID) {
		t.Errorf("after the expiry Create removed %v, want %s among them", gone, secondKey)
	}
}

func TestRenewedKeysStayForAMoment(t *testing.T) {
	s := open(t, t.TempDir()).Sessions()
	ctx := t.Context()
	v, old := signIn(t, s, "000000000000", noon)
	now := noon.Add(30 * time.Minute)
	v, k := v.Renew(now)
	_, err := s.Renew(ctx, v, sealed(k), old, accesskey.Renewed(now))
	must(t, err)
	for id, want := range map[string]time.Time{old: now.Add(time.Minute), k.ID: now.Add(time.Hour)} {
		got, err := s.Key(ctx, id)
		must(t, err)
		if !got.Expires.Equal(want) {
			t.Errorf("%s is good until %v, want %v", id, got.Expires, want)
		}
		session, err := s.ByKey(ctx, id, now)
		must(t, err)
		if session != v {
			t.Errorf("%s is for %+v, want %+v", id, session, v)
		}
	}
	// A second window that renews with the old key leaves the first's new key alone,
	// and does not make the old one good for longer.
	again := now.Add(30 * time.Second)
	v, other := v.Renew(again)
	_, err = s.Renew(ctx, v, sealed(other), old, accesskey.Renewed(again))
	must(t, err)
	for id, want := range map[string]time.Time{old: now.Add(time.Minute), k.ID: now.Add(time.Hour), other.ID: again.Add(time.Hour)} {
		if got, err := s.Key(ctx, id); err != nil || !got.Expires.Equal(want) {
			t.Errorf("%s is good until %v (%v), want %v", id, got.Expires, err, want)
		}
	}
	var gone []string
	for range keysPerSession {
		next := sealed(other)
		_, fresh := v.Renew(again.Add(time.Second))
		next.ID, next.Created = fresh.ID, fresh.Created
		dropped, err := s.Renew(ctx, v, next, old, again)
		must(t, err)
		gone = append(gone, dropped...)
	}
	if !slices.Contains(gone, old) || len(gone) < 3 {
		t.Errorf("a session with more than %d keys lost %v", keysPerSession, gone)
	}
}

func TestTheOldestSessionsAndCodesGoFirst(t *testing.T) {
	db := open(t, t.TempDir())
	s := db.Sessions()
	ctx := t.Context()
	const account = "000000000000"
	must(t, db.write.do(ctx, func(ctx context.Context, q *statements) error {
		for i := range sessionsPerAccount {
			id := fmt.Sprintf("s%d", i)
			if _, err := q.exec(ctx, `INSERT INTO session (`+sessionColumns+`) VALUES ($1, $2, 'alice', 'LINK', $3, $4, $4, '')`, id, account, int64(i+1), stamp(noon.Add(time.Hour))); err != nil {
				return err
			}
			if err := putSessionKey(ctx, q, id, accesskey.Sealed{ID: "K" + id, Box: []byte("x"), Expires: noon.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, others := signIn(t, s, "111111111111", noon)
	v, k, err := accesskey.NewSession(account, "alice", slipway.SessionOriginLink, noon)
	must(t, err)
	gone, err := s.Create(ctx, v, sealed(k))
	must(t, err)
	if d := cmp.Diff([]string{"Ks0"}, gone); d != "" {
		t.Errorf("Create: %s", d)
	}
	if _, err := s.Key(ctx, others); err != nil {
		t.Errorf("another account's session: %v", err)
	}
	var codes []accesskey.Code
	for i := range codesPerAccount + 1 {
		c, _, err := accesskey.NewCode(account, "alice", accesskey.Session{}, time.Hour, noon.Add(time.Duration(i)))
		must(t, err)
		c.Created = noon.Add(time.Duration(i) * time.Second)
		must(t, s.PutCode(ctx, c))
		codes = append(codes, c)
	}
	_, err = s.TakeCode(ctx, codes[0].Hash, noon)
	wantFault(t, err, fault.NotFound, "There is no such sign-in code")
	_, err = s.TakeCode(ctx, codes[1].Hash, noon)
	must(t, err)
}

func TestACodeIsTakenOnce(t *testing.T) {
	s := open(t, t.TempDir()).Sessions()
	ctx := t.Context()
	by, _ := signIn(t, s, "000000000000", noon)
	c, _, err := accesskey.NewCode("000000000000", "alice", by, 10*time.Minute, noon)
	must(t, err)
	must(t, s.PutCode(ctx, c))
	results := make(chan error)
	for range 8 {
		go func() {
			got, err := s.TakeCode(context.WithoutCancel(ctx), c.Hash, noon.Add(time.Minute))
			if err == nil && !cmp.Equal(got, c) {
				err = errors.New(cmp.Diff(c, got))
			}
			results <- err
		}()
	}
	taken := 0
	for range 8 {
		if err := <-results; err == nil {
			taken++
		} else {
			wantFault(t, err, fault.NotFound, "There is no such sign-in code")
		}
	}
	if taken != 1 {
		t.Errorf("a code was taken %d times", taken)
	}
	must(t, s.PutCode(ctx, c))
	_, err = s.TakeCode(ctx, c.Hash, c.Expires)
	wantFault(t, err, fault.NotFound, "There is no such sign-in code")
	_, err = s.Delete(ctx, by.Account, by.ID, noon)
	must(t, err)
	_, err = s.TakeCode(ctx, c.Hash, noon)
	wantFault(t, err, fault.NotFound, "There is no such sign-in code") // it went with the session that made it
	wantFault(t, s.PutCode(ctx, c), fault.NotFound, "There is no such session")
}

// What is on disk opens nothing: codes are hashed, and keys sealed.
func TestTheFilesHoldNoCodeAndNoKey(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	keys, err := seal.New()
	must(t, err)
	c, text, err := accesskey.NewCode("000000000000", "alice", accesskey.Session{}, time.Hour, noon)
	must(t, err)
	must(t, db.Sessions().PutCode(t.Context(), c))
	v, k, err := accesskey.NewSession("000000000000", "alice", slipway.SessionOriginLink, noon)
	must(t, err)
	box, err := accesskey.Seal(k, keys)
	must(t, err)
	_, err = db.Sessions().Create(t.Context(), v, box)
	must(t, err)
	files, err := filepath.Glob(filepath.Join(dir, FileName+"*"))
	must(t, err)
	found := false
	for _, name := range files {
		data, err := os.ReadFile(name)
		must(t, err)
		found = found || bytes.Contains(data, []byte(k.ID))
		for _, plain := range []string{text.Reveal(), k.Secret.Reveal(), k.SessionToken.Reveal()} {
			if strings.Contains(string(data), plain) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
	if !found {
		t.Error("not even the key's id was found in the files")
	}
}
