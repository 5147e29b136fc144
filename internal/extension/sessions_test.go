package extension

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/store"
)

// door is sign-in over a real database, at a clock of its own.
type door struct {
	*Sessions
	t         *testing.T
	db        *store.DB
	keys      *seal.Keyset
	now       time.Time
	forgotten map[string]bool
	log       bytes.Buffer
}

func (d *door) Invalidate(id string) { d.forgotten[id] = true }

func newDoor(t *testing.T) *door {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, db: db, keys: keys, now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), forgotten: map[string]bool{}}
	d.Sessions = NewSessions(db.Sessions(), keys, d, SessionOptions{BaseURL: "https://ci.example.com/slipway/", Now: func() time.Time { return d.now }, Log: slog.New(slog.NewTextHandler(&d.log, nil))})
	return d
}

const ownerID = "AKIAOWNER"

// by is the context of a request that alice signed with a key.
func by(t *testing.T, key string) context.Context {
	return accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: arn.Scope{Account: "000000000000", Region: "us-east-1"}, KeyID: key, User: "alice"})
}

// code makes a link and returns its code.
func (d *door) code(ctx context.Context) string {
	d.t.Helper()
	out, err := d.CreateSignInLink(ctx, &slipway.CreateSignInLinkInput{})
	if err != nil {
		d.t.Fatal(err)
	}
	page, code, ok := strings.Cut(out.URL, "#code=")
	if page != "https://ci.example.com/slipway/console/" || !ok || !regexp.MustCompile(`^[\w-]{43}$`).MatchString(code) || !out.Expires.Equal(d.now.Add(10*time.Minute)) {
		d.t.Fatalf("CreateSignInLink = %s until %v", page, out.Expires)
	}
	return code
}

func (d *door) signIn(code string) (*slipway.SignInOutput, error) {
	return d.SignIn(d.t.Context(), &slipway.SignInInput{Code: secret.New(code)})
}

func (d *door) in() *slipway.SignInOutput {
	d.t.Helper()
	out, err := d.signIn(d.code(by(d.t, ownerID)))
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *door) refused(err error, kind fault.Kind, says string) {
	d.t.Helper()
	if err == nil || fault.KindOf(err) != kind || !strings.Contains(fault.Message(err), says) {
		d.t.Errorf("error = %v of kind %d, want one of kind %d that says %q", err, fault.KindOf(err), kind, says)
	}
}

func TestALinkSignsInOnce(t *testing.T) {
	d := newDoor(t)
	code := d.code(by(t, ownerID))
	out, err := d.signIn(code)
	if err != nil {
		t.Fatal(err)
	}
	want := &slipway.Session{
		ID: out.Session.ID, User: "alice", Origin: slipway.SessionOriginLink, Created: api.At(d.now), Expires: api.At(d.now.Add(time.Hour)), Ends: api.At(d.now.Add(12 * time.Hour)), Current: true,
	}
	if diff := cmp.Diff(want, out.Session); diff != "" {
		t.Error(diff)
	}
	sealed, err := d.db.Sessions().Key(t.Context(), out.Credentials.AccessKeyID)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sealed.Open(d.keys)
	if err != nil || key.User != "alice" || key.Secret.Reveal() != out.Credentials.SecretAccessKey || key.SessionToken.Reveal() != out.Credentials.SessionToken || !key.Expires.Equal(out.Credentials.Expiration.Time) {
		t.Errorf("what was stored is %+v, %v", key, err)
	}
	late := d.code(by(t, ownerID))
	d.now = d.now.Add(10 * time.Minute)
	var texts []string
	for name, code := range map[string]string{"used": code, "too old": late, "wrong": strings.Repeat("x", 43), "empty": ""} {
		_, err := d.signIn(code)
		d.refused(err, fault.Invalid, "Run 'slipway console'")
		if code != "" && strings.Contains(err.Error(), code) {
			t.Errorf("%s: the error repeats the code", name)
		}
		texts = append(texts, err.Error())
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("refusals differ: %q and %q", text, texts[0])
		}
	}
}

func TestALinkWaitsAsLongAsItIsToldTo(t *testing.T) {
	d := newDoor(t)
	made := d.now
	for wait, ok := range map[time.Duration]bool{time.Hour - time.Second: true, time.Hour: false} {
		d.now = made
		link, expires, err := d.Link(t.Context(), "000000000000", "alice", time.Hour)
		if err != nil || !expires.Equal(made.Add(time.Hour)) {
			t.Fatalf("Link until %v, %v", expires, err)
		}
		if text := fmt.Sprint(link); strings.Contains(text, "code") {
			t.Errorf("a link prints as %s", text)
		}
		_, code, _ := strings.Cut(link.Reveal(), "#code=")
		d.now = made.Add(wait)
		if _, err := d.signIn(code); (err == nil) != ok {
			t.Errorf("after %v: %v, want accepted: %v", wait, err, ok)
		}
	}
}

