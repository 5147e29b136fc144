package sigv4

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// keyring is a small store of keys.
type keyring map[string]accesskey.Key

func (k keyring) Key(_ context.Context, id string) (accesskey.Key, error) {
	key, ok := k[id]
	if !ok {
		return accesskey.Key{}, fault.New(fault.NotFound, "no such access key")
	}
	return key, nil
}

var (
	now     = time.Date(2026, 11, 23, 0, 10, 0, 0, time.UTC)
	longKey = accesskey.Key{ID: "AKIALONG", Secret: secret.New("long secret"), Account: "123456789012", User: "alice"}
	tempKey = accesskey.Key{ID: "ASIATEMP", Secret: secret.New("temp secret"), SessionToken: secret.New("the token"), Account: "123456789012", User: "bob", Expires: now.Add(time.Hour)}
	ring    = keyring{"AKIALONG": longKey, "ASIATEMP": tempKey, "AKIAEMPTY": {ID: "AKIAEMPTY"}}
)

// call returns a signed call as a server receives it, and its body. change
// alters it before it is signed.
func call(t *testing.T, key accesskey.Key, at time.Time, change func(*http.Request)) (*http.Request, []byte) {
	t.Helper()
	body := []byte(`{"names":["a"]}`)
	r := received(t, "POST", "/", http.Header{
		"Host": {"127.0.0.1:4680"}, "Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"CodeBuild_20161006.BatchGetProjects"},
	}, string(body))
	if change != nil {
		change(r)
	}
	Sign(r, body, key, "eu-west-1", "codebuild", at)
	return r, body
}

func replaceAuthorization(old, with string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
	}
}

