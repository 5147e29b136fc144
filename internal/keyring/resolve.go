package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// A key is a credential that is open.
type key struct {
	login   source.Login
	arn     string           // of what holds the token
	version int64            // of that; 0 if it is not ours to keep
	about   credential.About // whose hosts and certificates count; zero if it is none of ours
	via     []string         // ARNs of the credentials that led to it
}

// errOtherServer says that a secret is for another server type.
var errOtherServer = errors.New("another server type")

// maxHops is how many credentials may refer to each other.
const maxHops = 4

// open returns the login that the credential with an ARN is for a server type.
// One that refers to another is followed. What cannot be used is Invalid.
func (k *Keyring) open(ctx context.Context, scope arn.Scope, server api.ServerType, name string, all []credential.Sealed) (key, error) {
	var out key
	for range maxHops {
		i := slices.IndexFunc(all, func(c credential.Sealed) bool { return c.Is(name) })
		if i < 0 {
			return k.openSecret(ctx, scope, server, name, out)
		}
		c := all[i]
		if c.ServerType != server {
			return key{}, fault.New(fault.Invalid, "The source credential %s is for %s and not for %s. Name one for %s.", c.Title(), c.ServerType, server, server)
		}
		if c.Resource == "" {
			clear, err := c.Open(k.sealer)
			if err != nil {
				return key{}, err
			}
			out.login, out.arn, out.version, out.about = source.NewLogin(server, clear.Username, clear.Token), c.ARN, c.Version, c.About
			if out.login.IsZero() {
				return key{}, fault.New(fault.Invalid, "The source credential %s holds no token. Import it again.", c.Title())
			}
			return out, nil
		}
		out.about = c.About
		out.via = append(out.via, c.ARN)
		name = c.Resource
	}
	return key{}, fault.New(fault.Invalid, "The source credential %s refers to another and that back to it, so that there is no token. Import one of them with a token.", out.about.Title())
}

// openSecret returns the login in a secret that is no credential of ours: one of
// scope's vault, or one that is kept elsewhere. so is what led to it.
func (k *Keyring) openSecret(ctx context.Context, scope arn.Scope, server api.ServerType, name string, so key) (key, error) {
	a, _ := arn.Parse(name)
	if a.Service != "secretsmanager" {
		return key{}, fault.New(fault.Invalid, "Access denied to connection %s. Slipway holds no credential with this ARN. "+
			"Import a token with 'slipway credential import --name NAME --server-type %s' and use the connection ARN that it answers.", name, server)
	}
	denied := fault.New(fault.Invalid, "Access denied to secret %s. Slipway holds no credential with this ARN, and it has no AWS credentials with which to ask AWS Secrets Manager. "+
		"Import a token with 'slipway credential import --name NAME --server-type %s' and use the ARN that it answers, or give the server AWS credentials.", name, server)
	text, err := k.readSecret(ctx, scope, name)
	if fault.KindOf(err) == fault.Denied {
		return key{}, denied
	}
	if err != nil {
		return key{}, err
	}
	if so.login, err = parse(name, server, text); err != nil {
		return key{}, err
	}
	so.arn = name
	return so, nil
}

// readSecret returns what a secret holds; Denied if there is nobody to ask.
func (k *Keyring) readSecret(ctx context.Context, scope arn.Scope, name string) (secret.Text, error) {
	if k.options.Vault != nil {
		text, err := k.options.Vault.Read(ctx, scope, name)
		if fault.KindOf(err) != fault.NotFound {
			return text, err
		}
	}
	if k.secrets == nil {
		return secret.Text{}, fault.New(fault.Denied, "There is nobody to ask for secrets.")
	}
	return k.secrets.read(ctx, name)
}

// parse reads a secret in the form that CodeBuild documents. No error repeats
// anything of it but a server type that is one.
func parse(name string, server api.ServerType, text secret.Text) (source.Login, error) {
	var s struct {
		ServerType, AuthType, Token, Username string
	}
	if json.Unmarshal([]byte(text.Reveal()), &s) != nil || s.Token == "" {
		return source.Login{}, fault.New(fault.Invalid, `The secret %s does not hold a source credential. Its value must be JSON such as `+
			`{"ServerType":"%s","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"…"}, with Username besides for a Bitbucket API token.`, name, server)
	}
	if api.ServerType(strings.ToUpper(s.ServerType)) != server {
		return source.Login{}, &fault.Error{Kind: fault.Invalid, Err: errOtherServer,
			Message: fmt.Sprintf("The secret %s is not for %s: its ServerType is another. Name a secret whose ServerType is %s.", name, server, server)}
	}
	c, err := credential.New(arn.Scope{}, &api.ImportSourceCredentialsInput{
		ServerType: server, AuthType: api.AuthType(strings.ToUpper(s.AuthType)), Token: secret.New(s.Token), Username: &s.Username,
	}, time.Time{})
	if err != nil {
		return source.Login{}, fault.New(fault.Invalid, "The secret %s does not hold a source credential: %s.", name, fault.Message(err))
	}
	if c.Token.IsZero() {
		return source.Login{}, fault.New(fault.Invalid, "The secret %s refers to something else instead of holding a token. Set its AuthType to PERSONAL_ACCESS_TOKEN or BASIC_AUTH, and its Token.", name)
	}
	username := c.Username
	if username == "" {
		username = strings.TrimSpace(s.Username)
	}
	return source.NewLogin(server, username, c.Token), nil
}

// bind checks that a key may go to where w is, and returns the path there under
// which the provider is. What is bound to nothing yet is bound by this.
func (k *Keyring) bind(ctx context.Context, key key, w credential.Want) (prefix string, err error) {
	if !credential.SelfHosted(w.Server) {
		return "", nil
	}
	holder := key.about
	if holder.ARN == "" {
		holder = credential.About{ARN: key.arn, ServerType: w.Server}
	}
	if len(holder.Hosts) == 0 {
		if holder.Hosts, err = k.credentials.BindHosts(ctx, holder.ARN, w.Host); err != nil {
			return "", err
		}
		if len(holder.Hosts) == 1 && holder.Hosts[0] == w.Host {
			k.log.Info("source credential bound to a host", "arn", holder.ARN, "host", w.Host)
			k.options.Bound(holder.ARN)
		}
	}
	prefix, ok := holder.Reach(w)
	if !ok {
		return "", fault.New(fault.Invalid, "%s", credential.Elsewhere(holder, holder.Hosts, w.Host))
	}
	return prefix, nil
}

// recall remembers what secrets hold, for as long as that may be stale.
type recall struct {
	from Secrets
	now  func() time.Time

	mu   sync.Mutex // guards kept
	kept map[string]remembered
}

type remembered struct {
	text secret.Text
	at   time.Time
}

const (
	freshFor    = time.Minute
	maxRecalled = 256
)

func (r *recall) read(ctx context.Context, name string) (secret.Text, error) {
	now := r.now()
	r.mu.Lock()
	known, ok := r.kept[name]
	r.mu.Unlock()
	if ok && now.Sub(known.at) < freshFor && !now.Before(known.at) {
		return known.text, nil
	}
	text, err := r.from.Read(ctx, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(r.kept, name)
		return secret.Text{}, err
	}
	if r.kept == nil || len(r.kept) >= maxRecalled {
		r.kept = map[string]remembered{}
	}
	r.kept[name] = remembered{text, now}
	return text, nil
}
