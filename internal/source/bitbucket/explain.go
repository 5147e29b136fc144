package bitbucket

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// Pages where tokens are made.
const apiTokenPage = token.AtlassianPage

// unusable is the no that Bitbucket would give in misleading words, told
// without asking; nil if the login may work. No token goes out that is no
// Bitbucket token.
func unusable(by source.Login) *source.Refusal {
	switch k := by.Kind; {
	case by.IsZero():
		return nil
	case k == slipway.TokenKindBitbucketAppPassword && strings.HasPrefix(by.Token.Reveal(), "ATBB"):
		return appPassword(0)
	case k == slipway.TokenKindBitbucketApiToken && !strings.Contains(by.Username, "@"):
		return wrongUsername()
	case k != slipway.TokenKindUnknown && !strings.HasPrefix(string(k), "BITBUCKET_"):
		return &source.Refusal{
			Cause:    slipway.FailureCauseWrongKind,
			Message:  "The token is none of Bitbucket's: by its beginning it belongs to " + strings.Split(family(k), "_")[0] + ". It was not sent.",
			NextStep: "Import it for that provider, or " + lowered(newAPIToken()), Link: apiTokenPage,
		}
	}
	return nil
}

// family returns the provider that a kind of token belongs to, as people write it.
func family(k slipway.TokenKind) string {
	if strings.HasPrefix(string(k), "GITHUB_") {
		return "GitHub"
	}
	return "GitLab"
}

// appPassword is the Refusal of an app password. status is 0 if nobody was asked.
func appPassword(status int) *source.Refusal {
	return &source.Refusal{
		Cause: slipway.FailureCauseWrongKind, HTTPStatus: status,
		Message:  "This is a Bitbucket app password, and Bitbucket has switched those off for good on 2026-07-28.",
		NextStep: newAPIToken(), Link: apiTokenPage,
	}
}

// wrongUsername is the Refusal of an API token that came without an e-mail address.
func wrongUsername() *source.Refusal {
	return &source.Refusal{
		Cause:    slipway.FailureCauseWrongUsername,
		Message:  "A Bitbucket API token goes with the e-mail address of its owner's Atlassian account, and this one was imported with no e-mail address as user name.",
		NextStep: "Import it again with " + importIt + ", where E-MAIL is the address of that account; git's user name is found by itself.",
		Link:     apiTokenPage,
	}
}

// importIt is how an API token is imported.
const importIt = "'slipway credential import --server-type BITBUCKET --username E-MAIL --token-file FILE'"

// newAPIToken says how to come by a token that does everything.
func newAPIToken() string {
	return "Create an 'API token with scopes' for the app Bitbucket at " + apiTokenPage + " with the scopes " +
		series(names(source.Login{Kind: slipway.TokenKindBitbucketApiToken}, recommended)) + ", and import it with " + importIt + "."
}

// called returns scopes by the word that their page has for them.
func called(by source.Login, scopes []string) string {
	if !accessToken(by.Kind) {
		return series(scopes)
	}
	if len(scopes) == 1 {
		return "the permission " + scopes[0]
	}
	return "the permissions " + series(scopes)
}

// newToken says how to come by a token like this one that also has scopes:
// they cannot be added to one that exists.
func newToken(by source.Login, scopes []string) string {
	if accessToken(by.Kind) {
		return "Permissions cannot be added to an access token: create a new one that also has " + called(by, scopes) + ", and import it with 'slipway credential import'."
	}
	return "Scopes cannot be added to an API token: create a new 'API token with scopes' for the app Bitbucket that also has " + series(scopes) + ", and import it with 'slipway credential import'."
}

