package credential

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// certificate returns a new certificate in PEM, and its key.
func certificate(t testing.TB) (cert, key string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: then.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func imports(change func(*slipway.ImportCredentialInput)) *slipway.ImportCredentialInput {
	in := &slipway.ImportCredentialInput{Name: "acme", ServerType: "GITHUB_ENTERPRISE", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("hunter2\n")}
	change(in)
	return in
}

func TestANamedCredential(t *testing.T) {
	ca, _ := certificate(t)
	c, err := NewNamed(here, imports(func(in *slipway.ImportCredentialInput) {
		in.Match = &slipway.CredentialMatch{Host: "GHE.example", Owner: "Acme", Repository: "app-*.git"}
		in.Hosts = []string{"https://GHE.example/", "ghe.example:443", "http://old.example", "git.example:8443/gitlab/"}
		in.CaBundle, in.Expires, in.Username = ca, api.At(then.Add(time.Hour)), " ada "
	}), then)
	if err != nil {
		t.Fatal(err)
	}
	if c.Token.Reveal() != "hunter2" {
		t.Error("the token is another one")
	}
	want := About{
		Scope: here, Name: "acme", ARN: c.ARN, ConnectionARN: c.ConnectionARN, ServerType: "GITHUB_ENTERPRISE", AuthType: "PERSONAL_ACCESS_TOKEN", Username: "ada",
		Match: Match{"ghe.example", "Acme", "app-*"}, Hosts: []string{"ghe.example", "old.example:80", "git.example:8443/gitlab"},
		CA: ca, Expires: then.Add(time.Hour).UTC(), Created: then.UTC(), Modified: then.UTC(),
	}
	if d := cmp.Diff(want, c.About); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if !regexp.MustCompile(`^arn:aws:secretsmanager:us-west-2:123456789012:secret:slipway/acme-[A-Za-z0-9]{6}$`).MatchString(c.ARN) || !secretsManager.MatchString(c.ARN) {
		t.Errorf("ARN %s", c.ARN)
	}
	if !regexp.MustCompile(`^arn:aws:codeconnections:us-west-2:123456789012:connection/[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(c.ConnectionARN) || !connection.MatchString(c.ConnectionARN) {
		t.Errorf("connection ARN %s", c.ConnectionARN)
	}
	again, err := NewNamed(here, imports(func(in *slipway.ImportCredentialInput) { in.ServerType = "GITHUB" }), then.Add(time.Hour))
	if err != nil || again.ARN != c.ARN || again.ConnectionARN != c.ConnectionARN {
		t.Errorf("imported again it is %s, %s (%v)", again.ARN, again.ConnectionARN, err)
	}
	east, err := NewNamed(arn.Scope{Account: here.Account, Region: "us-east-1"}, imports(func(*slipway.ImportCredentialInput) {}), then)
	if err != nil || east.ARN[len(east.ARN)-6:] == c.ARN[len(c.ARN)-6:] {
		t.Errorf("elsewhere it ends in the same characters: %s", east.ARN)
	}
}

func TestWithoutANameItIsTheDefault(t *testing.T) {
	c, err := NewNamed(here, imports(func(in *slipway.ImportCredentialInput) { in.Name, in.Hosts = "", []string{"ghe.example"} }), then)
	if err != nil || c.ARN != here.Token("GITHUB_ENTERPRISE") || c.ConnectionARN != "" || len(c.Hosts) != 1 {
		t.Errorf("NewNamed = %+v, %v", c.About, err)
	}
}

func TestANamedCredentialIsRefused(t *testing.T) {
	ca, key := certificate(t)
	type in = slipway.ImportCredentialInput
	for _, test := range []struct {
		name   string
		change func(*in)
		want   string
	}{
		{"what New refuses", func(i *in) { i.Token = secret.New(" ") }, "Token is required"},
		{"a name with a space", func(i *in) { i.Name = "a b" }, "Name must begin with a letter or digit"},
		{"a name that is an ARN", func(i *in) { i.Name = secretARN }, "Name must begin with a letter or digit"},
		{"a name of 65 characters", func(i *in) { i.Name = strings.Repeat("a", 65) }, "at most 64 characters"},
		{"the name of a server type", func(i *in) { i.Name = "github" }, "must not be that of a server type"},
		{"a match without a name", func(i *in) { i.Name, i.Match = "", &slipway.CredentialMatch{Owner: "a"} }, "A match needs a name"},
		{"a URL as the match's host", func(i *in) { i.Match = &slipway.CredentialMatch{Host: "https://ghe.example"} }, "The match's host must be"},
		{"an owner with a slash at its end", func(i *in) { i.Match = &slipway.CredentialMatch{Owner: "acme/"} }, "The match's owner must be"},
		{"a repository with its owner", func(i *in) { i.Match = &slipway.CredentialMatch{Repository: "acme/app"} }, "The match's repository must be"},
		{"a pattern of another kind", func(i *in) { i.Match = &slipway.CredentialMatch{Repository: "ap?"} }, "in which * stands for any text"},
		{"a pattern without end", func(i *in) { i.Match = &slipway.CredentialMatch{Repository: strings.Repeat("a", 256)} }, "The match's repository"},
		{"hosts of github.com", func(i *in) { i.ServerType, i.Hosts = "GITHUB", []string{"github.com"} }, "Leave them out"},
		{"a host with a user", func(i *in) { i.Hosts = []string{"me@ghe.example"} }, "Each host must read host, host:port or host/path"},
		{"a host with a star", func(i *in) { i.Hosts = []string{"*.example"} }, "Each host must read"},
		{"a host with a way up", func(i *in) { i.Hosts = []string{"ghe.example/../x"} }, "Each host must read"},
		{"21 hosts", func(i *in) { i.Hosts = make([]string, 21) }, "at most 20 hosts"},
		{"certificates that are none", func(i *in) { i.CaBundle = "hello" }, "not in PEM form"},
		{"a certificate that is broken", func(i *in) {
			i.CaBundle = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
		}, "Certificate 1 cannot be read"},
		{"a key among the certificates", func(i *in) { i.CaBundle = ca + key }, "from BEGIN CERTIFICATE to END CERTIFICATE"},
		{"an expiry that has passed", func(i *in) { i.Expires = api.At(then) }, "Expires must be in the future"},
		{"a Bitbucket API token without an e-mail address", func(i *in) { i.ServerType, i.Token, i.Username = "BITBUCKET", secret.New("ATATThunter2"), "ada" }, "Username must be the e-mail address"},
		{"a Bitbucket app password", func(i *in) {
			i.ServerType, i.AuthType, i.Token, i.Username = "BITBUCKET", "BASIC_AUTH", secret.New("ATBBhunter2"), "ada"
		}, "Create an API token with scopes"},
		{"a deploy token without its user name", func(i *in) { i.ServerType, i.Token = "GITLAB", secret.New("gldt-hunter2") }, "such as gitlab+deploy-token-1"},
		{"a user name with a colon", func(i *in) { i.Username = "a:b" }, "Username must not contain colons"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewNamed(here, imports(test.change), then)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), test.want) || strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("NewNamed = %v, want Invalid: %s", err, test.want)
			}
		})
	}
}

func TestATokenOfAnotherProviderIsNotAskedForAUserName(t *testing.T) {
	for server, token := range map[slipway.ServerType]string{"GITLAB": "ATATThunter2", "GITHUB": "gldt-hunter2", "GITLAB_SELF_MANAGED": "ATBBhunter2"} {
		change := func(i *slipway.ImportCredentialInput) {
			i.ServerType, i.Hosts, i.Match, i.Token = server, nil, nil, secret.New(token)
		}
		if _, err := NewNamed(here, imports(change), then); err != nil {
			t.Errorf("NewNamed of %s for %s = %v, want none: the check says whose it is", token[:4], server, err)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"ghe.example", "https://ghe.example:443/x/", "http://h", "[::1]:80/a", "h:0", "..", "h//x", "h/.git", "https://h:443:443"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, ok := ParseHost(text)
		if !ok {
			return
		}
		if again, ok := ParseHost(host); !ok || again != host {
			t.Errorf("ParseHost(%q) = %q, and of that %q, %v", text, host, again, ok)
		}
		// A repository there is at this host, and at none else.
		at, _, _ := strings.Cut(host, "/")
		scheme := "https://"
		if strings.HasSuffix(at, ":80") {
			scheme = "http://"
		}
		if found, path, ok := Locate(scheme + host + "/o/r"); ok && found != at && scheme == "https://" || ok && !strings.HasSuffix(path, "o/r") {
			t.Errorf("a repository at %q is at %q, %q", host, found, path)
		}
	})
}

func TestNoErrorOfANamedCredentialRepeatsTheToken(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, err := NewNamed(here, &slipway.ImportCredentialInput{
			Name:       rapid.String().Draw(r, "name"),
			ServerType: rapid.SampledFrom([]slipway.ServerType{"GITHUB", "BITBUCKET", "GITLAB_SELF_MANAGED", "X"}).Draw(r, "server"),
			AuthType:   rapid.SampledFrom([]slipway.AuthType{"BASIC_AUTH", "SECRETS_MANAGER", "PERSONAL_ACCESS_TOKEN"}).Draw(r, "auth"),
			Token:      secret.New(rapid.SampledFrom([]string{"", "ATAT", "ATBB", "gldt-"}).Draw(r, "prefix") + "hunter2" + rapid.String().Draw(r, "token")),
			Username:   rapid.String().Draw(r, "username"), Hosts: rapid.SliceOf(rapid.String()).Draw(r, "hosts"), CaBundle: rapid.String().Draw(r, "ca"),
			Match: &slipway.CredentialMatch{Host: rapid.String().Draw(r, "host"), Owner: rapid.String().Draw(r, "owner")},
		}, then)
		if said := fmt.Sprintf("%v %+v", err, c); strings.Contains(said, "hunter2") {
			r.Errorf("the token is in %q", said)
		}
	})
}
