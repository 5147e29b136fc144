package fetch_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
	"slipway/internal/api"
	"slipway/internal/fault"
)

// stranger is a certificate of nobody's.
func stranger(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trusting fetches sources of a project with a certificate.
func (w *world) trusting(t *testing.T, sources ...fetch.Source) fetch.Result {
	t.Helper()
	job := w.job(sources...)
	job.Certificate = "bucket/ca.pem"
	result, err := fetch.Run(t.Context(), self(), job, new(bytes.Buffer))
	must(t, err)
	w.leavesNothing(t)
	return result
}

func TestTheCertificateOfAProject(t *testing.T) {
	w, commit := withApp(t)
	url, ca := overTLS(t, w.Server)
	w.credential.Host = hostOf(url)
	for _, c := range []struct {
		name, object string
		kind         api.SourceType
		credentialCA string
		refusal      error
		want         string // of the failure, its beginning; "" means none
	}{
		{name: "a PEM file", object: "a comment\n" + stranger(t) + ca, kind: "GITHUB_ENTERPRISE"},
		{name: "a PEM file for GitLab", object: ca, kind: "GITLAB_SELF_MANAGED"},
		{name: "a zip archive", object: zipped(t, map[string]string{"readme.txt": "hello", "certs/ca.pem": ca}), kind: "GITHUB_ENTERPRISE"},
		{name: "another certificate", object: stranger(t), kind: "GITHUB_ENTERPRISE", want: "Git clone failed: unable to access '"},
		{name: "the credential's own comes first", object: ca, credentialCA: stranger(t), kind: "GITHUB_ENTERPRISE", want: "Git clone failed: unable to access '"},
		{name: "a provider that everybody knows", object: ca, kind: "GITHUB", want: "Git clone failed: unable to access '"},
		{name: "no object", kind: "GITHUB_ENTERPRISE", refusal: fault.New(fault.NotFound, "NoSuchKey: The specified key does not exist."),
			want: "Unable to download certificate from S3. NoSuchKey: The specified key does not exist. Check the project's environment.certificate, which is bucket/ca.pem."},
		{name: "no access", kind: "GITHUB_ENTERPRISE", refusal: fault.New(fault.Invalid, "AccessDenied"), want: "Unable to download certificate from S3. AccessDenied"},
		{name: "no certificate", object: "hello", kind: "GITHUB_ENTERPRISE", want: "Unable to download certificate from S3. bucket/ca.pem holds no certificate"},
		{name: "a private key", object: "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n", kind: "GITHUB_ENTERPRISE", want: "Unable to download certificate from S3. bucket/ca.pem holds no certificate"},
		{name: "an archive of none", object: zipped(t, map[string]string{"a.pem": "x"}), kind: "GITHUB_ENTERPRISE", want: "Unable to download certificate from S3. bucket/ca.pem holds no certificate"},
		{name: "a broken archive", object: "PK\x03\x04hello", kind: "GITHUB_ENTERPRISE", want: "Unable to download certificate from S3. The archive bucket/ca.pem cannot be read: "},
		{name: "far too much", object: ca + strings.Repeat("x", 1<<20), kind: "GITHUB_ENTERPRISE", want: "Unable to download certificate from S3. bucket/ca.pem holds no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.certificate, w.credential.CA = c.object, c.credentialCA
			w.refuse()
			if c.refusal != nil {
				w.refuse(c.refusal)
			}
			s := w.source(t, "main")
			s.Type, s.URL, s.Location, s.Dir = c.kind, url+"/octo/app.git", url+"/octo/app.git", filepath.Join(t.TempDir(), "src")
			result := w.trusting(t, s)
			switch {
			case c.want == "" && (result.Failure != nil || len(result.Commits) != 1 || result.Commits[0].Commit != commit):
				t.Errorf("Result = %+v, want %s", result, commit)
			case c.want != "" && (result.Failure == nil || !strings.HasPrefix(*result.Failure.Message, c.want)):
				t.Errorf("Failure = %v, want %q", result.Failure, c.want)
			}
		})
	}
}
