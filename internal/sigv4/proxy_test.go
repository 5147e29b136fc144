package sigv4

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"slipway/internal/accesskey"
	"slipway/internal/secret"
)

// TestRequestsThroughAProxy holds what Behind promises: what a client signed for
// the public URL is good however the proxy changed host and path, and nothing
// that was signed for another place is.
func TestRequestsThroughAProxy(t *testing.T) {
	const public = "https://CI.example.com:443/slip%20way/"
	tests := []struct {
		name   string
		signed string // the URL that the client calls
		host   string // as we see it
		target string
		behind string // "" means no public URL
		ok     bool
	}{
		{"nothing changed", "https://ci.example.com/slip%20way/", "ci.example.com", "/slip%20way/", public, true},
		{"the path was taken away", "https://ci.example.com/slip%20way/", "ci.example.com", "/", public, true},
		{"the host was changed", "https://ci.example.com/slip%20way/", "127.0.0.1:4680", "/slip%20way/", public, true},
		{"both", "https://ci.example.com/slip%20way/", "127.0.0.1:4680", "/", public, true},
		{"called without the last slash", "https://ci.example.com/slip%20way", "ci.example.com", "/", public, true},
		{"called without the last slash, and the host was changed", "https://ci.example.com/slip%20way", "127.0.0.1:4680", "/", public, true},
		{"called without the last slash, which is kept so", "https://ci.example.com/slip%20way", "127.0.0.1:4680", "/slip%20way", public, true},
		{"past the proxy", "http://127.0.0.1:4680/", "127.0.0.1:4680", "/", public, true},
		{"another name of the proxy", "https://ci.lan/slip%20way/", "ci.lan", "/", public, true},
		{"a URL without a path", "https://ci.example.com/", "10.0.0.1", "/", "https://ci.example.com", true},
		{"a port of its own", "https://ci.example.com:8443/", "10.0.0.1", "/", "https://ci.example.com:8443", true},

		{"for another host", "https://evil.example/slip%20way/", "ci.example.com", "/", public, false},
		{"for another path", "https://ci.example.com/other/", "ci.example.com", "/", public, false},
		{"for another host and path", "https://evil.example/other/", "127.0.0.1:4680", "/", public, false},
		{"for another port", "https://ci.example.com:8443/slip%20way/", "127.0.0.1:4680", "/", public, false},
		{"a path below the public URL's twice", "https://ci.example.com/", "ci.example.com", "/slip%20way/", public, false},
		{"without a public URL nothing is tried", "https://ci.example.com/slip%20way/", "ci.example.com", "/", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := []byte(`{"names":["a"]}`)
			r := browserRequest(t, test.signed, body, tempKey)
			r.Host, r.RequestURI = test.host, test.target
			v := NewVerifier(ring, func() time.Time { return now }).Behind(test.behind)
			_, err := v.Verify(r, body, "codebuild")
			if refused, _ := errors.AsType[*Error](err); (err == nil) != test.ok || err != nil && (refused == nil || refused.Message != mismatchText) {
				t.Errorf("Verify: %v, want accepted: %v", err, test.ok)
			}
			r = browserRequest(t, test.signed, body, accesskey.Key{ID: "AKIANOBODY", Secret: secret.New("x")})
			r.Host, r.RequestURI = test.host, test.target
			if _, err := v.Verify(r, body, "codebuild"); err == nil {
				t.Error("a key nobody has is accepted")
			}
		})
	}
}

// browserRequest is a request as the SDK for JavaScript signs it with a
// session's keys, as it comes in.
func browserRequest(t testing.TB, url string, body []byte, key accesskey.Key) *http.Request {
	t.Helper()
	out, err := http.NewRequest("POST", url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := bodyHash(body)
	for name, value := range map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "CodeBuild_20161006.BatchGetProjects", "X-Amz-Content-Sha256": string(hash[:]),
		"X-Amz-User-Agent": "aws-sdk-js/3.1  ua/2.1 os/Linux  lang/js", "Amz-Sdk-Invocation-Id": "6d7f", "Amz-Sdk-Request": "attempt=1; max=3",
	} {
		out.Header.Set(name, value)
	}
	signer := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret.Reveal(), SessionToken: key.SessionToken.Reveal()}
	if err := v4.NewSigner().SignHTTP(t.Context(), signer, out, string(hash[:]), "codebuild", "eu-west-1", now); err != nil {
		t.Fatal(err)
	}
	out.Header.Set("Origin", "https://ci.example.com") // what browsers add is not signed
	out.Header.Set("User-Agent", "Mozilla/5.0")
	var wire bytes.Buffer
	if err := out.Write(&wire); err != nil {
		t.Fatal(err)
	}
	in, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestABrowsersSessionKeysAreVerified(t *testing.T) {
	body := []byte(`{}`)
	const page = "http://127.0.0.1:4680/"
	other := tempKey
	other.SessionToken = secret.New("the token of another")
	tests := []struct {
		name   string
		key    accesskey.Key
		at     time.Time
		change func(*http.Request)
		reason Reason
		ok     bool
	}{
		{name: "with its token", key: tempKey, at: now, ok: true},
		{name: "a moment before it expires", key: tempKey, at: now.Add(14 * time.Minute), ok: true},
		{name: "expired", key: tempKey, at: tempKey.Expires, reason: ExpiredKey},
		{name: "another token", key: other, at: now, reason: UnknownKey},
		{name: "a token that came later", key: accesskey.Key{ID: tempKey.ID, Secret: tempKey.Secret}, at: now, reason: Mismatch,
			change: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "the token") }},
		{name: "a second token", key: tempKey, at: now, reason: Mismatch, change: func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", "x") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := browserRequest(t, page, body, test.key)
			if signs := strings.Contains(r.Header.Get("Authorization"), "x-amz-security-token"); signs == test.key.SessionToken.IsZero() {
				t.Fatalf("Authorization = %s", r.Header.Get("Authorization"))
			}
			if test.change != nil {
				test.change(r)
			}
			key := tempKey
			if test.reason == ExpiredKey {
				key.Expires = now // the clock is the signature's: it is the key that is old
				test.at = now
			}
			caller, err := NewVerifier(keyring{key.ID: key}, func() time.Time { return test.at }).Verify(r, body, "codebuild")
			refused, _ := errors.AsType[*Error](err)
			switch {
			case test.ok && (err != nil || caller.User != "bob"):
				t.Errorf("Verify = %+v, %v", caller, err)
			case !test.ok && (refused == nil || refused.Reason != test.reason):
				t.Errorf("Verify: %v, want reason %d", err, test.reason)
			}
		})
	}
}