func TestVerify(t *testing.T) {
	const mismatch = mismatchText
	tests := []struct {
		name    string
		key     accesskey.Key
		at      time.Time           // of signing; zero is now
		before  func(*http.Request) // changes what is signed
		after   func(*http.Request) // changes what was signed
		body    func([]byte) []byte // changes the body that was signed
		service string              // "" is codebuild
		reason  Reason
		message string // "" is success
	}{
		{name: "a signed request is its signer's", key: longKey},
		{name: "a session key with its token is its signer's", key: tempKey},
		{name: "a clock fifteen minutes behind is good", key: longKey, at: now.Add(-15 * time.Minute)},
		{name: "a clock nine minutes ahead is good", key: longKey, at: now.Add(9 * time.Minute)},
		{name: "a body hash that is sent and right is good", key: longKey, before: func(r *http.Request) {
			h := bodyHash([]byte(`{"names":["a"]}`))
			r.Header.Set("X-Amz-Content-Sha256", string(h[:]))
		}},
		{name: "an unsigned header may come along", key: longKey, after: func(r *http.Request) { r.Header.Set("X-Forwarded-For", "::1") }},
		{name: "no spaces after the commas are good", key: longKey, after: func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}},

		{name: "no signature", key: longKey, after: func(r *http.Request) { r.Header.Del("Authorization") }, reason: Missing, message: "Missing Authentication Token"},
		{name: "another method of authorization", key: longKey, after: func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, reason: Incomplete,
			message: "Authorization header must start with 'AWS4-HMAC-SHA256' and name Credential, SignedHeaders and Signature."},
		{name: "two Authorization headers", key: longKey, after: func(r *http.Request) {
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}, reason: Incomplete, message: "A request has one Authorization header."},
		{name: "a presigned URL", key: longKey, after: func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
		}, reason: Incomplete, message: "Presigned URLs are not accepted here: sign the request in its Authorization header."},
		{name: "no date", key: longKey, after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, reason: Incomplete,
			message: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{name: "a date that is none", key: longKey, after: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261123T0010.0Z") }, reason: Incomplete,
			message: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{name: "two dates", key: longKey, after: func(r *http.Request) { r.Header.Add("X-Amz-Date", "20261123T001000Z") }, reason: Incomplete,
			message: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},

		{name: "a key nobody has", key: accesskey.Key{ID: "AKIANOBODY", Secret: secret.New("x")}, reason: UnknownKey, message: "The security token included in the request is invalid."},
		{name: "a key without a secret signs nothing", key: accesskey.Key{ID: "AKIAEMPTY"}, reason: UnknownKey, message: "The security token included in the request is invalid."},
		{name: "a session key without its token", key: accesskey.Key{ID: tempKey.ID, Secret: tempKey.Secret}, reason: UnknownKey, message: "The security token included in the request is invalid."},
		{name: "a session key with another token", key: accesskey.Key{ID: tempKey.ID, Secret: tempKey.Secret, SessionToken: secret.New("the tokem")}, reason: UnknownKey, message: "The security token included in the request is invalid."},
		{name: "a long-lived key with a token", key: accesskey.Key{ID: longKey.ID, Secret: longKey.Secret, SessionToken: secret.New("the token")}, reason: UnknownKey, message: "The security token included in the request is invalid."},

		{name: "another secret", key: accesskey.Key{ID: longKey.ID, Secret: secret.New("long secreT")}, reason: Mismatch, message: mismatch},
		{name: "another body", key: longKey, body: func(b []byte) []byte { return append(b, ' ') }, reason: Mismatch, message: mismatch},
		{name: "an empty body", key: longKey, body: func([]byte) []byte { return nil }, reason: Mismatch, message: mismatch},
		{name: "another operation", key: longKey, after: func(r *http.Request) { r.Header.Set("X-Amz-Target", "CodeBuild_20161006.DeleteProject") }, reason: Mismatch, message: mismatch},
		{name: "a second operation", key: longKey, after: func(r *http.Request) { r.Header.Add("X-Amz-Target", "CodeBuild_20161006.DeleteProject") }, reason: Mismatch, message: mismatch},
		{name: "another host", key: longKey, after: func(r *http.Request) { r.Host = "127.0.0.1" }, reason: Mismatch, message: mismatch},
		{name: "another method", key: longKey, after: func(r *http.Request) { r.Method = "PUT" }, reason: Mismatch, message: mismatch},
		{name: "another path", key: longKey, after: func(r *http.Request) { r.RequestURI = "/x" }, reason: Mismatch, message: mismatch},
		{name: "another query", key: longKey, after: func(r *http.Request) { r.RequestURI = "/?a=b" }, reason: Mismatch, message: mismatch},
		{name: "another region", key: longKey, after: replaceAuthorization("eu-west-1", "us-east-1"), reason: Mismatch, message: mismatch},
		{name: "a signature in capitals", key: longKey, after: func(r *http.Request) {
			before, after, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature="+strings.ToUpper(after))
		}, reason: Mismatch, message: mismatch},
		{name: "an empty body's hash with a body", key: longKey, before: func(r *http.Request) {
			h := bodyHash(nil)
			r.Header.Set("X-Amz-Content-Sha256", string(h[:]))
		}, reason: Mismatch, message: "The provided 'x-amz-content-sha256' header does not match what was computed."},
		{name: "an unsigned payload", key: longKey, before: func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, reason: Mismatch,
			message: "The provided 'x-amz-content-sha256' header does not match what was computed."},

		{name: "host left unsigned", key: longKey, after: replaceAuthorization(";host;", ";"), reason: Mismatch,
			message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{name: "the operation left unsigned", key: longKey, after: replaceAuthorization(";x-amz-target", ""), reason: Mismatch,
			message: "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."},

		{name: "the day before", key: longKey, after: replaceAuthorization("/20261123/", "/20261122/"), reason: Mismatch,
			message: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T001000Z'."},
		{name: "a clock far behind", key: longKey, at: now.Add(-15*time.Minute - time.Second), reason: Mismatch,
			message: "Signature expired: 20261122T235459Z is now earlier than 20261122T235500Z (20261123T001000Z - 15 min.)"},
		{name: "a clock far ahead", key: longKey, at: now.Add(15*time.Minute + time.Second), reason: Mismatch,
			message: "Signature not yet current: 20261123T002501Z is still later than 20261123T002500Z (20261123T001000Z + 15 min.)"},
		{name: "another service", key: longKey, service: "logs", reason: Mismatch, message: "Credential should be scoped to correct service: 'logs'."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			at := test.at
			if at.IsZero() {
				at = now
			}
			r, body := call(t, test.key, at, test.before)
			if test.after != nil {
				test.after(r)
			}
			if test.body != nil {
				body = test.body(body)
			}
			service := test.service
			if service == "" {
				service = "codebuild"
			}
			caller, err := NewVerifier(ring, func() time.Time { return now }).Verify(r, body, service)
			refused, _ := errors.AsType[*Error](err)
			switch {
			case test.message == "" && err != nil:
				t.Fatalf("Verify: %v", err)
			case test.message == "":
				if caller.KeyID != test.key.ID || caller.User != test.key.User || caller.Scope.Region != "eu-west-1" || caller.Scope.Account != "123456789012" {
					t.Errorf("Verify = %+v", caller)
				}
			case refused == nil:
				t.Fatalf("Verify: %v, want %q", err, test.message)
			case *refused != Error{test.reason, test.message}:
				t.Errorf("Verify: %+v, want %+v", *refused, Error{test.reason, test.message})
			case caller != accesskey.Caller{}:
				t.Errorf("a refused request has a caller: %+v", caller)
			}
		})
	}
}

func TestASessionKeyExpires(t *testing.T) {
	late := tempKey.Expires
	r, body := call(t, tempKey, late, nil)
	_, err := NewVerifier(ring, func() time.Time { return late }).Verify(r, body, "codebuild")
	if refused, ok := errors.AsType[*Error](err); !ok || refused.Reason != ExpiredKey {
		t.Errorf("Verify: %v, want %q", err, expiredKeyText)
	}
}

func TestDateHeaderStandsInForXAmzDate(t *testing.T) {
	// Signed by hand, since Sign always sends X-Amz-Date.
	body := []byte("{}")
	r := received(t, "POST", "/", http.Header{"Host": {"localhost"}, "Date": {now.Format(http.TimeFormat)}}, "")
	a := Authorization{KeyID: longKey.ID, Date: "20261123", Region: "eu-west-1", Service: "codebuild", SignedHeaders: "date;host"}
	sum := signature(derive(a, longKey), r, view{}, a, "20261123T001000Z", bodyHash(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIALONG/20261123/eu-west-1/codebuild/aws4_request, SignedHeaders=date;host, Signature="+string(sum[:]))
	if _, err := NewVerifier(ring, func() time.Time { return now }).Verify(r, body, "codebuild"); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestAFailingLookUpIsNoRefusal(t *testing.T) {
	r, body := call(t, longKey, now, nil)
	_, err := NewVerifier(broken{}, func() time.Time { return now }).Verify(r, body, "codebuild")
	if _, refused := errors.AsType[*Error](err); refused || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Verify: %v, want the failure of the look-up", err)
	}
}

type broken struct{}

func (broken) Key(context.Context, string) (accesskey.Key, error) {
	return accesskey.Key{}, context.DeadlineExceeded
}

func TestDerivedKeysFollowTheSecretAndAreBounded(t *testing.T) {
	keys := keyring{longKey.ID: longKey}
	v := NewVerifier(keys, func() time.Time { return now })
	verify := func(key accesskey.Key) error {
		r, body := call(t, key, now, nil)
		_, err := v.Verify(r, body, "codebuild")
		return err
	}
	for range 2 {
		if err := verify(longKey); err != nil {
			t.Fatal(err)
		}
	}
	changed := longKey
	changed.Secret = secret.New("another secret")
	if err := verify(changed); err == nil {
		t.Error("a secret that is not the key's was accepted")
	}
	keys[longKey.ID] = changed
	if err := verify(longKey); err == nil {
		t.Error("the old secret is good although the key has another one")
	}
	if err := verify(changed); err != nil {
		t.Errorf("the new secret is refused: %v", err)
	}
	for i := range 2 * maxDerived {
		v.derived.keep(Authorization{KeyID: strings.Repeat("k", i)}, longKey, &signingKey{})
	}
	if n := len(v.derived.keys); n > maxDerived {
		t.Errorf("%d derived keys are kept, want at most %d", n, maxDerived)
	}
}

func BenchmarkVerify(b *testing.B) {
	v := NewVerifier(ring, func() time.Time { return now })
	body := []byte(`{"names":["a"]}`)
	r := received(b, "POST", "/", http.Header{
		"Host": {"127.0.0.1:4680"}, "Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"CodeBuild_20161006.BatchGetProjects"},
	}, string(body))
	Sign(r, body, longKey, "eu-west-1", "codebuild", now)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, body, "codebuild"); err != nil {
			b.Fatal(err)
		}
	}
}
