package gitlab_test

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
)

// The vector was computed with another implementation of HMAC.
const (
	vectorID        = "3a427872-00df-429c-9bc9-a9475de2efe4"
	vectorTime      = 1795435200
	vectorBody      = `{"object_kind":"push"}`
	vectorSignature = "v1,5YwS4pBqhdp6HALvJ8e6H0MgDaVwzDmKiqRta1xIiyQ="
)

// other is another secret that can sign.
const other = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

func headers(token, id, signature string, at int64) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"X-Gitlab-Token": token, "webhook-id": id, "webhook-signature": signature} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if at != 0 {
		h.Set("webhook-timestamp", strconv.FormatInt(at, 10))
	}
	return h
}

func TestSigned(t *testing.T) {
	p := gitlab.New(rest.Options{})
	good := headers("", vectorID, vectorSignature, vectorTime)
	for _, c := range []struct {
		name    string
		header  http.Header
		body    string
		secrets []string
		skew    time.Duration
		want    slipway.SignatureVerdict
		which   int
	}{
		{"the vector", good, vectorBody, []string{signing}, 0, "VALID", 0},
		{"the second secret fits", good, vectorBody, []string{other, signing}, 0, "VALID_OLD_SECRET", 1},
		{"one of several signatures", headers("", vectorID, "v1,AAAA v1a,BBBB "+vectorSignature, vectorTime), vectorBody, []string{signing}, 0, "VALID", 0},
		{"almost five minutes late", good, vectorBody, []string{signing}, 5 * time.Minute, "VALID", 0},
		{"more than five minutes late", good, vectorBody, []string{signing}, 5*time.Minute + time.Second, "STALE", 0},
		{"more than five minutes early", good, vectorBody, []string{signing}, -5*time.Minute - time.Second, "STALE", 0},
		{"another body", good, vectorBody + " ", []string{signing}, 0, "INVALID", -1},
		{"another id", headers("", "x", vectorSignature, vectorTime), vectorBody, []string{signing}, 0, "INVALID", -1},
		{"another time", headers("", vectorID, vectorSignature, vectorTime+1), vectorBody, []string{signing}, 0, "INVALID", -1},
		{"no time", headers("", vectorID, vectorSignature, 0), vectorBody, []string{signing}, 0, "INVALID", -1},
		{"another secret", good, vectorBody, []string{other}, 0, "INVALID", -1},
		{"a wrong signature beside the right token", headers(signing, vectorID, "v1,AAAA", vectorTime), vectorBody, []string{signing}, 0, "INVALID", -1},
		{"a right signature beside a wrong token", headers("x", vectorID, vectorSignature, vectorTime), vectorBody, []string{signing}, 0, "VALID", 0},
		{"a late signature beside the right token", headers(signing, vectorID, vectorSignature, vectorTime), vectorBody, []string{signing}, time.Hour, "STALE", 0},
		{"the token", headers(plainSecret, "", "", 0), "{}", []string{plainSecret}, 0, "VALID", 0},
		{"the token of a secret that could sign", headers(signing, "", "", 0), "{}", []string{signing}, 0, "VALID", 0},
		{"the token before, by another hook", headers(plainSecret, "", "", 0), "{}", []string{"new", plainSecret}, 0, "VALID_OLD_SECRET", 1},
		{"a wrong token", headers("x", "", "", 0), "{}", []string{plainSecret}, 0, "INVALID", -1},
		{"the beginning of the token", headers(plainSecret[:5], "", "", 0), "{}", []string{plainSecret}, 0, "INVALID", -1},
		{"a signature that nobody here can judge, and the right token", headers(plainSecret, vectorID, vectorSignature, vectorTime), vectorBody, []string{plainSecret}, 0, "VALID", 0},
		{"a signature that nobody here can judge", good, vectorBody, []string{plainSecret}, 0, "INVALID", -1},
		{"nothing", http.Header{}, "{}", []string{plainSecret}, 0, "MISSING", -1},
		{"no secret fits nothing", headers("", "", "", 0), "{}", []string{""}, 0, "MISSING", -1},
		{"no secrets", headers("x", "", "", 0), "{}", nil, 0, "INVALID", -1},
		{"an empty key", headers("", vectorID, vectorSignature, vectorTime), vectorBody, []string{"whsec_"}, 0, "INVALID", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var secrets []secret.Text
			for _, s := range c.secrets {
				secrets = append(secrets, secret.New(s))
			}
			got, which := p.Signed(c.header, []byte(c.body), secrets, time.Unix(vectorTime, 0).Add(c.skew))
			if got != c.want || which != c.which {
				t.Errorf("Signed = %s, %d, want %s, %d", got, which, c.want, c.which)
			}
		})
	}
}

// However a delivery looks, what we take for well signed is so for the library
// of Standard Webhooks, and what that signs is so for us.
func FuzzSigned(f *testing.F) {
	f.Add("id", "v1,AAAA", "1795435200", "token", []byte(vectorBody))
	f.Add(vectorID, vectorSignature, strconv.Itoa(vectorTime), "", []byte(vectorBody))
	f.Add(vectorID, "v1a,x "+vectorSignature, " 1795435200", plainSecret, []byte(vectorBody))
	f.Add("", "v1,,", "-1", signing, []byte{})
	p := gitlab.New(rest.Options{})
	oracle, err := standardwebhooks.NewWebhook(signing)
	must(f, err)
	secrets := []secret.Text{secret.New(signing), secret.New(plainSecret)}
	now := time.Unix(vectorTime, 0)
	f.Fuzz(func(t *testing.T, id, signatures, at, token string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Signature": {signatures}, "Webhook-Timestamp": {at}, "X-Gitlab-Token": {token}}
		verdict, which := p.Signed(h, body, secrets, now)
		if signatures != "" && which >= 0 && verdict != slipway.SignatureVerdictStale && (which != 0 || oracle.VerifyIgnoringTimestamp(body, h) != nil) {
			t.Errorf("Signed = %s, %d, and Standard Webhooks says %v", verdict, which, oracle.VerifyIgnoringTimestamp(body, h))
		}
		if signatures == "" && which >= 0 && token != signing && token != plainSecret {
			t.Errorf("the token %q passes", token)
		}
		if id == "" {
			return
		}
		signed, err := oracle.Sign(id, now, body)
		must(t, err)
		h = http.Header{"Webhook-Id": {id}, "Webhook-Signature": {"v1,x " + signed}, "Webhook-Timestamp": {strconv.Itoa(vectorTime)}, "X-Gitlab-Token": {token}}
		if verdict, which := p.Signed(h, body, secrets, now); verdict != slipway.SignatureVerdictValid || which != 0 {
			t.Errorf("Signed = %s, %d of what Standard Webhooks signed", verdict, which)
		}
		if verdict, _ := p.Signed(h, bytes.Join([][]byte{body, []byte("x")}, nil), secrets, now); verdict != slipway.SignatureVerdictInvalid {
			t.Errorf("Signed = %s of another body", verdict)
		}
	})
}
