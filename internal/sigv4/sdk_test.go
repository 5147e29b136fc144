package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"slipway/internal/accesskey"
	"slipway/internal/secret"
)

// request is what a client sends, before it is signed.
type request struct {
	method, target, host string
	header               http.Header
	body                 []byte
}

func drawRequest(t *rapid.T) request {
	value := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	r := request{
		method: rapid.SampledFrom([]string{"POST", "GET", "PUT"}).Draw(t, "method"),
		target: "/" + escapePercent(rapid.StringMatching(`([a-zA-Z0-9_~%-]{1,5}/){0,3}`).Draw(t, "path")),
		host:   rapid.StringMatching(`[a-z]{1,9}(\.[a-z]{2,3})?(:4[0-9]{3})?`).Draw(t, "host"),
		header: http.Header{},
		body:   rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
	}
	if query := rapid.StringMatching(`([a-zA-Z0-9~+%.]{1,5}=[a-zA-Z0-9~+%.:/]{0,5}&){0,3}`).Draw(t, "query"); query != "" {
		r.target += "?" + escapePercent(strings.TrimSuffix(query, "&"))
	}
	for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`(X-Amz-)?My-[a-z]{1,5}`), 0, 4, rapid.ID).Draw(t, "headers") {
		r.header[http.CanonicalHeaderKey(name)] = rapid.SliceOfN(value, 1, 3).Draw(t, name)
	}
	r.header.Set("X-Amz-Target", "CodeBuild_20161006.ListProjects")
	return r
}

func escapePercent(s string) string { return strings.ReplaceAll(s, "%", "%25") }

// signed returns r as a server receives it after sign signed it.
func (r request) signed(t *rapid.T, sign func(*http.Request)) *http.Request {
	out, err := http.NewRequest(r.method, "http://"+r.host+r.target, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	out.Header = r.header.Clone()
	sign(out)
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

func TestWhatIsSignedIsVerifiedAndWhatIsChangedIsNot(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		sent := drawRequest(t)
		key := accesskey.Key{
			ID:     rapid.StringMatching(`AKIA[A-Z2-7]{16}`).Draw(t, "id"),
			Secret: secret.New(rapid.StringMatching(`[A-Za-z0-9+/]{40}`).Draw(t, "secret")),
		}
		if rapid.Bool().Draw(t, "session") {
			key.SessionToken = secret.New(rapid.StringMatching(`[A-Za-z0-9+/=]{1,40}`).Draw(t, "token"))
		}
		region := rapid.SampledFrom([]string{"us-east-1", "eu-central-2", "cn-north-1", "us-gov-west-1"}).Draw(t, "region")
		sign := func(r *http.Request) { Sign(r, sent.body, key, region, "codebuild", at) }
		if rapid.Bool().Draw(t, "SDK") {
			sign = func(r *http.Request) {
				hash := bodyHash(sent.body)
				signer := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret.Reveal(), SessionToken: key.SessionToken.Reveal()}
				if err := v4.NewSigner().SignHTTP(t.Context(), signer, r, string(hash[:]), "codebuild", region, at); err != nil {
					t.Fatal(err)
				}
			}
		}
		v := NewVerifier(keyring{key.ID: key}, func() time.Time { return at })
		r := sent.signed(t, sign)
		caller, err := v.Verify(r, sent.body, "codebuild")
		if err != nil {
			t.Fatalf("Verify: %v\n%v %v", err, r.RequestURI, r.Header)
		}
		if caller.KeyID != key.ID || caller.Scope.Region != region {
			t.Fatalf("Verify = %+v", caller)
		}
		r, body := sent.mutated(t, sent.signed(t, sign))
		if _, err := v.Verify(r, body, "codebuild"); err == nil {
			t.Fatalf("a changed request is accepted: %v %v", r.RequestURI, r.Header)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Fatalf("Verify: %v, want a refusal", err)
		}
	})
}

// mutated changes one thing that r's signature covers.
func (r request) mutated(t *rapid.T, in *http.Request) (*http.Request, []byte) {
	body := bytes.Clone(r.body)
	switch rapid.SampledFrom([]string{"body", "method", "path", "query", "host", "header", "date", "authorization"}).Draw(t, "change") {
	case "body":
		if at := rapid.IntRange(0, len(body)).Draw(t, "at"); at < len(body) {
			body[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		} else {
			body = append(body, 0)
		}
	case "method":
		in.Method += "X"
	case "path":
		in.RequestURI = "/new" + in.RequestURI
	case "query":
		path, query, _ := strings.Cut(in.RequestURI, "?")
		in.RequestURI = path + "?new=1&" + query
	case "host":
		in.Host += "x"
	case "header":
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(r.header)), func(name string) bool { return !strings.HasPrefix(name, "X-Amz-") })
		name := rapid.SampledFrom(names).Draw(t, "name")
		in.Header[name][0] += "x"
	case "date":
		in.Header.Set("X-Amz-Date", "20261123T120001Z")
	case "authorization":
		text := []byte(in.Header.Get("Authorization"))
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		if text[at] == ' ' {
			at++ // a second space, or none, says the same
		}
		text[at] ^= 1 << rapid.IntRange(0, 6).Draw(t, "bit")
		in.Header.Set("Authorization", string(text))
	}
	return in, body
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
	f.Add("AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request,SignedHeaders=host,Signature=0")
	f.Add("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature==,")
	f.Add("Basic AWS4-HMAC-SHA256")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := Parse(header)
		if err != nil {
			refused, ok := errors.AsType[*Error](err)
			if !ok || refused.Message == "" {
				t.Fatalf("Parse: %v, want an *Error with a message", err)
			}
			return
		}
		again, err := Parse("AWS4-HMAC-SHA256 Credential=" + a.KeyID + "/" + a.Date + "/" + a.Region + "/" + a.Service +
			"/aws4_request, SignedHeaders=" + a.SignedHeaders + ", Signature=" + a.Signature)
		if err != nil || again != a {
			t.Fatalf("Parse of what Parse read: %+v, %v; want %+v", again, err, a)
		}
		if !isRegion(a.Region) || !isDate(a.Date) || len(a.KeyID) > maxKeyID {
			t.Fatalf("Parse = %+v", a)
		}
	})
}

func BenchmarkSDKSigner(b *testing.B) {
	body := []byte(`{"names":["a"]}`)
	r, _ := http.NewRequest("POST", "http://127.0.0.1:4680/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "CodeBuild_20161006.BatchGetProjects")
	signer := v4.NewSigner()
	hash := bodyHash(body)
	b.ReportAllocs()
	for b.Loop() {
		_ = signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s"}, r, string(hash[:]), "codebuild", "us-east-1", now)
	}
}
