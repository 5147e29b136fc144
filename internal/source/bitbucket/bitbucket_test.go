package bitbucket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/bitbucket"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

var (
	_ source.Provider   = (*bitbucket.Provider)(nil)
	_ source.Hooker     = (*bitbucket.Provider)(nil)
	_ source.Lister     = (*bitbucket.Provider)(nil)
	_ source.Detailer   = (*bitbucket.Provider)(nil)
	_ source.RoleReader = (*bitbucket.Provider)(nil)
)

const email = "mona@example.com"

// allScopes is what an API token needs for everything.
var allScopes = []string{
	"read:repository:bitbucket", "read:pullrequest:bitbucket", "read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket",
	"read:user:bitbucket", "read:workspace:bitbucket",
}

// without returns allScopes but for some.
func without(scopes ...string) []string {
	var out []string
	for _, have := range allScopes {
		if !strings.Contains(" "+strings.Join(scopes, " ")+" ", " "+have+" ") {
			out = append(out, have)
		}
	}
	return out
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A place is a Bitbucket with the private repository octo/app.
type place struct {
	*sourcetest.Server
	provider *bitbucket.Provider
	repo     source.Repository
	head     string          // commit of main
	waits    []time.Duration // before calls were repeated
}

func start(t *testing.T) *place { return startPaged(t, 0) }

// startPaged is start with at most so many entries on a page of a list.
func startPaged(t *testing.T, size int) *place {
	t.Helper()
	s, err := sourcetest.New(sourcetest.Options{Server: api.ServerTypeBitbucket, Dir: t.TempDir(), Now: func() time.Time { return now }, PageSize: size})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	base, err := s.Start("127.0.0.1:0")
	must(t, err)
	p := &place{Server: s}
	p.provider = bitbucket.New(rest.Options{Pause: func(_ context.Context, d time.Duration) error {
		p.waits = append(p.waits, d)
		return nil
	}})
	at := source.Endpoints{api.ServerTypeBitbucket: base}.Site(api.ServerTypeBitbucket, "")
	p.repo = source.Repository{Site: at, Owner: "octo", Name: "app"}
	must(t, s.CreateRepository("octo", "app", true))
	p.head, err = s.Commit("octo", "app", "main", map[string]string{"README.md": "one\n"}, "first")
	must(t, err)
	return p
}

// login adds a token to the place and returns the login of it.
func (p *place) login(token sourcetest.Token) source.Login {
	if token.Login == "" {
		token.Login = "mona"
	}
	p.AddToken(token)
	return source.NewLogin(api.ServerTypeBitbucket, token.Email, secret.New(token.Value))
}

// mona is a user whose API token has these scopes.
func (p *place) mona(scopes ...string) source.Login {
	return p.login(sourcetest.Token{Value: "ATATT3xFfGF0mona", Email: email, Scopes: scopes})
}

// bot is an access token with these classic scopes.
func (p *place) bot(kind string, scopes ...string) source.Login {
	return p.login(sourcetest.Token{Value: "ATCTT3xFfGN0bot", Login: "app-bot", CredentialType: kind, Scopes: scopes, Repositories: []string{"octo/app"}})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused returns the Refusal that err must be.
func refused(t *testing.T, err error) *source.Refusal {
	t.Helper()
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		t.Fatalf("error = %v (%T), want a Refusal", err, err)
	}
	return r
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEachKindOfTokenIsSentAsBitbucketTakesIt(t *testing.T) {
	p := start(t)
	unknown := p.login(sourcetest.Token{Value: "token-without-prefix", Email: email, Scopes: allScopes})
	bearer := p.login(sourcetest.Token{Value: "access-without-prefix", Scopes: []string{"repository"}})
	for name, by := range map[string]source.Login{
		"an API token with the e-mail address":             p.mona(allScopes...),
		"a repository access token":                        p.bot("", "repository"),
		"a token of unknown looks with an e-mail address":  unknown,
		"a token of unknown looks without one is a bearer": bearer,
	} {
		t.Run(name, func(t *testing.T) {
			commit, err := p.provider.Resolve(t.Context(), p.repo, "main", by)
			if err != nil || commit != p.head {
				t.Errorf("Resolve = %q, %v, want %q", commit, err, p.head)
			}
			if _, err := rest.New(rest.Dialect{Name: "Bitbucket", Limited: func(*rest.Answer) (time.Duration, bool) { return 0, false },
				Words: func(*rest.Answer) string { return "" }, Explain: func(*rest.Answer, *source.Refusal, rest.Call) {},
			}, rest.Options{}).Refs(t.Context(), p.repo, by); err != nil {
				t.Errorf("git ls-remote = %v", err)
			}
		})
	}
}

func TestWhatCannotWorkIsNotSent(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		name, username, token string
		cause                 slipway.FailureCause
		want                  string
	}{
		{"an app password", "mona", "ATBBsecret", slipway.FailureCauseWrongKind,
			"This is a Bitbucket app password, and Bitbucket has switched those off for good on 2026-07-28. " + createToken},
		{"an API token with a user name", "mona", "ATATTsecret", slipway.FailureCauseWrongUsername,
			"A Bitbucket API token goes with the e-mail address of its owner's Atlassian account, and this one was imported with no e-mail address as user name. " +
				"Import it again with 'slipway credential import --server-type BITBUCKET --username E-MAIL --token-file FILE', where E-MAIL is the address of that account; git's user name is found by itself."},
		{"an API token alone", "", "ATATTsecret", slipway.FailureCauseWrongUsername,
			"A Bitbucket API token goes with the e-mail address of its owner's Atlassian account, and this one was imported with no e-mail address as user name. " +
				"Import it again with 'slipway credential import --server-type BITBUCKET --username E-MAIL --token-file FILE', where E-MAIL is the address of that account; git's user name is found by itself."},
		{"a GitHub token", "", "ghp_secret", slipway.FailureCauseWrongKind,
			"The token is none of Bitbucket's: by its beginning it belongs to GitHub. It was not sent. Import it for that provider, or " + strings.Replace(createToken, "Create", "create", 1)},
		{"a GitLab token", "", "glpat-secret", slipway.FailureCauseWrongKind,
			"The token is none of Bitbucket's: by its beginning it belongs to GitLab. It was not sent. Import it for that provider, or " + strings.Replace(createToken, "Create", "create", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			by := source.NewLogin(api.ServerTypeBitbucket, c.username, secret.New(c.token))
			_, err := p.provider.Resolve(t.Context(), p.repo, "main", by)
			if r := refused(t, err); r.Cause != c.cause || r.Error() != c.want || r.Again {
				t.Errorf("refusal = %s %s\nwant %s %s", r.Cause, r.Error(), c.cause, c.want)
			}
			_, err = p.provider.Hooks(t.Context(), source.Target{Repository: p.repo}, "x", by)
			if r := refused(t, err); r.Cause != c.cause {
				t.Errorf("Hooks = %v", err)
			}
		})
	}
	if n := len(p.Requests()); n != 0 {
		t.Errorf("%d requests went out, want none", n)
	}
}

// createToken is how one comes by a token that does everything.
const createToken = "Create an 'API token with scopes' for the app Bitbucket at https://id.atlassian.com/manage-profile/security/api-tokens with the scopes " +
	"read:repository:bitbucket, read:pullrequest:bitbucket, read:webhook:bitbucket, write:webhook:bitbucket, delete:webhook:bitbucket, read:user:bitbucket and read:workspace:bitbucket, " +
	"and import it with 'slipway credential import --server-type BITBUCKET --username E-MAIL --token-file FILE'."

func TestRefusalsAreExplained(t *testing.T) {
	p := start(t)
	p.SetRole("octo", "app", "reader", "read")
	none := source.Login{Server: api.ServerTypeBitbucket}
	bad := source.NewLogin(api.ServerTypeBitbucket, email, secret.New("ATATTwrong"))
	badAccess := source.NewLogin(api.ServerTypeBitbucket, "", secret.New("ATCTTwrong"))
	old := source.NewLogin(api.ServerTypeBitbucket, "mona", secret.New("looks-like-nothing"))
	unscoped := p.login(sourcetest.Token{Value: "ATATTunscoped", Email: email})
	apiPage := "https://id.atlassian.com/manage-profile/security/api-tokens"
	wrongOrUnscoped := "Bitbucket answered 401: unauthorized. The API token is wrong, expired or revoked, belongs to another e-mail address than the one it was imported with, " +
		"or was created without scopes. " + createToken
	for _, c := range []struct {
		name    string
		by      source.Login
		cause   slipway.FailureCause
		missing []string
		want    string
		link    string
	}{
		{"a wrong API token", bad, slipway.FailureCauseBadToken, nil, wrongOrUnscoped, apiPage},
		{"an API token without scopes", unscoped, slipway.FailureCauseBadToken, nil, wrongOrUnscoped, apiPage},
		{"a wrong access token", badAccess, slipway.FailureCauseBadToken, nil,
			"Bitbucket answered 401: Token is invalid, expired, or not supported for this endpoint. The access token is wrong, expired or revoked. " +
				"Create a new one in the settings of the repository, project or workspace, and import it without a user name.", p.repo.WebBase + "/octo/app/admin/access-tokens"},
		{"a user name and an old password", old, slipway.FailureCauseWrongKind, nil,
			"This is a Bitbucket app password, and Bitbucket has switched those off for good on 2026-07-28. " + createToken, apiPage},
		{"an API token that may only write", p.login(sourcetest.Token{Value: "ATATTwrite", Email: email, Scopes: []string{"write:repository:bitbucket", "admin:repository:bitbucket"}}),
			slipway.FailureCauseMissingScope, []string{"read:repository:bitbucket"},
			"Bitbucket answered 403: Your credentials lack one or more required privilege scopes. The token lacks read:repository:bitbucket. " +
				"Scopes cannot be added to an API token: create a new 'API token with scopes' for the app Bitbucket that also has read:repository:bitbucket, and import it with 'slipway credential import'.", apiPage},
		{"an access token without the permission", p.login(sourcetest.Token{Value: "ATCTTwebhook", Login: "hook-bot", Scopes: []string{"webhook"}}),
			slipway.FailureCauseMissingScope, []string{"repository"},
			"Bitbucket answered 403: Your credentials lack one or more required privilege scopes. The token lacks the permission repository. " +
				"Permissions cannot be added to an access token: create a new one that also has the permission repository, and import it with 'slipway credential import'.", p.repo.WebBase + "/octo/app/admin/access-tokens"},
		{"an access token of another repository", p.login(sourcetest.Token{Value: "ATCTTother", Login: "other-bot", Scopes: []string{"repository"}, Repositories: []string{"octo/other"}}),
			slipway.FailureCauseNotVisible, nil,
			"Bitbucket answered 404: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated. " +
				"Bitbucket also says this of what a token may not see: an access token reaches only the repository, project or workspace that it was made in. Make one there and import it with 'slipway credential import'.", p.repo.WebBase + "/octo/app/admin/access-tokens"},
		{"nobody", none, slipway.FailureCauseNotVisible, nil,
			"Bitbucket answered 404: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated. " +
				"Bitbucket also says this of private repositories: import a credential for it.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.provider.Message(t.Context(), p.repo, p.head, c.by)
			r := refused(t, err)
			if r.Cause != c.cause || r.Error() != c.want || r.Link != c.link || r.Again {
				t.Errorf("refusal = %s\n%s\n%s\nwant %s\n%s\n%s", r.Cause, r.Error(), r.Link, c.cause, c.want, c.link)
			}
			same(t, "Missing", r.Missing, c.missing)
		})
	}
}

