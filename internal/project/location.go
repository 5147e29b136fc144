package project

import (
	"fmt"
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/lazy"
)

// anyRepository is the location of a project whose webhook is an organization's
// or group's: each delivery brings its repository.
const anyRepository = "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"

const maxLocation = 2048

// location holds a source's location against its type. No sentence repeats the
// location: it may hold a password after all.
func (f *faults) location(at path, s *api.ProjectSource, kind sourceKind) {
	location := text(s.Location)
	fault := ""
	switch {
	case s.Type == api.SourceTypeNoSource:
		if location != "" {
			fault = "Invalid input: source location must be empty for source type NO_SOURCE"
		}
	case len(location) > maxLocation:
		fault = fmt.Sprintf("Invalid project source: source location cannot be longer than %d characters", maxLocation)
	case holdsSecret(location):
		fault = "Invalid project source: source location must not contain a password or token. Remove it from the URL and import the token with ImportSourceCredentials instead."
	case s.Type == api.SourceTypeCodepipeline: // the pipeline brings the source; a location is kept and not used
	case location == "":
		fault = "Project source location is required"
	case validLocation(s.Type, location):
	case s.Type == api.SourceTypeS3:
		fault = "Invalid project source: location must be a valid S3 source"
	default:
		fault = fmt.Sprintf("Invalid project source: source location must be a valid %s repository URL", kind.name)
	}
	if fault != "" {
		f.add(at, "location", "%s", fault)
	}
}

func validLocation(t api.SourceType, location string) bool {
	switch t {
	case api.SourceTypeCodecommit:
		return codecommit().MatchString(location)
	case api.SourceTypeS3:
		return s3Source().MatchString(location)
	}
	if location == anyRepository {
		return t != api.SourceTypeBitbucket // the only provider without such webhooks
	}
	host, path, ok := repository(location)
	if !ok {
		return false
	}
	depth := len(path)
	switch t {
	case api.SourceTypeGithub:
		return isHost(host, "github.com") && depth == 2
	case api.SourceTypeBitbucket:
		return isHost(host, "bitbucket.org") && depth == 2
	case api.SourceTypeGitlab:
		return isHost(host, "gitlab.com") && depth >= 2
	}
	return depth >= 2 // self-hosted: anywhere, perhaps below a path
}

var (
	codecommit = lazy.Regexp(`^https://git-codecommit(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/v1/repos/[A-Za-z0-9._-]{1,100}/?$`)
	// A bucket, a slash, and the key of an object or folder; nothing after the
	// slash is the whole bucket.
	s3Source = lazy.Regexp(`^(arn:aws[a-z-]*:s3:::)?[A-Za-z0-9][A-Za-z0-9._-]{1,254}/[^\x00-\x1f\x7f]*$`)
	scp      = lazy.Regexp(`^git@([A-Za-z0-9.-]+):/?(.+)$`)
	element  = lazy.Regexp(`^[A-Za-z0-9._~+@-]+$`)
)

// repository takes the location of a git repository apart. It reads HTTP and
// HTTPS URLs, and the SSH forms that providers offer for copying, which are
// cloned over HTTPS.
func repository(location string) (host string, path []string, ok bool) {
	if m := scp().FindStringSubmatch(location); m != nil {
		location = "ssh://git@" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(location)
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if err != nil || strings.ContainsFunc(location, odd) || u.Hostname() == "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(location, "#") {
		return "", nil, false
	}
	switch u.Scheme {
	case "http", "https":
	case "ssh":
		if u.User.Username() != "git" {
			return "", nil, false
		}
	default:
		return "", nil, false
	}
	path = strings.Split(strings.Trim(u.Path, "/"), "/")
	for _, e := range path {
		if !element().MatchString(e) || strings.Trim(e, ".") == "" || e == ".git" {
			return "", nil, false
		}
	}
	return u.Host, path, true
}

// isHost reports whether host is name, with or without www. and the port of HTTPS.
func isHost(host, name string) bool {
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	return host == name || host == name+":443"
}

// holdsSecret reports whether a URL has a password, or a user name that is a
// token. A plain user name, as Bitbucket puts it into the URLs it offers, is none.
func holdsSecret(location string) bool {
	_, rest, found := strings.Cut(location, "://")
	if !found {
		return false
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && end < at {
		// An @ behind the host belongs to a path, unless what is before the
		// slash ends in something that is no port: then it is a password with
		// a slash in it.
		_, port, colon := strings.Cut(rest[:end], ":")
		if at = strings.LastIndexByte(rest[:end], '@'); at < 0 {
			return colon && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(rest, "[")
		}
	}
	user := rest[:at]
	return strings.Contains(user, ":") || strings.Contains(strings.ToLower(user), "%3a") || tokenShape().MatchString(user)
}

// tokenShape knows the access tokens of the providers, which all accept them in
// place of a user name: by their prefixes, or forty hexadecimal digits.
var tokenShape = lazy.Regexp(`^(gh[a-z]_|github_pat_|gl(pat|oas|dt|rt|ft|cbt|ptt|soat|agent)-|ATBB|ATCT|ATAT|[0-9a-fA-F]{40}$)`)
