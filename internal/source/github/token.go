package github

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/source"
)

// implied is what a classic scope includes beside itself, as far as it matters here.
var implied = map[string][]string{
	"repo":            {"public_repo", "repo:status", "admin:repo_hook", "write:repo_hook", "read:repo_hook"},
	"admin:repo_hook": {"write:repo_hook", "read:repo_hook"},
	"write:repo_hook": {"read:repo_hook"},
}

// includes reports whether classic scopes include one of those wanted.
func includes(have []string, want ...string) bool {
	return slices.ContainsFunc(have, func(scope string) bool {
		return slices.Contains(want, scope) || slices.ContainsFunc(implied[scope], func(s string) bool { return slices.Contains(want, s) })
	})
}

// scopes reads X-OAuth-Scopes. The header is there, if blank, for every classic
// token; for other kinds it is not.
func scopes(h http.Header) (list []string, known bool) {
	values := h.Values("X-OAuth-Scopes")
	return split(strings.Join(values, ",")), len(values) > 0
}

func split(list string) []string {
	var out []string
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

// permissionNames are what GitHub's pages call the permissions that its headers
// name otherwise.
var permissionNames = map[string]string{
	"contents": "Contents", "statuses": "Commit statuses", "repository_hooks": "Webhooks", "pull_requests": "Pull requests",
	"organization_hooks": "Organization webhooks", "administration": "Administration", "metadata": "Metadata",
}

// permissions reads X-Accepted-GitHub-Permissions, such as
// "pull_requests=read,contents=read; issues=read", as GitHub's pages name them:
// the first of the alternatives.
func permissions(h http.Header) []string {
	first, _, _ := strings.Cut(h.Get("X-Accepted-GitHub-Permissions"), ";")
	var out []string
	for _, entry := range split(first) {
		name, level, _ := strings.Cut(entry, "=")
		if strings.Trim(name+level, "abcdefghijklmnopqrstuvwxyz_") != "" || level == "" || len(entry) > 64 {
			continue
		}
		readable := permissionNames[name]
		if readable == "" {
			readable = strings.ToUpper(name[:min(1, len(name))]) + strings.ReplaceAll(name[min(1, len(name)):], "_", " ")
		}
		out = append(out, readable+": "+level)
	}
	return out
}

// expiry reads the header that says when a token ends; GitHub writes it in two
// ways. Without it, the token has no end or is none of a person.
func expiry(h http.Header) time.Time {
	text := h.Get("GitHub-Authentication-Token-Expiration")
	for _, layout := range []string{"2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Where tokens are made. GitHub fills in what the address says.
const (
	classicPage = "/settings/tokens"
	finePage    = "/settings/personal-access-tokens"
	appPage     = "/settings/apps"
)

// page returns where a token is made that can do everything, of the same kind
// as by if that is a person's. extra are scopes beyond the usual ones.
func page(at source.Site, by source.Login, owner string, extra ...string) string {
	switch by.Kind {
	case slipway.TokenKindGithubFineGrained:
		return token.GitHubFinePage(at.WebBase, owner)
	case slipway.TokenKindGithubAppInstallation, slipway.TokenKindGithubAppUser:
		return at.WebBase + appPage
	}
	all := token.Scopes(slipway.TokenKindGithubClassic)
	for _, scope := range extra {
		if !includes(all, scope) {
			all = append(all, scope)
		}
	}
	return token.GitHubPage(at.WebBase, all...)
}

// grant says how a token of by's kind gets what it lacks.
func grant(at source.Site, by source.Login, owner string, missing []string) (next, link string) {
	link = page(at, by, owner, missing...)
	switch by.Kind {
	case slipway.TokenKindGithubFineGrained:
		next = "Edit the token at " + at.WebBase + finePage + " and give it the repository " + plural("permission", missing) + "; its value stays the same."
		if owner != "" {
			next += " If " + owner + " has to approve tokens, it works after that."
		}
		next += " Or make a new one at " + link + "."
	case slipway.TokenKindGithubAppInstallation, slipway.TokenKindGithubAppUser:
		next = "Give the GitHub App the " + plural("permission", missing) + " at " + link + ", and accept it where the App is installed."
	default:
		next = "Tick the " + plural("scope", missing) + " for the token at " + at.WebBase + classicPage + "; its value stays the same. Or make a new token at " + link + " and import it with 'slipway credential import'."
	}
	return next, link
}

// plural names one of a kind, or several.
func plural(what string, names []string) string {
	if n := len(names) - 1; n > 0 {
		return what + "s " + strings.Join(names[:n], ", ") + " and " + names[n]
	}
	return what + " " + strings.Join(names, "")
}