func TestAnswersThatAreNotTheTokensFault(t *testing.T) {
	const limit = `{"type":"error","error":{"message":"Rate limit for this resource has been exceeded"}}`
	const gone = `{"type":"error","error":{"message":"CHANGE-2770 - Functionality has been deprecated","detail":"Please read the changelog entry for more details.","data":{"announcement_url":"https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"}}}`
	for _, c := range []struct {
		name    string
		failure sourcetest.Failure
		cause   slipway.FailureCause
		again   bool
		after   time.Duration
		want    string
		link    string
	}{
		{"a rate limit without a time waits a minute", sourcetest.Failure{Status: 429, Body: limit}, slipway.FailureCauseRateLimited, true, time.Minute,
			"Bitbucket answered 429: Rate limit for this resource has been exceeded. The provider limits how often it may be called: it is tried again by itself.", ""},
		{"a rate limit with a time waits for it", sourcetest.Failure{Status: 429, Body: limit, Header: http.Header{"Retry-After": {"90"}}}, slipway.FailureCauseRateLimited, true, 90 * time.Second,
			"Bitbucket answered 429: Rate limit for this resource has been exceeded. The provider limits how often it may be called: it is tried again by itself.", ""},
		{"what is gone names the page that says so", sourcetest.Failure{Status: 410, Body: gone}, slipway.FailureCauseGone, false, 0,
			"Bitbucket answered 410: CHANGE-2770 - Functionality has been deprecated. Please read the changelog entry for more details. " +
				"Bitbucket has removed this part of its API, see https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770: update Slipway.",
			"https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"},
		{"a page elsewhere is not linked", sourcetest.Failure{Status: 410, Body: `{"error":{"message":"x","data":{"announcement_url":"https://atlassian.com.example/phish"}}}`}, slipway.FailureCauseGone, false, 0, "Bitbucket answered 410: x.", ""},
		{"an address that is not allowed", sourcetest.Failure{Status: 403, Body: `{"error":{"message":"To access this repository, an admin must whitelist your IP."}}`}, slipway.FailureCauseIpNotAllowed, false, 0,
			"Bitbucket answered 403: To access this repository, an admin must whitelist your IP. Ask an administrator of the workspace to add this machine's address under Workspace settings → Access controls.", ""},
		{"a page of HTML", sourcetest.Failure{Status: 400, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}, slipway.FailureCauseRejected, false, 0, "Bitbucket answered 400: bad request.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			by := p.mona(allScopes...)
			p.Fail("*", c.failure, 9)
			_, err := p.provider.Message(t.Context(), p.repo, p.head, by)
			r := refused(t, err)
			if r.Cause != c.cause || r.Again != c.again || r.After != c.after || r.Error() != c.want || r.Link != c.link {
				t.Errorf("refusal = %s again %v after %v\n%s\n%s\nwant %s\n%s", r.Cause, r.Again, r.After, r.Error(), r.Link, c.cause, c.want)
			}
			if n := len(p.Requests()); n != 1 {
				t.Errorf("%d requests, want 1: who is to wait a minute does not wait within a call", n)
			}
		})
	}
}

func TestReadingCallsAreRepeated(t *testing.T) {
	p := start(t)
	p.FailNext("*", 503, "", 2)
	if got, err := p.provider.Message(t.Context(), p.repo, p.head, p.mona(allScopes...)); err != nil || got != "first\n" || len(p.waits) != 2 {
		t.Errorf("Message = %q, %v after %d waits, want it after 2", got, err, len(p.waits))
	}
}

func TestNoTokenIsEverShown(t *testing.T) {
	p := start(t)
	by := p.mona(allScopes...)
	p.FailNext("*", 403, `{"error":{"message":"ATATT3xFfGF0mona is not allowed","detail":{"required":["ATATT3xFfGF0mona"],"granted":[]}}}`, 9)
	_, err := p.provider.Message(t.Context(), p.repo, p.head, by)
	r := refused(t, err)
	if all := fmt.Sprintf("%s %q %v", r.Error(), r.Missing, r.Header); strings.Contains(all, "ATATT3xFfGF0mona") || strings.Contains(all, email) {
		t.Errorf("the refusal shows the login: %s", all)
	}
}