func TestSessionsAreMadeRenewedAndListed(t *testing.T) {
	d := newDoor(t)
	owner := by(t, ownerID)
	made, err := d.CreateSession(owner, &slipway.CreateSessionInput{})
	if err != nil || made.Session.Origin != slipway.SessionOriginAccessKey || made.Session.User != "alice" {
		t.Fatalf("CreateSession = %+v, %v", made, err)
	}
	d.now = d.now.Add(time.Minute)
	linked := d.in()
	session := by(t, made.Credentials.AccessKeyID)

	_, err = d.CreateSession(session, &slipway.CreateSessionInput{})
	d.refused(err, fault.Invalid, "RenewSession")
	_, err = d.RenewSession(owner, &slipway.RenewSessionInput{})
	d.refused(err, fault.Invalid, "CreateSession")

	list := func(ctx context.Context) (ids, current []string) {
		t.Helper()
		out, err := d.ListSessions(ctx, &slipway.ListSessionsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.Sessions {
			ids = append(ids, s.ID)
			if s.Current {
				current = append(current, s.ID)
			}
		}
		return ids, current
	}
	ids, current := list(session)
	if !cmp.Equal(ids, []string{linked.Session.ID, made.Session.ID}) || !cmp.Equal(current, []string{made.Session.ID}) {
		t.Errorf("ListSessions = %v, current %v", ids, current)
	}
	if _, current := list(owner); current != nil {
		t.Errorf("the owner's key is in the session %v", current)
	}
	stranger := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: arn.Scope{Account: "111111111111"}, KeyID: "AKIASTRANGER", User: "eve"})
	if ids, _ := list(stranger); ids != nil {
		t.Errorf("another account sees %v", ids)
	}
	_, err = d.RevokeSession(stranger, &slipway.RevokeSessionInput{ID: made.Session.ID})
	d.refused(err, fault.NotFound, "no such session")

	d.now = d.now.Add(30 * time.Minute)
	renewed, err := d.RenewSession(session, &slipway.RenewSessionInput{})
	if err != nil || renewed.Session.ID != made.Session.ID || renewed.Credentials.AccessKeyID == made.Credentials.AccessKeyID || !renewed.Session.Expires.Equal(d.now.Add(time.Hour)) {
		t.Fatalf("RenewSession = %+v, %v", renewed, err)
	}
	old, err := d.db.Sessions().Key(t.Context(), made.Credentials.AccessKeyID)
	if err != nil || !old.Expires.Equal(d.now.Add(time.Minute)) || !d.forgotten[old.ID] {
		t.Errorf("the old key is good until %v (%v), forgotten: %v", old.Expires, err, d.forgotten[old.ID])
	}
	for range 12 { // in use to its end
		d.now = d.now.Add(59 * time.Minute)
		if renewed, err = d.RenewSession(by(t, renewed.Credentials.AccessKeyID), &slipway.RenewSessionInput{}); err != nil {
			break
		}
	}
	d.refused(err, fault.Invalid, "Sign in again")
	if d.now.Before(made.Session.Ends.Time) {
		t.Errorf("the session ended at %v, want %v", d.now, made.Session.Ends)
	}
}

func TestRevokingHoldsAtOnce(t *testing.T) {
	d := newDoor(t)
	first, second := d.in(), d.in()
	pending := d.code(by(t, second.Credentials.AccessKeyID))
	if _, err := d.RevokeSession(by(t, first.Credentials.AccessKeyID), &slipway.RevokeSessionInput{}); err != nil { // sign out
		t.Fatal(err)
	}
	if _, err := d.RevokeSession(by(t, ownerID), &slipway.RevokeSessionInput{ID: second.Session.ID}); err != nil {
		t.Fatal(err)
	}
	for _, out := range []*slipway.SignInOutput{first, second} {
		ctx := by(t, out.Credentials.AccessKeyID)
		if !d.forgotten[out.Credentials.AccessKeyID] {
			t.Error("a revoked key is still remembered")
		}
		_, err := d.RevokeSession(by(t, ownerID), &slipway.RevokeSessionInput{ID: out.Session.ID})
		d.refused(err, fault.NotFound, "no such session")
		_, err = d.RenewSession(ctx, &slipway.RenewSessionInput{})
		d.refused(err, fault.Invalid, "Sign in again")
		_, err = d.CreateSignInLink(ctx, &slipway.CreateSignInLinkInput{})
		d.refused(err, fault.Invalid, "Sign in again")
		_, err = d.RevokeSession(ctx, &slipway.RevokeSessionInput{})
		d.refused(err, fault.Invalid, "name the session")
	}
	_, err := d.signIn(pending)
	d.refused(err, fault.Invalid, "Run 'slipway console'")
}

