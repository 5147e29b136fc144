package fetch_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source/sourcetest"
)

const (
	otherCanary = "glpat-0therc4nary0therc4nary"
	otherARN    = "arn:aws:codebuild:us-east-1:000000000000:token/gitlab"
)

// withOtherProvider is a world whose octo/app has two private submodules:
// vendor/lib of its own host, and vendor/far of another provider, to which the
// server knows another login.
func withOtherProvider(t *testing.T) (w *world, other *sourcetest.Server, far string) {
	t.Helper()
	other = newProvider(t)
	other.AddToken(sourcetest.Token{Value: otherCanary, Login: "otto", Scopes: []string{"repo"}})
	must(t, other.CreateRepository("team", "far", true))
	far, err := other.Commit("team", "far", "main", map[string]string{"far.txt": "x"}, "far")
	must(t, err)
	w, lib := withSubmodule(t, func(*world) string { return "../lib.git" })
	_, err = w.Submodule("octo", "app", "main", "vendor/far", other.CloneURL("team", "far"), far)
	must(t, err)
	w.modules(t, module{"vendor/lib", "../lib.git"}, module{"vendor/far", other.CloneURL("team", "far")})
	_ = lib
	w.others = map[string]agentapi.Credential{hostOf(other.URL()): {
		Username: "otto", Password: agentapi.Bearer{Text: secret.New(otherCanary)}, Host: hostOf(other.URL()), ARN: otherARN,
	}}
	return w, other, far
}

func hostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

// A module is an entry of .gitmodules; its URL stands there between quotes.
type module struct{ path, url string }

// modules writes .gitmodules of octo/app.
func (w *world) modules(t *testing.T, all ...module) {
	t.Helper()
	text := ""
	for _, m := range all {
		text += "[submodule \"" + m.path + "\"]\n\tpath = " + m.path + "\n\turl = \"" + m.url + "\"\n"
	}
	_, err := w.Commit("octo", "app", "main", map[string]string{".gitmodules": text}, "submodules")
	must(t, err)
}

func (w *world) withSubmodules(t *testing.T) fetch.Source {
	s := w.source(t, "")
	s.Submodules = true
	return s
}

func TestEverySubmoduleGetsTheLoginOfItsURL(t *testing.T) {
	w, other, far := withOtherProvider(t)
	s := w.withSubmodules(t)
	result, log := w.fetch(t, s)
	if result.Failure != nil {
		t.Fatalf("Failure = %s\n%s", *result.Failure.Message, log)
	}
	if got := git(t, filepath.Join(s.Dir, "vendor/far"), "rev-parse", "HEAD"); got != far {
		t.Errorf("vendor/far is at %s, want %s", got, far)
	}
	want := "Submodule vendor/far (" + other.CloneURL("team", "far") + "): fetched with the login of " + otherARN + ".\n" +
		"Submodule vendor/lib (" + w.CloneURL("octo", "lib") + "): fetched with the login of " + arn + ".\n"
	if log != want {
		t.Errorf("log = %q\nwant  %q", log, want)
	}
	for name, requests := range map[string][]sourcetest.Request{"mona": w.Requests(), "otto": other.Requests()} {
		logins := 0
		for _, r := range requests {
			if r.Authorization {
				logins++
			}
			if r.Authorization && r.Login != name {
				t.Errorf("the provider of %s got another's login: %+v", name, r)
			}
		}
		if logins == 0 {
			t.Errorf("the provider of %s got no login", name)
		}
	}
	if want := []string{other.CloneURL("team", "far"), w.CloneURL("octo", "lib")}; strings.Join(w.urls, " ") != strings.Join(want, " ") {
		t.Errorf("the server was asked for %q, want %q", w.urls, want)
	}
}

func TestAnAddressIsAskedForOnce(t *testing.T) {
	w, lib := withSubmodule(t, func(*world) string { return "../lib.git" })
	for _, path := range []string{"a", "b"} {
		_, err := w.Submodule("octo", "app", "main", path, "../lib.git", lib)
		must(t, err)
	}
	w.modules(t, module{"vendor/lib", "../lib.git"}, module{"a", w.CloneURL("octo", "lib")}, module{"b", "git@127.0.0.1:octo/lib"})
	w.fetched(t, w.withSubmodules(t))
	if len(w.urls) != 1 {
		t.Errorf("the server was asked for %q", w.urls)
	}
}

