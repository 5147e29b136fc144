package accesskey

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
)

const (
	// sessionIdle is how long a session's keys are good: one that is in use is
	// renewed, one that is not ends by itself.
	sessionIdle = time.Hour
	// sessionMost is how long a session can be renewed after the sign-in.
	sessionMost = 12 * time.Hour
	// renewedStay is how long keys are good after they were renewed, for the
	// requests that were signed with them and are still on their way.
	renewedStay = time.Minute

	temporary = "ASIA" // how the ids of a session's keys begin
)

// A Session is a user who signed in for a while: short-lived keys stand for
// them, which can be taken back without touching the user's own.
type Session struct {
	ID      string // sixteen lower-case letters and digits, by which it is revoked; no secret
	Account string
	User    string
	Origin  slipway.SessionOrigin
	Created time.Time
	Expires time.Time // when its newest keys end
	Ends    time.Time // when it ends, however it is used
	Parent  string    // id of the session whose link began it, with which it is revoked; "" if none did
}

// NewSession begins a session: it is good for an hour, and can be renewed for
// twelve. The keys that come with it have an id of "ASIA" and sixteen of A-Z2-7.
// It refuses what New refuses.
func NewSession(account, user string, origin slipway.SessionOrigin, now time.Time) (Session, Key, error) {
	now = now.UTC()
	if err := check(account, user); err != nil {
		return Session{}, Key{}, err
	}
	var random [10]byte
	_, _ = rand.Read(random[:])
	s := Session{
		ID: strings.ToLower(base32.StdEncoding.EncodeToString(random[:])), Account: account, User: user, Origin: origin,
		Created: now, Ends: now.Add(sessionMost),
	}
	s, k := s.Renew(now)
	return s, k, nil
}

// Renew returns s with another hour from now, but never past its end, and the
// keys that are good for it.
func (s Session) Renew(now time.Time) (Session, Key) {
	now = now.UTC()
	s.Expires = earlier(now.Add(sessionIdle), s.Ends)
	var random [10 + 30 + 48]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return s, Key{
		ID:           temporary + base32.StdEncoding.EncodeToString(random[:10]),
		Secret:       secret.New(base64.StdEncoding.EncodeToString(random[10:40])),
		SessionToken: secret.New(base64.StdEncoding.EncodeToString(random[40:])),
		Account:      s.Account,
		User:         s.User,
		Created:      now,
		Expires:      s.Expires,
	}
}

// Renewed returns until when keys are good that are renewed at now.
func Renewed(now time.Time) time.Time { return now.UTC().Add(renewedStay) }

// IsTemporary reports whether a key with this id can only be a session's.
func IsTemporary(id string) bool { return strings.HasPrefix(id, temporary) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