func lowered(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// tokenPage returns where tokens of a login's kind are made: for access tokens
// in the settings of what the call was about.
func tokenPage(by source.Login, at source.Site, owner, name string) string {
	switch {
	case !accessToken(by.Kind):
		return apiTokenPage
	case by.Kind == slipway.TokenKindBitbucketWorkspaceToken && owner != "":
		return target(at.WebBase, owner, "workspace", "settings", "access-tokens")
	case owner != "" && name != "":
		return target(at.WebBase, owner, name, "admin", "access-tokens")
	}
	return token.BitbucketPage
}

// subject returns the repository that a call is about, if any.
func subject(call rest.Call) (owner, name string) {
	rest, ok := strings.CutPrefix(call.URL, call.At.APIBase+"/repositories/")
	if !ok {
		if rest, ok = strings.CutPrefix(call.URL, call.At.WebBase+"/"); !ok || !call.Git {
			return "", ""
		}
	}
	rest, _, _ = strings.Cut(rest, "?")
	parts := strings.Split(rest, "/")
	if len(parts) < 2 {
		return "", ""
	}
	owner, _ = url.PathUnescape(parts[0])
	name, _ = url.PathUnescape(strings.TrimSuffix(parts[1], ".git"))
	return owner, name
}

// explain says what Bitbucket's answer means.
func explain(a *rest.Answer, r *source.Refusal, call rest.Call) {
	owner, name := subject(call)
	switch a.Status {
	case http.StatusUnauthorized:
		unauthorized(r, call)
	case http.StatusForbidden:
		forbidden(a, r, call)
	case http.StatusNotFound:
		r.NextStep = "Bitbucket also says this of what a token may not see: check the address, and that the token's owner has access."
		if accessToken(call.By.Kind) {
			r.NextStep = "Bitbucket also says this of what a token may not see: an access token reaches only the repository, project or workspace that it was made in. Make one there and import it with 'slipway credential import'."
			r.Link = tokenPage(call.By, call.At, owner, name)
		}
		if call.By.IsZero() {
			r.NextStep = "Bitbucket also says this of private repositories: import a credential for it."
		}
	case http.StatusGone:
		if call.By.Kind == slipway.TokenKindBitbucketAppPassword {
			replace(r, appPassword(a.Status))
			return
		}
		p, _ := problemOf(a)
		if link := announced(p); link != "" {
			r.Link, r.NextStep = link, "Bitbucket has removed this part of its API, see "+link+": update Slipway."
		}
	}
	if r.Link == "" && (r.Cause == slipway.FailureCauseBadToken || r.Cause == slipway.FailureCauseMissingScope) && !call.By.IsZero() {
		r.Link = tokenPage(call.By, call.At, owner, name)
	}
}

// announced returns where Atlassian explains what is gone: a page of its own,
// or nothing.
func announced(p problem) string {
	for _, text := range []string{p.Error.Data.URL, p.Data.URL} {
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "https" && u.User == nil && (u.Host == "atlassian.com" || strings.HasSuffix(u.Host, ".atlassian.com")) {
			return rest.Clean(u.String(), secret.Text{})
		}
	}
	return ""
}

func replace(r, by *source.Refusal) {
	r.Cause, r.Message, r.NextStep, r.Link = by.Cause, by.Message, by.NextStep, by.Link
}

func unauthorized(r *source.Refusal, call rest.Call) {
	switch by := call.By; {
	case by.IsZero():
		r.NextStep = "Bitbucket asks who is there: import a credential for it."
	case by.Kind == slipway.TokenKindBitbucketAppPassword:
		replace(r, appPassword(r.HTTPStatus))
	case by.Kind == slipway.TokenKindBitbucketApiToken && call.Git:
		r.Message += " The API token is wrong, expired or revoked, or was created without scopes."
		r.NextStep = newAPIToken()
	case by.Kind == slipway.TokenKindBitbucketApiToken:
		r.Message += " The API token is wrong, expired or revoked, belongs to another e-mail address than the one it was imported with, " +
			"or was created without scopes."
		r.NextStep = newAPIToken()
	case accessToken(by.Kind):
		r.Message += " The access token is wrong, expired or revoked."
		r.NextStep = "Create a new one in the settings of the repository, project or workspace, and import it without a user name."
	default:
		r.Message += " The token is wrong, expired, revoked or none of Bitbucket's."
		r.NextStep = newAPIToken()
	}
}

// forbidden tells a scope that a token lacks from a right that its owner lacks:
// Bitbucket answers 403 for both.
func forbidden(a *rest.Answer, r *source.Refusal, call rest.Call) {
	_, l := problemOf(a)
	if _, known := scopesIn(r.Header, "X-Oauth-Scopes"); !known && len(l.Required) > 0 {
		r.Header.Set("X-Oauth-Scopes", strings.Join(clean(l.Granted, call.By), ", ")) // the check wants to know them
	}
	scopes, known := scopesIn(a.Header, "X-Oauth-Scopes")
	if len(l.Required) > 0 {
		scopes, known = l.Granted, true
	} else {
		l.Required, _ = scopesIn(a.Header, "X-Accepted-Oauth-Scopes")
	}
	lower := strings.ToLower(r.Message)
	switch {
	case (strings.Contains(lower, "whitelist") || strings.Contains(lower, "allowlist")) && strings.Contains(lower, "ip"):
		r.Cause = slipway.FailureCauseIpNotAllowed
		r.NextStep = "Ask an administrator of the workspace to add this machine's address under Workspace settings → Access controls."
		return
	case known:
		for _, scope := range clean(l.Required, call.By) {
			if !granted(scopes, scope) {
				r.Missing = append(r.Missing, scope)
			}
		}
	case call.Git && strings.Contains(lower, "privilege scopes"):
		r.Missing = []string{readRepository.name(call.By)}
	}
	if len(r.Missing) == 0 && strings.Contains(lower, "privilege scopes") {
		if r.Missing = []string{readRepository.name(call.By)}; !call.Git {
			r.Missing = clean(l.Required, call.By)
		}
	}
	switch {
	case len(r.Missing) > 0:
		r.Cause = slipway.FailureCauseMissingScope
		r.Message += " The token lacks " + called(call.By, r.Missing) + "."
		r.NextStep = newToken(call.By, r.Missing)
	case call.By.IsZero():
		r.Cause, r.NextStep = slipway.FailureCauseNotVisible, "Import a credential for Bitbucket."
	default:
		r.Cause = slipway.FailureCauseNotAdmin
		r.NextStep = "No scope is missing: the token's owner lacks the right. " + becomeAdmin(call.By)
	}
}

// becomeAdmin says how a token comes to be an administrator's.
func becomeAdmin(by source.Login) string {
	if accessToken(by.Kind) {
		return "Create an access token with the permission repository:admin, or use an administrator's API token."
	}
	return "Give the account the permission Admin under Repository settings → Repository permissions, or use an administrator's token."
}

// clean makes a stranger's list of scopes fit to show.
func clean(scopes []string, by source.Login) []string {
	var out []string
	for _, s := range scopes[:min(len(scopes), 20)] {
		if s = rest.Cut(rest.Clean(s, by.Token), 60); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
