package extension

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// linkLife is how long a link from CreateSignInLink waits for its use.
const linkLife = 10 * time.Minute

// sessionStore is what the operations need of stored sessions. Of what it
// returns as gone, keys must no longer be accepted.
type sessionStore interface {
	// PutCode stores a one-time code by its hash. NotFound if the session that
	// made it has ended.
	PutCode(ctx context.Context, c accesskey.Code) error
	// TakeCode removes the code with this hash and returns it, or NotFound.
	TakeCode(ctx context.Context, hash []byte, now time.Time) (accesskey.Code, error)
	// Create stores a new session and its keys. NotFound if the session that it
	// is to end with has ended.
	Create(ctx context.Context, v accesskey.Session, k accesskey.Sealed) (gone []string, err error)
	// Renew gives a session another key, and shortens the life of the old one.
	// NotFound if the session has ended.
	Renew(ctx context.Context, v accesskey.Session, k accesskey.Sealed, old string, until time.Time) (gone []string, err error)
	// ByKey returns the session that a key is for, or NotFound.
	ByKey(ctx context.Context, id string, now time.Time) (accesskey.Session, error)
	// List returns the sessions of an account, newest first.
	List(ctx context.Context, account string, now time.Time) ([]accesskey.Session, error)
	// Delete ends a session of an account, and those that its links began, or
	// returns NotFound.
	Delete(ctx context.Context, account, id string, now time.Time) (gone []string, err error)
}

// sealer seals what is stored.
type sealer interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}

// keyMemory remembers keys that were looked up.
type keyMemory interface {
	// Invalidate forgets a key: the next request that it signs looks it up.
	Invalidate(id string)
}

// SessionOptions tunes Sessions.
type SessionOptions struct {
	BaseURL string           // where people reach the server; links begin with it
	Now     func() time.Time // nil means time.Now
	Log     *slog.Logger     // who signs in and out; nil means no log
}

// Sessions is the operations by which people sign in and out. Its methods may
// be called from several goroutines.
type Sessions struct {
	store   sessionStore
	seal    sealer
	memory  keyMemory
	options SessionOptions
}

// NewSessions returns the operations on the sessions in store.
func NewSessions(store sessionStore, seal sealer, memory keyMemory, o SessionOptions) *Sessions {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	return &Sessions{store: store, seal: seal, memory: memory, options: o}
}

// Link makes a link to the console that signs a user in once, within life. The
// link is a secret until it is used.
func (s *Sessions) Link(ctx context.Context, account, user string, life time.Duration) (link secret.Text, expires time.Time, err error) {
	return s.link(ctx, account, user, accesskey.Session{}, life)
}

func (s *Sessions) link(ctx context.Context, account, user string, by accesskey.Session, life time.Duration) (secret.Text, time.Time, error) {
	c, text, err := accesskey.NewCode(account, user, by, life, s.options.Now())
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	if err := s.store.PutCode(ctx, c); err != nil {
		return secret.Text{}, time.Time{}, err
	}
	// After the #, so that browsers send it to no server or proxy by themselves.
	return secret.New(s.options.BaseURL + "/console/#code=" + url.QueryEscape(text.Reveal())), c.Expires, nil
}

// CreateSignInLink answers a link that signs the caller in at the console. What
// a session's link begins ends with that session, and makes no further links:
// nobody who once had a session's keys stays signed in after it was revoked.
func (s *Sessions) CreateSignInLink(ctx context.Context, _ *slipway.CreateSignInLinkInput) (*slipway.CreateSignInLinkOutput, error) {
	caller := accesskey.CallerOf(ctx)
	var by accesskey.Session
	if accesskey.IsTemporary(caller.KeyID) {
		var err error
		if by, err = s.own(ctx); err != nil {
			return nil, ended(err)
		}
		if by.Parent != "" {
			return nil, fault.New(fault.Invalid, "This session was begun with the link of another session, and makes no further ones. Run 'slipway console' on the server's machine for a link.")
		}
	}
	link, expires, err := s.link(ctx, caller.Scope.Account, caller.User, by, linkLife)
	if err != nil {
		return nil, ended(err)
	}
	s.tell(ctx, "sign-in link made", caller.User, slog.String("session", by.ID), slog.Time("expires", expires))
	return &slipway.CreateSignInLinkOutput{URL: link.Reveal(), Expires: api.At(expires)}, nil
}

// SignIn answers a new session for the code of a link, and its keys. The code is
// good for nothing after that.
func (s *Sessions) SignIn(ctx context.Context, in *slipway.SignInInput) (*slipway.SignInOutput, error) {
	now := s.options.Now()
	code, err := s.store.TakeCode(ctx, accesskey.HashCode(in.Code.Reveal()), now)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.Invalid, "This sign-in link was used already, is too old, or was never given out. Run 'slipway console' on the server's machine for a new one.")
	}
	if err != nil {
		return nil, err
	}
	session, key, err := code.SignIn(now)
	if err != nil {
		return nil, err
	}
	if err := s.create(ctx, session, key); err != nil {
		return nil, ended(err)
	}
	return &slipway.SignInOutput{Credentials: credentialsOf(key), Session: public(session, session.ID)}, nil
}

