package credential

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential/token"
	"slipway/internal/fault"
)

const (
	maxPart  = 255       // bytes of a pattern or host
	maxHosts = 20        // of one credential
	maxCA    = 256 << 10 // bytes of PEM
)

// NewNamed returns the credential that in imports into scope, or what is wrong
// with it as Invalid, with what to do; no message repeats the token. Without a
// name it is the account's default for its server type, like that of New, to
// which hosts, certificates and an expiry can be given here.
func NewNamed(scope arn.Scope, in *slipway.ImportCredentialInput, now time.Time) (Credential, error) {
	c, err := New(scope, &api.ImportSourceCredentialsInput{
		ServerType: api.ServerType(in.ServerType), AuthType: api.AuthType(in.AuthType), Token: in.Token, Username: &in.Username,
	}, now)
	if err != nil {
		return Credential{}, err
	}
	if in.Name != "" {
		if err := checkName(in.Name); err != nil {
			return Credential{}, err
		}
		c.Name, c.ARN, c.ConnectionARN = in.Name, secretName(scope, in.Name), connectionName(scope, in.Name)
	}
	for _, set := range []func(*Credential, *slipway.ImportCredentialInput) error{setUsername, setMatch, setHosts, setCA} {
		if err := set(&c, in); err != nil {
			return Credential{}, err
		}
	}
	if !in.Expires.IsZero() {
		c.Expires = in.Expires.UTC()
		if !c.Expires.After(now) {
			return Credential{}, fault.New(fault.Invalid, "Expires must be in the future: make a new token, and give the date on which that expires (--expires)")
		}
	}
	return c, nil
}

func checkName(name string) error {
	switch {
	case !nameForm.MatchString(name):
		return fault.New(fault.Invalid, "Name must begin with a letter or digit and hold only letters, digits and . _ @ + -: choose one such as acme-deploy")
	case len(name) > maxName:
		return fault.New(fault.Invalid, "Name is too long: it can have at most %d characters", maxName)
	case slices.Contains(servers, api.ServerType(strings.ToUpper(name))):
		return fault.New(fault.Invalid, "Name must not be that of a server type, which stands for the account's default: choose one such as acme-%s", strings.ToLower(name))
	}
	return nil
}

// setUsername takes the user name that some kinds of tokens go with.
func setUsername(c *Credential, in *slipway.ImportCredentialInput) error {
	if c.Token.IsZero() {
		return nil // it is where the token is
	}
	name := strings.TrimFunc(in.Username, around)
	bitbucket := c.ServerType == api.ServerTypeBitbucket // at another server it is the wrong token, not a wrong name
	switch kind := token.KindOf(c.ServerType, "", c.Token.Reveal()); {
	case bitbucket && kind == slipway.TokenKindBitbucketAppPassword:
		return fault.New(fault.Invalid, "Token is a Bitbucket app password, and Bitbucket has switched these off. Create an API token with scopes at "+
			"https://id.atlassian.com/manage-profile/security/api-tokens (choose the app Bitbucket) and import it with the e-mail address of your Atlassian account as username")
	case bitbucket && kind == slipway.TokenKindBitbucketApiToken:
		if !strings.Contains(name, "@") {
			return fault.New(fault.Invalid, "Username must be the e-mail address of the Atlassian account that made this Bitbucket API token (--username): Bitbucket's API takes the token only with it. The name that git needs is found by itself")
		}
	case strings.HasPrefix(string(c.ServerType), "GITLAB") && kind == slipway.TokenKindGitlabDeploy:
		if name == "" {
			return fault.New(fault.Invalid, "Username is required for a GitLab deploy token: give the one that GitLab showed beside it, such as gitlab+deploy-token-1 (--username)")
		}
	}
	if name == "" {
		return nil
	}
	var err error
	c.Username, err = checkUsername(&name)
	return err
}

func setMatch(c *Credential, in *slipway.ImportCredentialInput) error {
	if in.Match == nil || *in.Match == (slipway.CredentialMatch{}) {
		return nil
	}
	if c.Name == "" {
		return fault.New(fault.Invalid, "A match needs a name: without one a credential is the account's default, which serves what no other one matches")
	}
	m := Match{Host: strings.ToLower(in.Match.Host), Owner: in.Match.Owner, Repository: strings.TrimSuffix(in.Match.Repository, ".git")}
	for _, part := range []struct{ name, pattern, forbidden, example string }{
		{"host", m.Host, "/", "ghe.example or *.example"},
		{"owner", m.Owner, "", "acme or acme/*"},
		{"repository", m.Repository, "/", "app or app-*"},
	} {
		odd := func(r rune) bool { return r <= ' ' || unseen(r) || strings.ContainsRune(part.forbidden+"?\\", r) }
		if len(part.pattern) > maxPart || strings.ContainsFunc(part.pattern, odd) || strings.HasPrefix(part.pattern, "/") || strings.HasSuffix(part.pattern, "/") || strings.Contains(part.pattern, "://") {
			return fault.New(fault.Invalid, "The match's %s must be a name or a pattern in which * stands for any text, such as %s", part.name, part.example)
		}
	}
	c.Match = m
	return nil
}

func setHosts(c *Credential, in *slipway.ImportCredentialInput) error {
	if len(in.Hosts) == 0 {
		return nil
	}
	if !SelfHosted(c.ServerType) {
		return fault.New(fault.Invalid, "Hosts are for GITHUB_ENTERPRISE and GITLAB_SELF_MANAGED only: a token of type %s never goes anywhere but to its provider. Leave them out", c.ServerType)
	}
	if len(in.Hosts) > maxHosts {
		return fault.New(fault.Invalid, "A credential can have at most %d hosts: use another credential for the others", maxHosts)
	}
	for _, given := range in.Hosts {
		host, ok := ParseHost(given)
		if !ok {
			return fault.New(fault.Invalid, "Each host must read host, host:port or host/path, such as ghe.example or git.example:8443/gitlab")
		}
		if !slices.Contains(c.Hosts, host) {
			c.Hosts = append(c.Hosts, host)
		}
	}
	return nil
}

func setCA(c *Credential, in *slipway.ImportCredentialInput) error {
	if strings.TrimSpace(in.CaBundle) == "" {
		return nil
	}
	if len(in.CaBundle) > maxCA {
		return fault.New(fault.Invalid, "The certificates are too long: give only those that signed your server's, at most %d KiB", maxCA>>10)
	}
	rest := []byte(in.CaBundle)
	found := 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fault.New(fault.Invalid, "The certificates hold something else besides, such as a key: give only the parts from BEGIN CERTIFICATE to END CERTIFICATE")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fault.New(fault.Invalid, "Certificate %d cannot be read: export it again, in PEM form", found+1)
		}
		found++
	}
	if found == 0 {
		return fault.New(fault.Invalid, "The certificates are not in PEM form: give a file with -----BEGIN CERTIFICATE----- in it")
	}
	c.CA = in.CaBundle
	return nil
}
