package source

import (
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// Endpoints says where providers are if not at their usual place: the base URL
// of a server type, without a trailing slash. It serves mirrors and tests. nil
// means that every provider is where the world knows it.
type Endpoints map[api.ServerType]string

// ParseEndpoints reads "GITHUB=https://mirror.example,BITBUCKET=http://127.0.0.1:8080".
func ParseEndpoints(text string) (Endpoints, error) {
	e := Endpoints{}
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, base, _ := strings.Cut(entry, "=")
		t := api.ServerType(name)
		if _, known := hosts[t]; !known {
			return nil, fault.New(fault.Invalid, "a source endpoint reads TYPE=URL, such as GITHUB=https://github.example: %q is no type", name)
		}
		u, err := url.Parse(base)
		if err != nil || !web(u.Scheme) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fault.New(fault.Invalid, "the source endpoint of %s must be an http or https URL without a user name or query", name)
		}
		e[t] = strings.TrimSuffix(u.String(), "/")
	}
	return e, nil
}

// CodeCommit stands among server types for AWS CodeCommit, which has no source
// credentials.
const CodeCommit api.ServerType = "CODECOMMIT"

// codeCommitHost knows the hosts of CodeCommit, one for each region.
var codeCommitHost = regexp.MustCompile(`^git-codecommit(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$`)

// hosts is where a server type's repositories are. A self-managed one is
// wherever its location says.
var hosts = map[api.ServerType][]string{
	api.ServerTypeGithub:            {"github.com", "www.github.com"},
	api.ServerTypeBitbucket:         {"bitbucket.org", "www.bitbucket.org"},
	api.ServerTypeGitlab:            {"gitlab.com", "www.gitlab.com"},
	api.ServerTypeGithubEnterprise:  nil,
	api.ServerTypeGitlabSelfManaged: nil,
	CodeCommit:                      nil,
}

// CloneURL returns what git clones for a project's source location: http or
// https, the endpoint of its type applied, nothing in it but host and path. A
// location that is elsewhere than its type says is Invalid, since the type's
// token would be sent there.
func (e Endpoints) CloneURL(t api.ServerType, location string) (string, error) {
	usual, known := hosts[t]
	if !known {
		return "", fault.New(fault.Invalid, "Sources of type %s cannot be fetched yet", t)
	}
	u, ok := parse(location)
	if !ok {
		return "", fault.New(fault.Invalid, "Invalid project source: location must be the HTTPS URL of a repository, such as https://host/owner/repository")
	}
	if t == CodeCommit && (u.Scheme != "https" || !codeCommitHost.MatchString(u.Host)) {
		return "", fault.New(fault.Invalid, "Invalid project source: a location of type CODECOMMIT must be at https://git-codecommit.<region>.amazonaws.com")
	}
	base, moved := e[t]
	here := moved && strings.HasPrefix(u.Scheme+"://"+u.Host+u.EscapedPath(), base+"/")
	if len(usual) > 0 && !here {
		if !slices.Contains(usual, strings.ToLower(u.Hostname())) || u.Port() != "" && u.Port() != "443" {
			return "", fault.New(fault.Invalid, "Invalid project source: a location of type %s must be at https://%s", t, usual[0])
		}
		u.Scheme, u.Host = "https", usual[0]
	}
	if moved && !here {
		return base + u.EscapedPath(), nil
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath(), nil
}

// Location returns a project's source location for what a provider gives as the
// clone URL of one of its repositories: what CloneURL undoes. A URL below the
// endpoint of a type that has a usual place is said as if it were there, since
// projects are refused that are elsewhere.
func (e Endpoints) Location(t api.ServerType, cloneURL string) string {
	base, moved := e[t]
	if usual := hosts[t]; moved && len(usual) > 0 {
		if rest, here := strings.CutPrefix(cloneURL, base+"/"); here {
			return "https://" + usual[0] + "/" + rest
		}
	}
	return cloneURL
}

// ServerOf returns the server type whose repositories are at u: that of the
// longest endpoint that u is below, or of the provider whose usual place it is.
// Of a server type that has an endpoint nothing is at the usual place. What is
// at a host of its own is not known here.
func (e Endpoints) ServerOf(u *url.URL) (t api.ServerType, ok bool) {
	here := strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Host) + u.EscapedPath()
	for _, candidate := range slices.Sorted(maps.Keys(hosts)) {
		base, moved := e[candidate]
		if moved && len(base) > len(e[t]) && strings.HasPrefix(here, base+"/") {
			t, ok = candidate, true
		}
	}
	if ok || !strings.EqualFold(u.Scheme, "https") || u.Port() != "" && u.Port() != "443" {
		return t, ok
	}
	for candidate, usual := range hosts {
		if _, moved := e[candidate]; !moved && slices.Contains(usual, strings.ToLower(u.Hostname())) {
			return candidate, true
		}
	}
	return "", false
}

