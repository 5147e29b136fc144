package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/internal/api/slipway"
	"slipway/internal/awsjson"
)

// A proxy stands before a server as nginx or a load balancer does.
type proxy struct {
	*httptest.Server

	mu       sync.Mutex // guards all below
	to       *url.URL
	keepHost bool
	keepPath bool
}

// newProxy returns a proxy whose clients see the server below /slipway.
func newProxy(t *testing.T) *proxy {
	p := &proxy{}
	reverse := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		p.mu.Lock()
		defer p.mu.Unlock()
		r.Out.URL.Scheme, r.Out.URL.Host = p.to.Scheme, p.to.Host
		r.Out.Host = ""
		if p.keepHost {
			r.Out.Host = r.In.Host
		}
		if !p.keepPath {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/slipway")
		}
		r.SetXForwarded()
	}}
	p.Server = httptest.NewServer(reverse)
	t.Cleanup(p.Close)
	return p
}

// TestBehindAProxy holds that a public URL with a path works whether a proxy
// keeps the Host header and the path or not: clients sign for what they see.
func TestBehindAProxy(t *testing.T) {
	p := newProxy(t)
	public := p.URL + "/slipway"
	s := serve(t, "--public-url", public)
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	codeIn(t, s.printed(), public)
	for _, form := range []struct {
		name               string
		keepHost, keepPath bool
	}{
		{"host and path kept", true, true},
		{"host kept, path taken away", true, false},
		{"host changed, path kept", false, true},
		{"host changed, path taken away", false, false},
	} {
		t.Run(form.name, func(t *testing.T) {
			p.mu.Lock()
			p.to, p.keepHost, p.keepPath = to, form.keepHost, form.keepPath
			p.mu.Unlock()
			config := func(id, secret, token string) aws.Config {
				return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(public), RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)}
			}
			owner := s.client.Key
			session := own[slipway.CreateSessionOutput](t, s.client, "CreateSession", nil).Credentials
			for name, c := range map[string]aws.Config{
				"a long-lived key": config(owner.ID, owner.Secret.Reveal(), ""),
				"a session's key":  config(session.AccessKeyID, session.SecretAccessKey, session.SessionToken),
			} {
				if _, err := codebuild.NewFromConfig(c).ListProjects(t.Context(), &codebuild.ListProjectsInput{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if _, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := codebuild.NewFromConfig(config(owner.ID, "wrong", "")).ListProjects(t.Context(), &codebuild.ListProjectsInput{}); err == nil || !strings.Contains(err.Error(), "InvalidSignatureException") {
				t.Errorf("a wrong secret: %v", err)
			}
			if resp, err := http.Get(public + "/healthz"); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("GET /healthz: %v, %v", resp, err)
			}

			slash := config(owner.ID, owner.Secret.Reveal(), "")
			slash.BaseEndpoint = aws.String(public + "/")
			if _, err := codebuild.NewFromConfig(slash).ListProjects(t.Context(), &codebuild.ListProjectsInput{}); err != nil {
				t.Errorf("a URL that ends in a slash: %v", err)
			}
			through := &awsjson.Client{Endpoint: public, Key: owner, Region: "us-east-1"}
			own[slipway.DescribeServerOutput](t, through, "DescribeServer", nil)

			link := own[slipway.CreateSignInLinkOutput](t, s.client, "CreateSignInLink", nil)
			code := codeIn(t, link.URL, public)
			if got := signInFrom(t, "http://evil.example", public, code); got != http.StatusBadRequest {
				t.Errorf("signing in from another origin: %d", got)
			}
			if got := signInFrom(t, p.URL, public, code); got != http.StatusOK { // the refusal did not use the code up
				t.Errorf("signing in from the console: %d", got)
			}
		})
	}
	t.Run("past the proxy nothing changed", func(t *testing.T) {
		direct := &awsjson.Client{Endpoint: s.url, Key: s.client.Key, Region: "us-east-1"}
		if about := own[slipway.DescribeServerOutput](t, direct, "DescribeServer", nil); about.PublicURL != public || !about.Webhooks {
			t.Errorf("DescribeServer = %+v", about)
		}
	})
	t.Run("the console's own path cannot be the public one", func(t *testing.T) {
		s.expects(2, "", words("serve --public-url https://ci.example.com/console"), "its path cannot be /console")
	})
}

// signInFrom sends a code as a page of an origin does, and returns the status.
func signInFrom(t *testing.T, origin, url, code string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", strings.NewReader(`{"code":"`+code+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "Slipway_20261123.SignIn")
	r.Header.Set("Origin", origin)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func TestWhatIsServedBelowThePublicURL(t *testing.T) {
	mux := http.NewServeMux()
	for _, pattern := range []string{"POST /{$}", "GET /{$}", "POST /webhooks", "GET /console/"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(pattern + " " + r.URL.Path)) })
	}
	for _, test := range []struct{ public, method, path, want string }{
		{"", "POST", "/", "POST /{$} /"},
		{"https://x", "POST", "/slipway/", ""},
		{"https://x/slipway", "POST", "/", "POST /{$} /"},
		{"https://x/slipway", "POST", "/slipway/", "POST /{$} /"},
		{"https://x/slipway", "POST", "/slipway", "POST /{$} /"},
		{"https://x/slipway", "GET", "/slipway", "to /slipway/"},
		{"https://x/slip%20way", "GET", "/slip%20way", "to /slip%20way/"},
		{"https://x/slip%20way", "GET", "/slip%20way/console/a%2Fb", "GET /console/ /console/a/b"},
		{"https://x/slipway", "POST", "/slipway/webhooks", "POST /webhooks /webhooks"},
		{"https://x/slipway", "POST", "/webhooks", "POST /webhooks /webhooks"},
		{"https://x/slipway", "GET", "/slipwayx/", ""},
		{"https://x/slipway", "GET", "/slipway/slipway/", ""},
		{"https://x/webhooks", "POST", "/webhooks", "POST /webhooks /webhooks"},
		{"https://x/webhooks", "POST", "/webhooks/webhooks", "POST /webhooks /webhooks"},
	} {
		w := httptest.NewRecorder()
		below(test.public, mux).ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		got := w.Body.String()
		switch w.Code {
		case http.StatusFound:
			got = "to " + w.Header().Get("Location")
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			got = ""
		}
		if got != test.want {
			t.Errorf("%s %s below %q: %d %s, want %s", test.method, test.path, test.public, w.Code, got, test.want)
		}
	}
}
