package accesskey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
)

// A Code lets whoever shows its text begin one session. The text is in a
// sign-in link and nowhere else: what is stored is a hash, from which 256 random
// bits cannot be found.
type Code struct {
	Hash    []byte // what HashCode returns for the text
	Account string
	User    string
	Created time.Time
	Expires time.Time
	Session string    // id of the session that made it, with which it is revoked; "" if a long-lived key did
	Ends    time.Time // when what it begins ends at the latest; zero means twelve hours after the sign-in
}

// NewCode makes a code for a user that is good for life, and its text of 43
// characters that URLs take as they are. by is the session that asks, zero if
// none does: a session cannot outlast itself through a link that it makes. It
// refuses what New refuses.
func NewCode(account, user string, by Session, life time.Duration, now time.Time) (Code, secret.Text, error) {
	now = now.UTC()
	if err := check(account, user); err != nil {
		return Code{}, secret.Text{}, err
	}
	var random [32]byte
	_, _ = rand.Read(random[:])
	text := base64.RawURLEncoding.EncodeToString(random[:])
	c := Code{Hash: HashCode(text), Account: account, User: user, Created: now, Expires: now.Add(life), Session: by.ID, Ends: by.Ends}
	if !by.Ends.IsZero() {
		c.Expires = earlier(c.Expires, by.Ends)
	}
	return c, secret.New(text), nil
}

// HashCode returns how a code is stored and found.
func HashCode(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// SignIn begins the session that c is for, with its keys.
func (c Code) SignIn(now time.Time) (Session, Key, error) {
	s, k, err := NewSession(c.Account, c.User, slipway.SessionOriginLink, now)
	s.Parent = c.Session
	if err == nil && !c.Ends.IsZero() && c.Ends.Before(s.Ends) {
		s.Ends = c.Ends
		s, k = s.Renew(now)
	}
	return s, k, err
}