// Whoever can push to a repository writes its .gitmodules.
func TestAHostileSubmoduleGetsNoLogin(t *testing.T) {
	const stolen = "http://thief.invalid/x.git"
	for _, c := range []struct {
		name string
		url  func(w *world, thief *sourcetest.Server) string
		says string // in the message
		log  string
	}{
		{"at another port of the same host", func(_ *world, thief *sourcetest.Server) string { return thief.CloneURL("octo", "lib") },
			"no source credential is known for 127.0.0.1:", "fetched without a login, since no source credential covers it"},
		{"at another host", func(_ *world, thief *sourcetest.Server) string {
			return strings.Replace(thief.CloneURL("octo", "lib"), "127.0.0.1", "localhost", 1)
		}, "no source credential is known for localhost:", "fetched without a login"},
		{"at another host, with ours as its user", func(w *world, thief *sourcetest.Server) string {
			return strings.Replace(thief.CloneURL("octo", "lib"), "://", "://127.0.0.1@", 1)
		}, "no source credential is known for 127.0.0.1:", "fetched without a login"},
		{"over https where ours is http", func(w *world, _ *sourcetest.Server) string {
			return strings.Replace(w.CloneURL("octo", "lib"), "http:", "https:", 1)
		}, "", "fetched without a login"},
		{"with a login in its URL", func(w *world, _ *sourcetest.Server) string {
			return strings.Replace(w.CloneURL("octo", "lib"), "://", "://mona:hunter2@", 1)
		}, "There is a login in its url in .gitmodules", "there is a login in its URL, which is not used"},
		{"with a line break in its URL", func(w *world, thief *sourcetest.Server) string {
			return thief.CloneURL("octo", "lib") + `\nhost=` + hostOf(w.URL())
		}, "", "its URL cannot be read, so no login is given"},
		{"with an escaped line break in its URL", func(w *world, thief *sourcetest.Server) string {
			return thief.URL() + "/%0ahost=" + hostOf(w.URL()) + "%0a/octo/lib.git"
		}, "", "its URL cannot be read, so no login is given"},
		{"with a carriage return in its URL", func(w *world, thief *sourcetest.Server) string {
			return thief.URL() + "/octo/lib.git\r"
		}, "", "so no login is given"},
		{"with an escaped carriage return in its host", func(w *world, thief *sourcetest.Server) string {
			return "http://" + hostOf(w.URL()) + "%0d/octo/lib.git"
		}, "", "its URL cannot be read, so no login is given"},
		{"that redirects", func(w *world, thief *sourcetest.Server) string {
			w.Redirect("octo/moved", thief.URL()+"/octo/lib.git")
			return w.CloneURL("octo", "moved")
		}, "to which no token of ours is sent", "fetched with the login of " + arn},
	} {
		t.Run(c.name, func(t *testing.T) {
			thief := newProvider(t)
			must(t, thief.CreateRepository("octo", "lib", true))
			thief.OnRequest(func(r *http.Request) {
				if _, password, ok := r.BasicAuth(); ok && password != "" { // git sends a user name of the URL by itself
					t.Errorf("the thief got a login: %v", r.URL)
				}
			})
			w, _ := withSubmodule(t, func(*world) string { return stolen })
			w.modules(t, module{"vendor/lib", c.url(w, thief)})
			before := len(w.Requests())
			message, log := w.fails(t, w.withSubmodules(t))
			if !strings.Contains(message, c.says) || !strings.Contains(log, c.log) {
				t.Errorf("message = %q, log = %q, want %q and %q", message, log, c.says, c.log)
			}
			if strings.Contains(message+log, "hunter2") {
				t.Errorf("the login in the URL is repeated: %q, %q", message, log)
			}
			for _, r := range w.Requests()[before:] {
				if r.Authorization && strings.Contains(r.Path, "lib") {
					t.Errorf("our provider got a login for the submodule: %+v", r)
				}
			}
		})
	}
}

func TestAUserNameInASubmodulesURLIsReplaced(t *testing.T) {
	w, _ := withSubmodule(t, func(w *world) string { return strings.Replace(w.CloneURL("octo", "lib"), "://", "://somebody@", 1) })
	w.fetched(t, w.withSubmodules(t))
}

