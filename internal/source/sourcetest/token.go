package sourcetest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Token is one access token. At GitHub it is a classic one with Scopes,
// unless Permissions is set: then it is a fine-grained one, or an App's
// installation token if it begins with ghs_.
type Token struct {
	Value        string
	Login        string            // its owner
	Scopes       []string          // repo, public_repo, repo:status, admin:repo_hook, admin:org_hook and others
	Permissions  map[string]string // contents, statuses, repository_hooks, pull_requests, organization_hooks → read or write; metadata: read is always there
	Owner        string            // the resource owner of a fine-grained token; empty means everyone
	Pending      bool              // an organization has yet to approve it: it sees what is public
	Expires      time.Time         // zero means never
	Repositories []string          // owner/name of what it reaches; nil means everything
	SSO          []string          // owners whose single sign-on it is authorised for

	Email          string // Bitbucket: its owner's, which a user's API token goes with in REST
	CredentialType string // Bitbucket: of an access token, such as workspace_access_token; empty means repo_access_token
}

// A Policy is what an owner (organization) demands of tokens.
type Policy struct {
	SSO           bool          // classic tokens must be authorised for single sign-on
	ForbidClassic bool          // classic tokens are refused
	MaxLifetime   time.Duration // tokens that live longer from now are refused; 0 means any
	IPAllowList   bool          // every token is refused, whoever's, as from an address that is not on the list
}

// AddToken makes t valid, instead of a former token of the same value.
func (s *Server) AddToken(t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Value] = t
}

// RevokeToken makes a token invalid at once. An unknown one is no error.
func (s *Server) RevokeToken(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, value)
}

// SetPolicy sets what owner demands of tokens.
func (s *Server) SetPolicy(owner string, p Policy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policies[strings.ToLower(owner)] = p
}

// A caller is who sent a request.
type caller struct {
	sent  bool  // an Authorization header was there
	known bool  // and its token is valid; else the caller is to be refused
	token Token // zero unless known
}

// identify finds the token in Bearer, token or Basic authorization, the last
// with the token as password or, as GitHub allows, as user name.
func (s *Server) identify(r *http.Request) caller {
	header := r.Header.Get("Authorization")
	if header == "" {
		return caller{}
	}
	var values []string
	if user, password, ok := r.BasicAuth(); ok {
		values = append(values, password)
		if password == "" || password == "x-oauth-basic" {
			values = append(values, user)
		}
	} else if scheme, value, ok := strings.Cut(header, " "); ok && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "token")) {
		values = append(values, strings.TrimSpace(value))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if t, ok := s.tokens[v]; ok && v != "" && !s.expired(t) {
			return caller{sent: true, known: true, token: t}
		}
	}
	return caller{sent: true}
}

func (s *Server) expired(t Token) bool { return !t.Expires.IsZero() && !s.now().Before(t.Expires) }

func (t Token) fine() bool { return t.Permissions != nil }

// installation reports whether t is an App's, which is no user.
func (t Token) installation() bool { return strings.HasPrefix(t.Value, "ghs_") }

func (t Token) reaches(repo *repository) bool {
	if t.Pending || t.Owner != "" && !strings.EqualFold(t.Owner, repo.owner) {
		return false
	}
	return t.Repositories == nil || slices.ContainsFunc(t.Repositories, func(name string) bool { return strings.EqualFold(name, repo.fullName()) })
}

// scoped reports whether a classic token may do what wants one of scopes.
func (t Token) scoped(repo *repository, scopes ...string) bool {
	return slices.ContainsFunc(t.Scopes, func(have string) bool {
		return slices.Contains(scopes, have) || have == "public_repo" && !repo.private && slices.Contains(scopes, "repo")
	})
}

func (t Token) permits(what, level string) bool {
	have := t.Permissions[what]
	return have == "write" || have == "read" && level == "read"
}