// CreateSession answers a new session of the caller, who signed with a key that
// is no session's.
func (s *Sessions) CreateSession(ctx context.Context, _ *slipway.CreateSessionInput) (*slipway.CreateSessionOutput, error) {
	caller := accesskey.CallerOf(ctx)
	if accesskey.IsTemporary(caller.KeyID) {
		return nil, fault.New(fault.Invalid, "This request is signed with a session's key, and a session makes no further ones. Renew it with RenewSession, or sign with a long-lived access key.")
	}
	session, key, err := accesskey.NewSession(caller.Scope.Account, caller.User, slipway.SessionOriginAccessKey, s.options.Now())
	if err != nil {
		return nil, err
	}
	if err := s.create(ctx, session, key); err != nil {
		return nil, err
	}
	return &slipway.CreateSessionOutput{Credentials: credentialsOf(key), Session: public(session, session.ID)}, nil
}

func (s *Sessions) create(ctx context.Context, session accesskey.Session, key accesskey.Key) error {
	sealed, err := accesskey.Seal(key, s.seal)
	if err != nil {
		return err
	}
	gone, err := s.store.Create(ctx, session, sealed)
	s.forget(gone)
	if err == nil {
		s.tell(ctx, "signed in", session.User, slog.String("session", session.ID), slog.String("with", string(session.Origin)), slog.Time("ends", session.Ends))
	}
	return err
}

// tell has the operator know who came or went, and from where.
func (s *Sessions) tell(ctx context.Context, what, user string, about ...slog.Attr) {
	from := accesskey.RemoteOf(ctx)
	attrs := append([]slog.Attr{slog.String("user", user), slog.String("remote", from.Address)}, about...)
	if from.Forwarded != "" {
		attrs = append(attrs, slog.String("forwardedFor", from.Forwarded))
	}
	s.options.Log.LogAttrs(ctx, slog.LevelInfo, what, attrs...)
}

// RenewSession answers new keys for the caller's session. The caller's are good
// for another minute, for what is on its way.
func (s *Sessions) RenewSession(ctx context.Context, _ *slipway.RenewSessionInput) (*slipway.RenewSessionOutput, error) {
	id := accesskey.CallerOf(ctx).KeyID
	if !accesskey.IsTemporary(id) {
		return nil, fault.New(fault.Invalid, "This request is not signed with a session's key, so there is nothing to renew. CreateSession makes a session.")
	}
	session, err := s.own(ctx)
	if err != nil {
		return nil, ended(err)
	}
	now := s.options.Now()
	session, key := session.Renew(now)
	sealed, err := accesskey.Seal(key, s.seal)
	if err != nil {
		return nil, err
	}
	gone, err := s.store.Renew(ctx, session, sealed, id, accesskey.Renewed(now))
	if err != nil {
		return nil, ended(err)
	}
	s.forget(append(gone, id))
	return &slipway.RenewSessionOutput{Credentials: credentialsOf(key), Session: public(session, session.ID)}, nil
}

// ended is what the caller reads whose session is not found.
func ended(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Invalid, "The session has ended. Sign in again.")
	}
	return err
}

// ListSessions answers the sessions of the caller's account, newest first.
func (s *Sessions) ListSessions(ctx context.Context, _ *slipway.ListSessionsInput) (*slipway.ListSessionsOutput, error) {
	own, err := s.own(ctx)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	all, err := s.store.List(ctx, accesskey.CallerOf(ctx).Scope.Account, s.options.Now())
	if err != nil {
		return nil, err
	}
	out := &slipway.ListSessionsOutput{Sessions: make([]slipway.Session, 0, len(all))}
	for _, session := range all {
		out.Sessions = append(out.Sessions, *public(session, own.ID))
	}
	return out, nil
}

// RevokeSession ends a session of the caller's account, or the caller's own, and
// the sessions that its links began. Their keys are refused from now on.
func (s *Sessions) RevokeSession(ctx context.Context, in *slipway.RevokeSessionInput) (*slipway.RevokeSessionOutput, error) {
	id := in.ID
	if id == "" {
		own, err := s.own(ctx)
		if fault.KindOf(err) == fault.NotFound {
			return nil, fault.New(fault.Invalid, "This request is not signed with a session's key: name the session to end by its id. ListSessions lists them.")
		}
		if err != nil {
			return nil, err
		}
		id = own.ID
	}
	gone, err := s.store.Delete(ctx, accesskey.CallerOf(ctx).Scope.Account, id, s.options.Now())
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "There is no such session: it has ended, or never was. ListSessions lists those that there are.")
	}
	if err != nil {
		return nil, err
	}
	s.forget(gone)
	s.tell(ctx, "session ended", accesskey.CallerOf(ctx).User, slog.String("session", id))
	return &slipway.RevokeSessionOutput{}, nil
}

// own returns the caller's session, or NotFound.
func (s *Sessions) own(ctx context.Context) (accesskey.Session, error) {
	id := accesskey.CallerOf(ctx).KeyID
	if !accesskey.IsTemporary(id) {
		return accesskey.Session{}, fault.New(fault.NotFound, "The key is no session's")
	}
	return s.store.ByKey(ctx, id, s.options.Now())
}

func (s *Sessions) forget(keys []string) {
	for _, id := range keys {
		s.memory.Invalidate(id)
	}
}

func credentialsOf(k accesskey.Key) *slipway.SessionCredentials {
	return &slipway.SessionCredentials{
		AccessKeyID: k.ID, SecretAccessKey: k.Secret.Reveal(), SessionToken: k.SessionToken.Reveal(), Expiration: api.At(k.Expires),
	}
}

// public is a session as its account sees it; own is the id of the caller's.
func public(s accesskey.Session, own string) *slipway.Session {
	return &slipway.Session{
		ID: s.ID, User: s.User, Origin: s.Origin, Created: api.At(s.Created), Expires: api.At(s.Expires), Ends: api.At(s.Ends), Current: s.ID == own,
	}
}
