package gitlab

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
)

const (
	skew          = 5 * time.Minute // how far a signed time may be from ours
	maxSignatures = 16              // of one delivery that are looked at
	signingPrefix = "whsec_"
)

// Signed tells whether a delivery carries one of secrets in the clear, as
// GitLab always has done it, or is signed with one by Standard Webhooks. A
// secret can be used for signatures if it begins with whsec_. If one can and
// the delivery is signed, the signature alone decides.
func (p *Provider) Signed(h http.Header, body []byte, secrets []secret.Text, now time.Time) (slipway.SignatureVerdict, int) {
	token, signature := h.Get("X-Gitlab-Token"), h.Get("Webhook-Signature")
	bySignature, byToken, judged := -1, -1, false
	for i, s := range secrets {
		if s.IsZero() {
			continue
		}
		if key, ok := signingKey(s); ok && signature != "" {
			judged = true
			if signs(key, h, body, signature) && bySignature < 0 {
				bySignature = i
			}
		}
		if equal(token, s.Reveal()) && byToken < 0 {
			byToken = i
		}
	}
	switch {
	case token == "" && signature == "":
		return slipway.SignatureVerdictMissing, -1
	case judged && bySignature < 0:
		return slipway.SignatureVerdictInvalid, -1
	case judged && !fresh(h, now):
		return slipway.SignatureVerdictStale, bySignature
	case judged:
		return known(bySignature), bySignature
	case byToken < 0:
		return slipway.SignatureVerdictInvalid, -1
	}
	return known(byToken), byToken
}

// known is the verdict on who knows a secret: the first is the one in force.
func known(which int) slipway.SignatureVerdict {
	if which > 0 {
		return slipway.SignatureVerdictValidOldSecret
	}
	return slipway.SignatureVerdictValid
}

// signingKey returns what a secret signs with, if it is one that does.
func signingKey(s secret.Text) ([]byte, bool) {
	encoded, ok := strings.CutPrefix(s.Reveal(), signingPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	return key, ok && err == nil && len(key) > 0
}

// signs reports whether one of the signatures is made with key.
func signs(key []byte, h http.Header, body []byte, signatures string) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("Webhook-Id") + "." + h.Get("Webhook-Timestamp") + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	good := false
	for i, one := range strings.Fields(signatures) {
		if i < maxSignatures && equal(one, want) {
			good = true
		}
	}
	return good && h.Get("Webhook-Id") != ""
}

// fresh reports whether the signed time is near now.
func fresh(h http.Header, now time.Time) bool {
	at, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if err != nil || at < 0 || at > 1<<40 {
		return false
	}
	return now.Sub(time.Unix(at, 0)).Abs() <= skew
}

// equal compares in a time that tells nothing, not even of lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