// role is what the caller is on repo, whatever his token is good for.
func (c caller) role(repo *repository) string {
	if c.known && c.token.reaches(repo) {
		if c.token.installation() {
			return "admin" // its permissions alone decide
		}
		if role := repo.role(c.token.Login, "admin"); role != "none" {
			return role
		}
	}
	if repo.private {
		return "none"
	}
	return "read"
}

// may reports whether the caller has a role on repo and his token the
// permission (fine-grained) or one of the scopes (classic).
func (c caller) may(repo *repository, role, permission, level string, scopes ...string) bool {
	if !c.known || !c.token.reaches(repo) || !atLeast(c.role(repo), role) {
		return false
	}
	if c.token.fine() {
		return c.token.permits(permission, level)
	}
	return c.token.scoped(repo, scopes...)
}

// mayRead reports whether the code of repo may be read.
func (c caller) mayRead(repo *repository) bool {
	return !repo.private || c.may(repo, "read", "contents", "read", "repo")
}

// maySee reports whether the caller may know that repo exists.
func (c caller) maySee(repo *repository) bool {
	return c.mayRead(repo) || c.known && c.token.fine() && c.token.reaches(repo) && c.role(repo) != "none"
}

func (c caller) mayPush(repo *repository) bool {
	return c.may(repo, "write", "contents", "write", "repo")
}

// mayUseStatuses reports whether statuses may be read or written (level).
func (c caller) mayUseStatuses(repo *repository, level string) bool {
	if level == "read" {
		return !repo.private || c.may(repo, "read", "statuses", level, "repo", "repo:status")
	}
	return c.may(repo, "write", "statuses", level, "repo", "repo:status")
}

// mayReadPulls reports whether pull requests may be read.
func (c caller) mayReadPulls(repo *repository) bool {
	return !repo.private || c.may(repo, "read", "pull_requests", "read", "repo")
}

// hookScopes is what the endpoints of a repository's hooks take, by what is done.
var hookScopes = map[string][]string{
	"read":   {"admin:repo_hook", "read:repo_hook", "repo", "write:repo_hook"},
	"write":  {"admin:repo_hook", "repo", "write:repo_hook"},
	"delete": {"admin:repo_hook", "repo"},
}

// mayHook reports whether hooks of repo may be read, written or deleted.
func (c caller) mayHook(repo *repository, do string) bool {
	level := "write"
	if do == "read" {
		level = "read"
	}
	return c.may(repo, "admin", "repository_hooks", level, hookScopes[do]...)
}

// forbidden returns the sentence with which owner's policy refuses the caller,
// and the header that goes with it; "" if it does not.
func (s *Server) forbidden(c caller, owner string) (string, http.Header) {
	if !c.known {
		return "", nil
	}
	s.mu.Lock()
	p := s.policies[strings.ToLower(owner)]
	s.mu.Unlock()
	classic := !c.token.fine()
	authorised := slices.ContainsFunc(c.token.SSO, func(o string) bool { return strings.EqualFold(o, owner) })
	switch {
	case p.IPAllowList:
		return "Although you appear to have the correct authorization credentials, the `" + owner + "` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.", nil
	case p.ForbidClassic && classic:
		return "`" + owner + "` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal access token with fine-grained permissions.", nil
	case p.SSO && classic && !authorised:
		return "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.",
			http.Header{"X-Github-Sso": {"required; url=https://github.com/orgs/" + owner + "/sso?authorization_request=A1B2C3"}}
	case p.MaxLifetime > 0 && (c.token.Expires.IsZero() || c.token.Expires.Sub(s.now()) > p.MaxLifetime):
		kind := "fine-grained personal access tokens"
		if classic {
			kind = "personal access tokens (classic)"
		}
		return "The '" + owner + "' organization forbids access via " + kind + " if the token's lifetime is greater than " + days(p.MaxLifetime) +
			" days. Please adjust your token's lifetime at the following URL: https://github.com/settings/tokens", nil
	}
	return "", nil
}