func TestWhatALinkOfASessionBeginsEndsWithIt(t *testing.T) {
	d := newDoor(t)
	first, other := d.in(), d.in()
	second, err := d.signIn(d.code(by(t, first.Credentials.AccessKeyID)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := by(t, second.Credentials.AccessKeyID)
	_, err = d.CreateSignInLink(ctx, &slipway.CreateSignInLinkInput{})
	d.refused(err, fault.Invalid, "makes no further ones")

	// Revoked between the taking of the code and the storing of the session.
	late, _, err := accesskey.Code{Account: "000000000000", User: "alice", Session: first.Session.ID}.SignIn(d.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.RevokeSession(by(t, ownerID), &slipway.RevokeSessionInput{ID: first.Session.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = d.db.Sessions().Create(t.Context(), late, accesskey.Sealed{ID: "ASIALATE", Account: late.Account, User: late.User, Box: []byte("x"), Created: d.now, Expires: late.Expires})
	d.refused(err, fault.NotFound, "no such session")

	if !d.forgotten[second.Credentials.AccessKeyID] {
		t.Error("a revoked key is still remembered")
	}
	_, err = d.db.Sessions().Key(t.Context(), second.Credentials.AccessKeyID)
	d.refused(err, fault.NotFound, "does not exist")
	_, err = d.RenewSession(ctx, &slipway.RenewSessionInput{})
	d.refused(err, fault.Invalid, "Sign in again")
	if _, err := d.RenewSession(by(t, other.Credentials.AccessKeyID), &slipway.RenewSessionInput{}); err != nil {
		t.Errorf("another session ended, too: %v", err)
	}
}

func TestTheOperatorSeesWhoComesAndGoes(t *testing.T) {
	d := newDoor(t)
	from := func(ctx context.Context) context.Context {
		return accesskey.WithRemote(ctx, accesskey.Remote{Address: "192.0.2.7:1234", Forwarded: "198.51.100.1\nlevel=ERROR"})
	}
	code := d.code(from(by(t, ownerID)))
	in, err := d.SignIn(from(t.Context()), &slipway.SignInInput{Code: secret.New(code)})
	if err != nil {
		t.Fatal(err)
	}
	made, err := d.CreateSession(from(by(t, ownerID)), &slipway.CreateSessionInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.RevokeSession(from(by(t, ownerID)), &slipway.RevokeSessionInput{ID: in.Session.ID}); err != nil {
		t.Fatal(err)
	}
	const who, where = ` user=alice remote=192.0.2.7:1234`, ` forwardedFor="198.51.100.1\nlevel=ERROR"`
	got := regexp.MustCompile(`time=\S+ level=INFO `).ReplaceAllString(d.log.String(), "")
	want := `msg="sign-in link made"` + who + ` session="" expires=2026-11-27T12:10:00.000Z` + where + "\n" +
		`msg="signed in"` + who + ` session=` + in.Session.ID + ` with=LINK ends=2026-11-28T00:00:00.000Z` + where + "\n" +
		`msg="signed in"` + who + ` session=` + made.Session.ID + ` with=ACCESS_KEY ends=2026-11-28T00:00:00.000Z` + where + "\n" +
		`msg="session ended"` + who + ` session=` + in.Session.ID + where + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, secret := range map[string]string{"code": code, "secret": in.Credentials.SecretAccessKey, "token": in.Credentials.SessionToken} {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

func TestSessionsSayWhenTheStoreFails(t *testing.T) {
	d := newDoor(t)
	out := d.in()
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := by(t, out.Credentials.AccessKeyID)
	for i, call := range []func() error{
		func() error { _, err := d.CreateSignInLink(ctx, nil); return err },
		func() error { _, err := d.signIn("x"); return err },
		func() error { _, err := d.CreateSession(by(t, ownerID), nil); return err },
		func() error { _, err := d.RenewSession(ctx, nil); return err },
		func() error { _, err := d.ListSessions(ctx, nil); return err },
		func() error { _, err := d.RevokeSession(ctx, &slipway.RevokeSessionInput{}); return err },
	} {
		err := call()
		if kind := fault.KindOf(err); err == nil || kind != fault.Internal && kind != fault.Unavailable {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestDescribeServer(t *testing.T) {
	s := NewServer(ServerOptions{Version: "1.2.3", Region: "eu-central-1", PublicURL: "https://ci.example.com", Polling: true, Runners: []string{"docker", "local"}, MaxBuilds: 4})
	got, err := s.DescribeServer(by(t, ownerID), &slipway.DescribeServerInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := &slipway.DescribeServerOutput{
		Version: "1.2.3", Account: "000000000000", Region: "eu-central-1", User: "alice", PublicURL: "https://ci.example.com", Webhooks: true, Polling: true, Runner: "auto", Runners: []string{"docker", "local"}, MaxBuilds: 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
