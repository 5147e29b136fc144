// Package sigv4 verifies and makes AWS Signature Version 4 signatures in the
// Authorization header.
package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// maxSkew is how far a client's clock may be from ours.
const maxSkew = 15 * time.Minute

// A Reason says why a request was refused. AWS has a name for each, which
// differs between its protocols.
type Reason int

// The reasons.
const (
	Missing    Reason = iota // there is no signature
	Incomplete               // the Authorization header does not hold what it must
	UnknownKey               // nobody has this key, or its session token is not the one sent
	ExpiredKey               // the key was good once
	Mismatch                 // the signature is not that of this request, now, for this service
)

// Error is a refusal. Message is the sentence AWS answers; it repeats nothing
// of the request but dates.
type Error struct {
	Reason  Reason
	Message string
}

func (e *Error) Error() string { return e.Message }

// Texts that AWS clients know.
const (
	missingText    = "Missing Authentication Token"
	unknownKeyText = "The security token included in the request is invalid."
	expiredKeyText = "The security token included in the request is expired"
	mismatchText   = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// Keys looks access keys up. A key that does not exist is a fault of kind NotFound.
type Keys interface {
	Key(ctx context.Context, id string) (accesskey.Key, error)
}

// A Verifier tells who signed a request. Several goroutines may use it.
type Verifier struct {
	keys    Keys
	now     func() time.Time
	derived derived
	public  view // what Behind was given; its path does not end in a slash
}

// NewVerifier returns a Verifier on keys. A nil now means time.Now.
func NewVerifier(keys Keys, now func() time.Time) *Verifier {
	if now == nil {
		now = time.Now
	}
	return &Verifier{keys: keys, now: now}
}

// Behind has v also accept requests that were signed for publicURL, which is
// where clients reach us through a proxy: the proxy may put another host in
// place of the URL's, and may take the URL's path away. A request that was
// signed as it comes costs nothing more. It returns v; an empty publicURL, or
// one that is no URL, changes nothing. It is to be called before v is used.
func (v *Verifier) Behind(publicURL string) *Verifier {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return v
	}
	host := strings.ToLower(u.Host)
	if port, ok := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; ok { // clients leave it out
		host = strings.TrimSuffix(host, port)
	}
	v.public = view{host: host, path: strings.TrimRight(u.EscapedPath(), "/")}
	return v
}

// views returns how else than it came r's client may have seen us.
func (v *Verifier) views(r *http.Request) []view {
	if v.public.host == "" {
		return nil
	}
	hosts, paths := []string{""}, []string{""}
	if r.Host != v.public.host {
		hosts = append(hosts, v.public.host)
	}
	if v.public.path != "" {
		path, _ := target(r)
		paths = append(paths, v.public.path+path)
		if path == "/" { // some clients call a URL without its last slash
			paths = append(paths, v.public.path)
		}
	}
	var all []view
	for _, host := range hosts {
		for _, path := range paths {
			all = append(all, view{host, path})
		}
	}
	return all[1:] // the first is how it came
}

// Verify returns who signed r for service, which is the signing name such as
// "codebuild"; body is the whole body of r, which may have been read. What r
// is refused for is an *Error; any other error is a failure of the look-up.
//
// The headers that the client names are the signed ones, as they came: of
// those, host and, if sent, x-amz-target are required. The body is always
// signed: UNSIGNED-PAYLOAD and the streaming forms are refused, as are
// presigned URLs.
func (v *Verifier) Verify(r *http.Request, body []byte, service string) (accesskey.Caller, error) {
	a, err := authorization(r)
	if err != nil {
		return accesskey.Caller{}, err
	}
	stamp, err := v.timestamp(r, a)
	if err != nil {
		return accesskey.Caller{}, err
	}
	if a.Service != service {
		return accesskey.Caller{}, &Error{Mismatch, "Credential should be scoped to correct service: '" + service + "'."}
	}
	if err := a.covers(r); err != nil {
		return accesskey.Caller{}, err
	}
	hash := bodyHash(body)
	if sent := r.Header.Values("X-Amz-Content-Sha256"); len(sent) > 1 || (len(sent) == 1 && sent[0] != string(hash[:])) {
		return accesskey.Caller{}, &Error{Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed."}
	}
	key, err := v.keys.Key(r.Context(), a.KeyID)
	known := err == nil && !key.Secret.IsZero()
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return accesskey.Caller{}, fmt.Errorf("look up access key: %w", err)
	case !known:
		// The work for an unknown key is that for a known one.
		key = accesskey.Key{Secret: secret.New(strings.Repeat("x", 40))}
	}
	signing, fresh := v.derived.key(a, key)
	want := signature(signing, r, view{}, a, stamp, hash)
	right := subtle.ConstantTimeCompare(want[:], []byte(a.Signature)) == 1
	if !right {
		for _, as := range v.views(r) {
			want := signature(signing, r, as, a, stamp, hash)
			right = right || subtle.ConstantTimeCompare(want[:], []byte(a.Signature)) == 1
		}
	}
	token := subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Amz-Security-Token")), []byte(key.SessionToken.Reveal())) == 1
	switch {
	case !known || !token:
		return accesskey.Caller{}, &Error{UnknownKey, unknownKeyText}
	case !right:
		return accesskey.Caller{}, &Error{Mismatch, mismatchText}
	case key.Expired(v.now()):
		return accesskey.Caller{}, &Error{ExpiredKey, expiredKeyText}
	}
	if fresh { // not before, so that strangers cannot wash the good ones out
		v.derived.keep(a, key, signing)
	}
	return accesskey.Caller{
		Scope: arn.Scope{Account: key.Account, Region: strings.Clone(a.Region)},
		KeyID: key.ID,
		User:  key.User,
	}, nil
}

// timestamp returns the time of the signature in the form that was signed,
// after holding it against our clock and the credential's date.
func (v *Verifier) timestamp(r *http.Request, a Authorization) (string, error) {
	at, ok := signedAt(r.Header)
	if !ok {
		return "", &Error{Incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	}
	stamp := at.Format(stampForm)
	if a.Date != stamp[:8] {
		return "", &Error{Mismatch, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			a.Date, stamp[:8], stamp)}
	}
	now := v.now().UTC()
	if earliest := now.Add(-maxSkew); at.Before(earliest.Truncate(time.Second)) {
		return "", &Error{Mismatch, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			stamp, earliest.Format(stampForm), now.Format(stampForm))}
	}
	if latest := now.Add(maxSkew); at.After(latest) {
		return "", &Error{Mismatch, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)",
			stamp, latest.Format(stampForm), now.Format(stampForm))}
	}
	return stamp, nil
}

const stampForm = "20060102T150405Z"

// signedAt reads X-Amz-Date or, if that is not sent, Date.
func signedAt(h http.Header) (time.Time, bool) {
	stamps := h.Values("X-Amz-Date")
	if len(stamps) == 0 {
		stamps = h.Values("Date")
	}
	if len(stamps) != 1 {
		return time.Time{}, false
	}
	if len(stamps[0]) == len(stampForm) { // time.Parse would accept a fraction of a second
		at, err := time.Parse(stampForm, stamps[0])
		return at, err == nil
	}
	at, err := http.ParseTime(stamps[0])
	return at.UTC(), err == nil && len(h.Values("X-Amz-Date")) == 0
}

type hexHash [2 * sha256.Size]byte

func bodyHash(body []byte) hexHash {
	sum := sha256.Sum256(body)
	var h hexHash
	hex.Encode(h[:], sum[:])
	return h
}