func TestALoginThatTheServerWillNotGive(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	w.refuse(nil, fault.New(fault.Invalid, "The credential is of a type that cannot be used."))
	message, log := w.fails(t, w.withSubmodules(t))
	for text, want := range map[string]string{
		message: "No login was given for it: The credential is of a type that cannot be used.",
		log:     "fetched without a login. The credential is of a type that cannot be used.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

func TestASubmoduleInsideASubmoduleIsNamedInFull(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	thief := newProvider(t)
	must(t, thief.CreateRepository("octo", "deep", true))
	lib, err := w.Submodule("octo", "lib", "main", "deep/er", thief.CloneURL("octo", "deep"), strings.Repeat("12", 20))
	must(t, err)
	_, err = w.Submodule("octo", "app", "main", "vendor/lib", "../lib.git", lib)
	must(t, err)
	message, log := w.fails(t, w.withSubmodules(t))
	if !strings.Contains(message, "the submodule vendor/lib/deep/er could not be fetched from "+thief.CloneURL("octo", "deep")) {
		t.Errorf("message = %q", message)
	}
	if !strings.Contains(log, "Submodule vendor/lib/deep/er (") {
		t.Errorf("log = %q", log)
	}
}

func TestARenamedSubmodule(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	must(t, w.Rename("octo/lib", "octo/library"))
	message, _ := w.fails(t, w.withSubmodules(t))
	for _, want := range []string{"repository moved for primary source: the submodule vendor/lib", "It is at " + w.CloneURL("octo", "library") + " now", "change its url in .gitmodules"} {
		if !strings.Contains(message, want) {
			t.Errorf("message = %q, want %q in it", message, want)
		}
	}
}

// overTLS serves a provider over https, with a certificate that nobody trusts.
func overTLS(t *testing.T, p *sourcetest.Server) (url, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(http.Handler(p))
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestTheCertificatesOfACredential(t *testing.T) {
	w, commit := withApp(t)
	url, ca := overTLS(t, w.Server)
	w.credential.Host, w.credential.CA = hostOf(url), ca
	s := w.source(t, "main")
	s.URL, s.Location = url+"/octo/app.git", url+"/octo/app.git"
	if got := w.fetched(t, s).Commits[0].Commit; got != commit {
		t.Errorf("commit %s, want %s", got, commit)
	}

	empty := filepath.Join(t.TempDir(), "empty.pem")
	must(t, os.WriteFile(empty, []byte("\n"), 0o600))
	t.Setenv("SSL_CERT_FILE", empty) // the credential's are trusted beside the operator's
	s.Dir = filepath.Join(t.TempDir(), "src")
	w.fetched(t, s)

	must(t, w.Rename("octo/app", "octo/renamed"))
	s.Dir = filepath.Join(t.TempDir(), "src")
	if message, _ := w.fails(t, s); !strings.Contains(message, " is at "+url+"/octo/renamed.git now") {
		t.Errorf("message = %q", message)
	}
}

// Whoever gave the token said whom to trust: a project's editor cannot have it
// sent to another.
func TestInsecureDoesNotOverruleTheCertificatesOfACredential(t *testing.T) {
	w, commit := withApp(t)
	url, ca := overTLS(t, w.Server)
	s := w.source(t, "main")
	s.URL, s.Location, s.Insecure = url+"/octo/app.git", url+"/octo/app.git", true
	w.credential.Host, w.credential.CA = hostOf(url), ca
	if got := w.fetched(t, s).Commits[0].Commit; got != commit {
		t.Errorf("commit %s, want %s", got, commit)
	}

	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	another := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, another, another, public, private)
	must(t, err)
	w.credential.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	before := len(w.Requests())
	s.Dir = filepath.Join(t.TempDir(), "src")
	message, _ := w.fails(t, s)
	if !strings.Contains(message, "SSL certificate problem") || strings.Contains(message, "insecureSsl") {
		t.Errorf("message = %q, want that the certificate is refused, and no advice that does not help", message)
	}
	if n := len(w.Requests()); n != before {
		t.Errorf("%d requests reached whoever has another certificate", n-before)
	}
}

func TestTheCertificatesOfASubmodulesCredential(t *testing.T) {
	w, other, _ := withOtherProvider(t)
	url, ca := overTLS(t, other)
	w.modules(t, module{"vendor/lib", "../lib.git"}, module{"vendor/far", url + "/team/far.git"})
	host := hostOf(url)
	w.others[host] = agentapi.Credential{Username: "otto", Password: agentapi.Bearer{Text: secret.New(otherCanary)}, Host: host, ARN: otherARN, CA: ca}
	w.fetched(t, w.withSubmodules(t))

	// They are trusted at that host alone.
	again, _ := overTLS(t, other)
	w.modules(t, module{"vendor/lib", "../lib.git"}, module{"vendor/far", again + "/team/far.git"})
	w.others[hostOf(again)] = agentapi.Credential{Username: "otto", Password: agentapi.Bearer{Text: secret.New(otherCanary)}, Host: host, ARN: otherARN, CA: ca}
	message, _ := w.fails(t, w.withSubmodules(t))
	if !strings.HasPrefix(message, "Git clone failed: unable to access '"+again) || !strings.Contains(message, "--ca-file <file>") || !strings.Contains(message, "--host "+hostOf(again)) {
		t.Errorf("message = %q", message)
	}
}
