package accesskey

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"regexp"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	userName  = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
)

// New makes a long-lived key pair for a user: an id of "AKIA" and sixteen of
// A-Z2-7, and forty random characters, both from the system's randomness. The
// account must be twelve digits and the user an IAM user name, or the fault is
// Invalid.
func New(account, user string, now time.Time) (Key, error) {
	if err := check(account, user); err != nil {
		return Key{}, err
	}
	var random [40]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return Key{
		ID:      "AKIA" + base32.StdEncoding.EncodeToString(random[:10]),
		Secret:  secret.New(base64.StdEncoding.EncodeToString(random[10:])),
		Account: account,
		User:    user,
		Created: now.UTC(),
	}, nil
}

func check(account, user string) error {
	if !accountID.MatchString(account) {
		return fault.New(fault.Invalid, "An account id has twelve digits")
	}
	if !userName.MatchString(user) {
		return fault.New(fault.Invalid, "A user name has 1 to 64 letters, digits or any of +=,.@_-")
	}
	return nil
}
