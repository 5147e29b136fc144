package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/internal/accesskey"
)

// Sign signs r, whose whole body is body, with key at now: it sets X-Amz-Date,
// Authorization and, for a key that has one, X-Amz-Security-Token. Host,
// Content-Type and every x-amz- header of r are signed; change none of them later.
func Sign(r *http.Request, body []byte, key accesskey.Key, region, service string, now time.Time) {
	stamp := now.UTC().Format(stampForm)
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Del("X-Amz-Security-Token")
	if !key.SessionToken.IsZero() {
		r.Header.Set("X-Amz-Security-Token", key.SessionToken.Reveal())
	}
	signed := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			signed = append(signed, name)
		}
	}
	slices.Sort(signed)
	a := Authorization{KeyID: key.ID, Date: stamp[:8], Region: region, Service: service, SignedHeaders: strings.Join(signed, ";")}
	sum := signature(derive(a, key), r, view{}, a, stamp, bodyHash(body))
	r.Header.Set("Authorization", algorithm+" Credential="+a.KeyID+"/"+a.Date+"/"+region+"/"+service+"/aws4_request, SignedHeaders="+
		a.SignedHeaders+", Signature="+string(sum[:]))
}

// scratch holds what is built only to be hashed.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// signature returns the signature of r in hexadecimal.
func signature(signing *signingKey, r *http.Request, as view, a Authorization, stamp string, body hexHash) hexHash {
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	b := appendCanonical((*buffer)[:0], r, as, a.SignedHeaders, body)
	canonical := sha256.Sum256(b)
	b = append(b[:0], algorithm+"\n"...)
	b = append(b, stamp...)
	b = append(b, '\n')
	b = append(b, a.Date...)
	b = append(b, '/')
	b = append(b, a.Region...)
	b = append(b, '/')
	b = append(b, a.Service...)
	b = append(b, "/aws4_request\n"...)
	b = hex.AppendEncode(b, canonical[:])
	*buffer = b
	sum := signing.sum(b)
	var h hexHash
	hex.Encode(h[:], sum[:])
	return h
}

// A signingKey is a key derived for a day, a region and a service. It keeps the
// hashes set up for it, which costs as much as hashing a request.
type signingKey struct {
	key    [sha256.Size]byte
	hashes sync.Pool // of hash.Hash
}

// sum returns the keyed hash of text.
func (k *signingKey) sum(text []byte) (sum [sha256.Size]byte) {
	h, ok := k.hashes.Get().(hash.Hash)
	if !ok {
		h = hmac.New(sha256.New, k.key[:])
	}
	h.Write(text)
	h.Sum(sum[:0])
	h.Reset()
	k.hashes.Put(h)
	return sum
}

// derive returns the key that signs what a is for.
func derive(a Authorization, key accesskey.Key) *signingKey {
	sum := []byte("AWS4" + key.Secret.Reveal())
	for _, text := range []string{a.Date, a.Region, a.Service, "aws4_request"} {
		h := hmac.New(sha256.New, sum)
		h.Write([]byte(text))
		sum = h.Sum(nil)
	}
	return &signingKey{key: [sha256.Size]byte(sum)}
}

// maxDerived bounds how many derived keys are kept; each is a few hundred bytes.
const maxDerived = 1024

// derived keeps signing keys. The zero value is ready.
type derived struct {
	mu   sync.RWMutex // guards keys
	keys map[derivedFor]derivedKey
}

type derivedFor struct{ id, date, region, service string }

type derivedKey struct {
	signing *signingKey
	secret  string // from which it was derived: a key id may get another one
}

// key returns the signing key for a, and whether it was derived just now.
func (d *derived) key(a Authorization, key accesskey.Key) (signing *signingKey, fresh bool) {
	d.mu.RLock()
	have, ok := d.keys[derivedFor{a.KeyID, a.Date, a.Region, a.Service}]
	d.mu.RUnlock()
	if ok && have.secret == key.Secret.Reveal() {
		return have.signing, false
	}
	return derive(a, key), true
}

// keep remembers a signing key for later requests.
func (d *derived) keep(a Authorization, key accesskey.Key, signing *signingKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil || len(d.keys) >= maxDerived {
		d.keys = map[derivedFor]derivedKey{}
	}
	// The strings are parts of a header, which they would keep in memory.
	at := derivedFor{strings.Clone(a.KeyID), strings.Clone(a.Date), strings.Clone(a.Region), strings.Clone(a.Service)}
	d.keys[at] = derivedKey{signing, key.Secret.Reveal()}
}
