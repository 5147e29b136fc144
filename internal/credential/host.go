package credential

import (
	"net/url"
	"regexp"
	"strings"

	"slipway/internal/api"
)

// SelfHosted reports whether servers of a type are wherever their owners put
// them, so that a token must be told which of them it is for.
func SelfHosted(server api.ServerType) bool {
	return server == api.ServerTypeGithubEnterprise || server == api.ServerTypeGitlabSelfManaged
}

// Locate returns where a repository is from its location in any form that a
// project's source may have: its host as Hosts have it, and the path of its web
// page without slashes around and without .git. A host is in lower case and has
// a port if that is not HTTPS' own, so that what is bound to a host without one
// is not sent there in the clear. Of a host with a port it is not told which of
// HTTP and HTTPS it speaks.
func Locate(location string) (host, path string, ok bool) {
	if !strings.Contains(location, "://") { // git@host:owner/repository
		at, rest, found := strings.Cut(location, ":")
		if !found {
			return "", "", false
		}
		location = "ssh://" + at + "/" + strings.TrimPrefix(rest, "/")
	}
	u, err := url.Parse(location)
	if err != nil || u.Hostname() == "" {
		return "", "", false
	}
	host = strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		if u.Port() == "" {
			host += ":80"
		}
	case "ssh": // fetched over HTTPS all the same
		if u.Port() != "" {
			host = strings.TrimSuffix(host, ":"+u.Port())
		}
	default:
		return "", "", false
	}
	path = strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	return host, path, strings.Contains(path, "/")
}

// hostForm is host[:port][/path] in lower case up to the path.
var hostForm = regexp.MustCompile(`^([a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?((/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)$`)

// ParseHost returns a host as Hosts have it: host[:port][/path]. A scheme and a
// slash at the end, as addresses copied from a browser have them, are dropped.
func ParseHost(text string) (string, bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), "/")
	clear := false
	if rest, found := strings.CutPrefix(text, "https://"); found {
		text = rest
	} else if text, clear = strings.CutPrefix(text, "http://"); clear && !strings.Contains(text, ":") {
		at, path, found := strings.Cut(text, "/")
		text = at + ":80"
		if found {
			text += "/" + path
		}
	}
	at, path, found := strings.Cut(text, "/")
	if at = strings.ToLower(at); !hostForm.MatchString(at) {
		return text, false // two ports, of which one would be left
	}
	text = strings.TrimSuffix(at, ":443")
	if found {
		text += "/" + path
	}
	return text, len(text) <= maxPart && hostForm.MatchString(text)
}

// Reach tells whether a's token may go to where w is, and returns the path there
// under which the provider's web pages are, "" being its root. A self-hosted
// server's token without Hosts may still go anywhere: its first use binds it.
func (a About) Reach(w Want) (prefix string, ok bool) {
	if !SelfHosted(a.ServerType) || len(a.Hosts) == 0 {
		return "", true
	}
	for _, entry := range a.Hosts {
		host, path, _ := strings.Cut(entry, "/")
		below, inside := w.Path, true
		if path != "" {
			below, inside = strings.CutPrefix(w.Path, path+"/")
		}
		if host == w.Host && inside && strings.Contains(below, "/") && (!ok || len(path) > len(prefix)) {
			prefix, ok = path, true
		}
	}
	return prefix, ok
}
