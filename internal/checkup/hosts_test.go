package checkup

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// stranger is a server that takes whatever token it is sent, and counts them.
func (b *bench) stranger() (url string, sent *atomic.Int64) {
	sent = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			sent.Add(1)
		}
		w.Write([]byte(`{"login":"mallory"}`))
	}))
	b.t.Cleanup(s.Close)
	return s.URL, sent
}

func (b *bench) pick(arn string) credential.About {
	b.t.Helper()
	a, err := b.ring.Pick(b.t.Context(), scope, arn)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// composed returns a token for a GitHub Enterprise Server as it is imported.
func composed(t *testing.T, in slipway.ImportCredentialInput) credential.Credential {
	t.Helper()
	in.ServerType = slipway.ServerTypeGithubEnterprise
	if in.AuthType == "" {
		in.AuthType = slipway.AuthTypePersonalAccessToken
	}
	c, err := credential.NewNamed(scope, &in, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestATokenIsCheckedAtNoSecondHost(t *testing.T) {
	b := newBench(t, Options{})
	elsewhere, sent := b.stranger()
	b.repository("app", "team", "recipes", false)
	b.project("zed", elsewhere+"/team/recipes", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	h, err := b.Check(t.Context(), scope, a.ARN, b.provider.CloneURL("team", "recipes"))
	if err != nil || h.State != slipway.CredentialStateValid {
		t.Fatalf("at the first host: %+v, %v", h, err)
	}
	if a = b.pick(a.ARN); len(a.Hosts) != 1 {
		t.Errorf("its use bound it to %v, want one host", a.Hosts)
	}
	h, err = b.Check(t.Context(), scope, a.ARN, elsewhere+"/team/recipes")
	if err != nil || h.Cause != slipway.FailureCauseWrongHost {
		t.Errorf("at another project's host: %+v, %v", h, err)
	}
	if n := sent.Load(); n != 0 {
		t.Errorf("the token was sent %d times to a second host", n)
	}
}

func TestATokenListsRepositoriesAtNoSecondHost(t *testing.T) {
	b := newBench(t, Options{})
	elsewhere, sent := b.stranger()
	b.repository("app", "team", "recipes", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	if page, _, _, err := b.Repositories(t.Context(), a, "", "", ""); err != nil || len(page) != 1 {
		t.Errorf("Repositories = %+v, %v", page, err)
	}
	b.project("aaa", elsewhere+"/team/recipes", false) // it comes before the other
	if page, _, _, err := b.Repositories(t.Context(), b.pick(a.ARN), "", "", ""); err != nil || len(page) != 1 || page[0].FullName != "team/recipes" {
		t.Errorf("once it is bound: %+v, %v", page, err)
	}
	if n := sent.Load(); n != 0 {
		t.Errorf("the token was sent %d times to a second host", n)
	}
}

func TestAProjectTellsThatAHostSpeaksHTTPOnly(t *testing.T) {
	b := newBench(t, Options{})
	host := strings.TrimPrefix(b.provider.URL(), "http://")
	a := b.imports(api.ServerTypeGithubEnterprise, good, func(c *credential.Credential) { c.Hosts = []string{host} })
	if _, _, _, err := b.Repositories(t.Context(), a, "", "", ""); err == nil || !strings.Contains(err.Error(), "It was asked at https://"+host+"; if it speaks HTTP only, ") {
		t.Errorf("without a project: %v", err)
	}
	b.repository("app", "team", "recipes", false)
	for _, at := range []string{"", host} {
		if page, _, _, err := b.Repositories(t.Context(), a, at, "", ""); err != nil || len(page) != 1 {
			t.Errorf("at %q: %+v, %v", at, page, err)
		}
	}
}

func TestListedRepositoriesAreWhereProjectsMayBe(t *testing.T) {
	b := newBench(t, Options{})
	b.options.Endpoints = source.Endpoints{api.ServerTypeGithub: b.provider.URL()}
	if err := b.provider.CreateRepository("team", "recipes", true); err != nil {
		t.Fatal(err)
	}
	a := b.imports(api.ServerTypeGithub, good, nil)
	page, _, _, err := b.Repositories(t.Context(), a, "", "", "")
	if err != nil || len(page) != 1 || page[0].CloneURL != "https://github.com/team/recipes.git" {
		t.Errorf("Repositories = %+v, %v", page, err)
	}
}

func TestATokenIsNotSentInTheClear(t *testing.T) {
	b := newBench(t, Options{})
	a := b.imports(api.ServerTypeGithubEnterprise, good, func(c *credential.Credential) { c.Hosts = []string{"localhost", "git.invalid/ghe"} })
	for _, url := range []string{"http://localhost/team/recipes", "https://git.invalid/other/team/recipes"} {
		if h, err := b.Check(t.Context(), scope, a.ARN, url); err == nil && h.Cause != slipway.FailureCauseWrongHost || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", url, h, err)
		}
	}
}

func TestANewTokenGoesWhereThePresentOneMay(t *testing.T) {
	for _, test := range []struct {
		name  string
		there bool // a token is there already, and bound
	}{
		{"in place of one that is bound", true},
		{"as the first one", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, Options{})
			elsewhere, sent := b.stranger()
			b.project("aaa", elsewhere+"/team/recipes", false)
			b.repository("app", "team", "recipes", false)
			if test.there {
				a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
				if _, err := b.db.Credentials().BindHosts(t.Context(), a.ARN, strings.TrimPrefix(b.provider.URL(), "http://")); err != nil {
					t.Fatal(err)
				}
			}
			n := composed(t, slipway.ImportCredentialInput{Token: secret.New(good)})
			h, replaces, affected, err := b.Replace(t.Context(), n)
			if err != nil || replaces != test.there {
				t.Fatalf("Replace = %+v, %t, %v", h, replaces, err)
			}
			if test.there && (h.State != slipway.CredentialStateValid || len(affected) != 1 || affected[0].ProjectName != "app") {
				t.Errorf("Replace = %+v, %+v", h, affected)
			}
			if !test.there && (h.State != slipway.CredentialStateUnchecked || len(affected) != 2) {
				t.Errorf("of two hosts one was chosen: %+v, %+v", h, affected)
			}
			if err := b.CheckBefore(t.Context(), n); err != nil {
				t.Errorf("CheckBefore: %v", err)
			}
			if n := sent.Load(); n != 0 {
				t.Errorf("the token was sent %d times to a host that it would not be bound to", n)
			}
		})
	}
}

func TestWhatReallyWouldServeIsTold(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", false)
	b.imports(api.ServerTypeGithubEnterprise, good, nil)
	n := composed(t, slipway.ImportCredentialInput{Name: "spare", Token: secret.New(good)})
	if _, _, affected, err := b.Replace(t.Context(), n); err != nil || len(affected) != 0 {
		t.Errorf("one that serves only who names it: %+v, %v", affected, err)
	}
	n = composed(t, slipway.ImportCredentialInput{Name: "spare", Token: secret.New(good), Match: &slipway.CredentialMatch{Host: "127.0.0.1"}})
	if _, _, affected, err := b.Replace(t.Context(), n); err != nil || len(affected) != 1 {
		t.Errorf("one whose match names the host without its port: %+v, %v", affected, err)
	}
}

func TestAReferenceLeadsNoTokenElsewhere(t *testing.T) {
	b := newBench(t, Options{})
	elsewhere, sent := b.stranger()
	b.project("app", elsewhere+"/team/recipes", false)
	real := b.stores(composed(t, slipway.ImportCredentialInput{Name: "real", Token: secret.New(good), Hosts: []string{"ghe.example"}}))
	there := strings.TrimPrefix(elsewhere, "http://")
	for name, hosts := range map[string][]string{"without hosts": nil, "with others": {there}} {
		a := b.stores(composed(t, slipway.ImportCredentialInput{
			Name: "pointer", AuthType: slipway.AuthTypeCodeconnections, Token: secret.New(real.ConnectionARN), Hosts: hosts,
			Match: &slipway.CredentialMatch{Owner: "team"},
		}))
		for _, url := range []string{"", elsewhere + "/team/recipes"} {
			if h, err := b.Check(t.Context(), scope, a.ARN, url); err != nil || h.State == slipway.CredentialStateValid {
				t.Errorf("%s, at %q: %+v, %v", name, url, h, err)
			}
		}
		_ = b.db.Credentials().Delete(t.Context(), scope, a.ARN)
	}
	if n := sent.Load(); n != 0 {
		t.Errorf("the token was sent %d times to a host that it is not bound to", n)
	}
}