// Site returns an installation of a provider. base is the web address of a
// self-hosted one, such as https://ghe.example; the others have their usual
// place, and with an endpoint every one is there.
func (e Endpoints) Site(t api.ServerType, base string) Site {
	to, moved := e[t]
	switch usual := hosts[t]; {
	case moved:
		base = to
	case len(usual) > 0:
		base = "https://" + usual[0]
	}
	base = strings.TrimSuffix(base, "/")
	at := Site{Server: t, WebBase: base}
	switch t {
	case api.ServerTypeGithub, api.ServerTypeGithubEnterprise:
		at.APIBase = base + "/api/v3"
		if t == api.ServerTypeGithub && !moved {
			at.APIBase = "https://api.github.com"
		}
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		at.APIBase = base + "/api/v4"
	case api.ServerTypeBitbucket:
		at.APIBase = base + "/2.0"
		if !moved {
			at.APIBase = "https://api.bitbucket.org/2.0"
		}
	}
	return at
}

// Repository returns the repository at a project's source location and the
// installation that it is at.
func (e Endpoints) Repository(t api.ServerType, location string) (Repository, error) {
	clone, err := e.CloneURL(t, location)
	if err != nil {
		return Repository{}, err
	}
	u, err := url.Parse(clone)
	if err != nil {
		return Repository{}, fault.New(fault.Invalid, "Invalid project source: location is no URL")
	}
	at := e.Site(t, u.Scheme+"://"+u.Host)
	if base, moved := e[t]; moved {
		root, _ := url.Parse(base) // parsed before
		u.Path = strings.TrimPrefix(u.Path, root.Path)
	}
	r := Repository{Site: at, Name: strings.TrimSuffix(path.Base(u.Path), ".git"), Owner: strings.Trim(path.Dir(u.Path), "/")}
	if (t == api.ServerTypeGithub || t == api.ServerTypeGithubEnterprise) && strings.Contains(r.Owner, "/") {
		return Repository{}, fault.New(fault.Invalid, "Invalid project source: source location must be a valid GitHub repository URL")
	}
	return r, nil
}

// parse reads a location in any of the forms users copy from providers and
// returns it as a web URL without user, query and trailing slash.
func parse(location string) (*url.URL, bool) {
	if !strings.Contains(location, "://") { // git@host:owner/repository
		host, rest, ok := strings.Cut(location, ":")
		if !ok {
			return nil, false
		}
		location = "ssh://" + host + "/" + strings.TrimPrefix(rest, "/")
	}
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, false
	}
	if u.Scheme == "ssh" {
		u.Scheme, u.Host = "https", u.Hostname() // a token works over HTTPS only
	}
	u = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/"), RawPath: strings.TrimSuffix(u.RawPath, "/")}
	elements := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	odd := func(s string) bool { return s == "" || s == "." || s == ".." || s == ".git" }
	if !web(u.Scheme) || len(elements) < 2 || slices.ContainsFunc(elements, odd) || strings.ContainsFunc(u.Path, control) {
		return nil, false
	}
	return u, true
}

func web(scheme string) bool { return scheme == "http" || scheme == "https" }

func control(r rune) bool { return r < ' ' || r == 0x7f }
