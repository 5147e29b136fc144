package checkup

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
)

func TestACredentialIsCheckedAfterItsImportAndDaily(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", true)
	b.running()
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.Wake(a.ARN)
	b.log.wait(t, `msg="source credential checked"`, 1)
	h, err := b.Health(t.Context(), a)
	if err != nil || h.State != slipway.CredentialStateValid || h.Owner != "ada" || h.Repository != "team/recipes" {
		t.Fatalf("Health = %+v, %v", h, err)
	}
	asked := len(b.provider.Requests())

	b.pass(12 * time.Hour)
	b.pass(0) // the round before has ended
	if n := len(b.provider.Requests()); n != asked {
		t.Errorf("it was checked again after twelve hours: %d requests", n-asked)
	}

	b.provider.RevokeToken(good)
	b.pass(12 * time.Hour)
	log := b.log.wait(t, "worked before and is refused now", 1)
	if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "owner=ada") || !strings.Contains(log, "stays when people leave") {
		t.Errorf("the log does not name the owner in an error, and what outlives people:\n%s", log)
	}
	if strings.Contains(log, good) {
		t.Error("the token is in the log")
	}
	b.pass(25 * time.Hour)
	log = b.log.wait(t, `msg="source credential is refused"`, 1)
	if n := strings.Count(log, "worked before"); n != 1 {
		t.Errorf("the first refusal was told %d times", n)
	}
}

func TestATokenIsCheckedOnceAProjectSaysWhereItsServerIs(t *testing.T) {
	b := newBench(t, Options{})
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.running()
	b.log.wait(t, "state=UNCHECKED", 1)
	b.repository("app", "team", "recipes", true)
	b.pass(time.Minute)
	b.Located(api.ServerTypeGitlabSelfManaged)
	b.Located(api.ServerTypeGithubEnterprise)
	b.log.wait(t, "state=VALID", 1)
	if h, err := b.Health(t.Context(), a); err != nil || h.Owner != "ada" {
		t.Errorf("Health = %+v, %v", h, err)
	}
}

func TestAProviderThatIsAwayIsAskedAgainSoon(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.running()
	b.log.wait(t, `state=VALID`, 1)
	b.provider.FailNext("GET *", 503, `{}`, 1)
	b.pass(25 * time.Hour)
	b.log.wait(t, `state=UNREACHABLE`, 1)
	h, err := b.Health(t.Context(), a)
	if err != nil || h.Owner != "ada" || len(h.Jobs) == 0 || len(h.Warnings) != 1 || !strings.HasPrefix(h.Warnings[0], "What is shown was found on Fri, 27 Nov 2026") {
		t.Errorf("what was known is lost: %+v, %v", h, err)
	}
	b.provider.RevokeToken(good)
	b.pass(time.Hour)
	b.log.wait(t, "worked before and is refused now", 1)
}

func TestPeopleAreWarnedOfAnExpiryOnceAtEachThreshold(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", false)
	b.provider.AddToken(sourcetest.Token{Value: good, Login: "ada", Scopes: []string{"repo"}, Expires: noon.Add(31 * day)})
	b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.running()
	b.log.wait(t, "state=VALID", 1)
	for i, step := range []struct {
		days int
		want string
	}{{1, "daysLeft=30"}, {16, "daysLeft=14"}, {7, "daysLeft=7"}, {6, "daysLeft=1"}} {
		b.pass(time.Duration(step.days) * day)
		b.log.wait(t, "expires soon", i+1)
		log := b.log.wait(t, step.want, 1)
		b.pass(0)
		b.pass(0)
		if n := strings.Count(log, "expires soon"); n != i+1 {
			t.Errorf("%s: warned %d times, want %d:\n%s", step.want, n, i+1, log)
		}
	}
	b.pass(2 * day)
	log := b.log.wait(t, "source credential has expired", 1)
	if !strings.Contains(log, "'slipway credential import --server-type GITHUB_ENTERPRISE --token-file FILE'") {
		t.Errorf("the warnings do not say what to do:\n%s", log)
	}
}

func TestExpiryThresholds(t *testing.T) {
	for _, test := range []struct {
		name   string
		left   time.Duration
		warned int
		want   int
		warn   bool
	}{
		{"a year is left", 365 * day, credential.NeverWarned, credential.NeverWarned, false},
		{"thirty days are left", 30 * day, credential.NeverWarned, 30, true},
		{"of thirty days was warned", 20 * day, 30, 30, false},
		{"imported with three days left", 3 * day, credential.NeverWarned, 7, true},
		{"some days were slept through", 12 * time.Hour, 30, 1, true},
		{"it is over", -time.Hour, 1, 0, true},
		{"of its end was told", -40 * day, 0, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, warn := due(noon.Add(test.left), noon, test.warned); got != test.want || warn != test.warn {
				t.Errorf("due = %d, %t, want %d, %t", got, warn, test.want, test.warn)
			}
		})
	}
	for left, want := range map[time.Duration]int{time.Hour: 0, 25 * time.Hour: 1, -time.Hour: -1, -25 * time.Hour: -2} {
		if got := DaysLeft(noon.Add(left), noon); got != want {
			t.Errorf("DaysLeft(%s) = %d, want %d", left, got, want)
		}
	}
}

func TestWhatTheOwnerSaidOfExpiryFillsInWhatTheProviderDoesNotTell(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, func(c *credential.Credential) { c.Expires = noon.Add(3 * day) })
	h, err := b.Check(t.Context(), scope, a.ARN, "")
	if err != nil || !h.Expires.Equal(a.Expires) || h.State != slipway.CredentialStateValid {
		t.Errorf("Check = %+v, %v", h, err)
	}
	b.provider.RevokeToken(good)
	b.mu.Lock()
	b.now = noon.Add(4 * day)
	b.mu.Unlock()
	h, err = b.Check(t.Context(), scope, a.ARN, "")
	if err != nil || h.State != slipway.CredentialStateExpired || h.Cause != slipway.FailureCauseExpiredToken || !strings.HasPrefix(h.Message, "It expired on 2026-11-30, as was said") {
		t.Errorf("Check = %+v, %v", h, err)
	}
}

func TestTheWorstOfThreeRepositoriesIsTold(t *testing.T) {
	b := newBench(t, Options{})
	b.provider.AddToken(sourcetest.Token{Value: good, Login: "ada", Scopes: []string{"repo"}, Repositories: []string{"team/a", "team/c", "team/d"}})
	for _, name := range []string{"a", "b", "c", "d"} {
		b.repository("app-"+name, "team", name, false)
	}
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	h, err := b.Check(t.Context(), scope, a.ARN, "")
	if err != nil {
		t.Fatal(err)
	}
	if h.State != slipway.CredentialStateLimited || h.Repository != "team/a, team/b, team/c" || h.Owner != "ada" {
		t.Errorf("Check = %+v", h)
	}
	want := slipway.JobAbility{Job: slipway.CredentialJobClone, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseNotVisible, Message: "At team/b: GitHub answered 404 Not Found."}
	if d := cmp.Diff(want, h.Jobs[0]); d != "" {
		t.Error(d)
	}
	for _, r := range b.provider.Requests() {
		if strings.Contains(r.Path, "/team/d") {
			t.Error("a fourth repository was asked for")
		}
	}
}

func TestATokenOfOnePlaceGoesToNoOtherHost(t *testing.T) {
	b := newBench(t, Options{})
	for server, cases := range map[api.ServerType]map[string]string{
		api.ServerTypeGithub: {"https://ghe.example/team/app": "--server-type GITHUB_ENTERPRISE --host ghe.example", "https://bitbucket.org/team/app": "--server-type BITBUCKET"},
		api.ServerTypeGitlab: {"https://gitlab.example/team/app.git": "--server-type GITLAB_SELF_MANAGED --host gitlab.example", "git@github.com:team/app.git": "--server-type GITHUB"},
	} {
		a := b.imports(server, map[api.ServerType]string{api.ServerTypeGithub: "ghp_there", api.ServerTypeGitlab: "glpat-there"}[server], nil)
		for url, want := range cases {
			h, err := b.Check(t.Context(), scope, a.ARN, url)
			if err != nil || h.State != slipway.CredentialStateUnchecked || h.Cause != slipway.FailureCauseWrongHost || !strings.Contains(h.NextStep, want+" --token-file FILE'") || h.Repository != "team/app" {
				t.Errorf("Check of a token for %s at %s = %+v, %v, want UNCHECKED: %s", server, url, h, err, want)
			}
		}
		if _, err := b.Check(t.Context(), scope, a.ARN, "nowhere"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Check at no URL = %v, want Invalid", err)
		}
	}
}

func TestASelfHostedTokenGoesToItsHostsOnly(t *testing.T) {
	b := newBench(t, Options{})
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	check := func(url string) slipway.CredentialHealth {
		t.Helper()
		h, err := b.Check(t.Context(), scope, a.ARN, url)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := check("")
	if h.State != slipway.CredentialStateUnchecked || !strings.Contains(h.NextStep, "'slipway credential import --server-type GITHUB_ENTERPRISE --token-file FILE --host HOST'") {
		t.Errorf("without a host: %+v", h)
	}
	if err := b.provider.CreateRepository("team", "recipes", true); err != nil {
		t.Fatal(err)
	}
	elsewhere := b.provider.CloneURL("team", "recipes")
	if h = check(elsewhere); h.State != slipway.CredentialStateUnchecked || h.Cause != slipway.FailureCauseWrongHost {
		t.Errorf("at a host that somebody names: %+v", h)
	}
	if n := len(b.provider.Requests()); n != 0 {
		t.Fatalf("the token was sent %d times to a host that it is not for", n)
	}
	b.repository("app", "team", "other", false)
	if h = check(elsewhere); h.State != slipway.CredentialStateValid {
		t.Errorf("at the host of a project: %+v", h)
	}
	a = b.imports(api.ServerTypeGithubEnterprise, good, func(c *credential.Credential) { c.Hosts = []string{"ghe.example"} })
	if h = check(elsewhere); h.Cause != slipway.FailureCauseWrongHost || !strings.HasPrefix(h.Message, "This token is for ghe.example, not for 127.0.0.1:") {
		t.Errorf("at another host than its own: %+v", h)
	}
}

func TestMistakesThatLooksTellNeedNoCall(t *testing.T) {
	about := func(server api.ServerType) credential.About { return credential.About{ServerType: server} }
	for _, test := range []struct {
		name            string
		server          api.ServerType
		username, token string
		cause           slipway.FailureCause
		says            string
	}{
		{"a GitHub token for Bitbucket", api.ServerTypeBitbucket, "", "ghp_x", slipway.FailureCauseWrongKind, "token of GitHub, and the credential is for Bitbucket. Import it with 'slipway credential import --server-type GITHUB' (or GITHUB_ENTERPRISE)"},
		{"a GitLab token for GitHub", api.ServerTypeGithub, "", "glpat-x", slipway.FailureCauseWrongKind, "--server-type GITLAB' (or GITLAB_SELF_MANAGED)"},
		{"a refresh token", api.ServerTypeGithub, "", "ghr_x", slipway.FailureCauseWrongKind, "only renews other tokens"},
		{"a token of a CI job", api.ServerTypeGitlab, "", "glcbt-x", slipway.FailureCauseWrongKind, "ends with that job"},
		{"an app password", api.ServerTypeBitbucket, "ada", "ATBBx", slipway.FailureCauseWrongKind, "has switched app passwords off"},
		{"a login as app passwords had", api.ServerTypeBitbucket, "ada", "abcdef", slipway.FailureCauseWrongKind, "read:user, read:workspace"},
		{"an API token without an e-mail address", api.ServerTypeBitbucket, "", "ATATx", slipway.FailureCauseWrongUsername, "--auth-type BASIC_AUTH --username"},
		{"an API token with a user name", api.ServerTypeBitbucket, "ada", "ATATx", slipway.FailureCauseWrongUsername, "e-mail address"},
		{"a deploy token without its name", api.ServerTypeGitlab, "", "gldt-x", slipway.FailureCauseWrongUsername, "gitlab+deploy-token-123"},
		{"white space within", api.ServerTypeGithub, "", "ghp_a b", slipway.FailureCauseBadToken, "white space"},
		{"the header with it", api.ServerTypeGithub, "", "Bearer ghp_ab", slipway.FailureCauseBadToken, "Copy the token alone"},
		{"a URL around it", api.ServerTypeGithub, "", "https://x:ghp_ab@github.com", slipway.FailureCauseBadToken, "a URL"},
		{"a classic token", api.ServerTypeGithub, "", "ghp_x", "", ""},
		{"a token of no known looks", api.ServerTypeGithubEnterprise, "", "abcdef", "", ""},
		{"an API token with its e-mail address", api.ServerTypeBitbucket, "ada@example.com", "ATATx", "", ""},
		{"a GitLab token with an own prefix", api.ServerTypeGitlabSelfManaged, "", "acme-x", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, wrong := mistakeOf(about(test.server), source.NewLogin(test.server, test.username, secret.New(test.token)))
			if wrong != (test.cause != "") || m.cause != test.cause || !strings.Contains(m.message+" "+m.nextStep, test.says) {
				t.Errorf("mistakeOf = %+v, %t, want %s: %s", m, wrong, test.cause, test.says)
			}
			if strings.Contains(m.message+m.nextStep, test.token) {
				t.Error("the token is in the message")
			}
		})
	}
}

func TestStrictRefusesOnlyWhatTheProviderClearlyRefuses(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", false)
	before := func(server api.ServerType, token string, change func(*credential.Credential)) error {
		t.Helper()
		c, err := credential.New(scope, &api.ImportSourceCredentialsInput{ServerType: server, AuthType: api.AuthTypePersonalAccessToken, Token: secret.New(token)}, noon)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&c)
		}
		return b.CheckBefore(t.Context(), c)
	}
	refuses := func(name string, err error, want string) {
		t.Helper()
		if fault.KindOf(err) != fault.Provider || !strings.HasPrefix(fault.Message(err), want) {
			t.Errorf("%s: %v, want a Provider fault: %s", name, err, want)
		}
	}
	if err := before(api.ServerTypeGithubEnterprise, good, nil); err != nil {
		t.Errorf("a good token: %v", err)
	}
	refuses("an unknown token", before(api.ServerTypeGithubEnterprise, "ghp_unknown", nil),
		"Failed to verify the access token with server type GITHUB_ENTERPRISE. GitHub answered 401: Bad credentials. Make a new token and import it with 'slipway credential import")
	refuses("a token of the wrong kind", before(api.ServerTypeGithubEnterprise, "glpat-x", nil),
		"Failed to verify the access token with server type GITHUB_ENTERPRISE. This is a token of GitLab")
	b.provider.FailNext("GET *", 503, `{}`, 1)
	if err := before(api.ServerTypeGithubEnterprise, "ghp_unknown", nil); err != nil {
		t.Errorf("a provider that fails: %v", err)
	}
	if err := before(api.ServerTypeGithubEnterprise, "ghp_unknown", func(c *credential.Credential) { c.Hosts = []string{"http://127.0.0.1:1"} }); err != nil {
		t.Errorf("a provider that is away: %v", err)
	}
	if err := before(api.ServerTypeGitlabSelfManaged, "glpat-x", nil); err != nil {
		t.Errorf("a provider that is nobody knows where: %v", err)
	}
}

func TestWhatAnImportWouldChange(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", true)
	b.repository("lib", "team", "stock", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.provider.AddToken(sourcetest.Token{Value: "ghp_weak", Login: "bob", Scopes: []string{"read:user"}})
	n, err := credential.New(scope, &api.ImportSourceCredentialsInput{ServerType: api.ServerTypeGithubEnterprise, AuthType: api.AuthTypePersonalAccessToken, Token: secret.New("ghp_weak")}, noon)
	if err != nil {
		t.Fatal(err)
	}
	h, replaces, affected, err := b.Replace(t.Context(), n)
	if err != nil || !replaces || h.Owner != "bob" || h.State != slipway.CredentialStateLimited {
		t.Fatalf("Replace = %+v, %t, %v", h, replaces, err)
	}
	web := b.provider.URL()
	want := []slipway.AffectedProject{
		{ProjectName: "app", RepositoryURL: web + "/team/recipes", ReportsStatus: true, Then: "It would go on with the new token.",
			Lose: []string{"clone: GitHub answered 404 Not Found.", "report commit statuses: repo:status is missing"}},
		{ProjectName: "lib", RepositoryURL: web + "/team/stock", Then: "It would go on with the new token.", Lose: []string{"clone: GitHub answered 404 Not Found."}},
	}
	if d := cmp.Diff(want, affected); d != "" {
		t.Error(d)
	}
	if now, _, err := b.ring.Login(t.Context(), a); err != nil || now.Token.Reveal() != good {
		t.Error("the dry run changed the token")
	}

	n.Name, n.ARN, n.Match = "team", scope.Token("named/team"), credential.Match{Owner: "TEAM", Repository: "st*"}
	n.Hosts = []string{strings.TrimPrefix(web, "http://")}
	if _, replaces, affected, err = b.Replace(t.Context(), n); err != nil || replaces || len(affected) != 1 || affected[0].ProjectName != "lib" ||
		affected[0].Then != "It is served by the account's default, "+a.ARN+" now, and would be by the new credential." {
		t.Errorf("a named one: %t, %+v, %v", replaces, affected, err)
	}
}

func TestWhatADeletionWouldChange(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", true)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	then := func(a credential.About) slipway.AffectedProject {
		t.Helper()
		affected, err := b.Remove(t.Context(), a)
		if err != nil || len(affected) != 1 {
			t.Fatalf("Remove = %+v, %v", affected, err)
		}
		return affected[0]
	}
	if got := then(a); got.Then != "No other credential serves it: it would be fetched anonymously, which works for public repositories only." ||
		!cmp.Equal(got.Lose, []string{"clone, if the repository is private", "report commit statuses"}) {
		t.Errorf("the only one: %+v", got)
	}
	named := credential.Credential{About: credential.About{Scope: scope, ARN: scope.Token("named/team"), Name: "team", ServerType: api.ServerTypeGithubEnterprise, Match: credential.Match{Owner: "team"}}, Token: secret.New(good)}
	named.About = b.stores(named)
	if got := then(named.About); got.Then != "The account's default, "+a.ARN+", would serve it." || got.Lose != nil {
		t.Errorf("the named one: %+v", got)
	}
	used, err := b.UsedBy(t.Context(), scope)
	if err != nil || !cmp.Equal(used, map[string][]string{named.ARN: {"app"}}) {
		t.Errorf("UsedBy = %v, %v", used, err)
	}
}

func TestExplainFindsTheServerByItself(t *testing.T) {
	b := newBench(t, Options{})
	b.repository("app", "team", "recipes", true)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	explain := func(in slipway.ExplainCredentialInput) *slipway.ExplainCredentialOutput {
		t.Helper()
		out, err := b.Explain(t.Context(), scope, &in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, in := range map[string]slipway.ExplainCredentialInput{
		"by project":          {ProjectName: "app"},
		"by a project's host": {RepositoryURL: b.provider.CloneURL("any", "thing")},
		"by type":             {RepositoryURL: "https://ghe.example/a/b", ServerType: slipway.ServerTypeGithubEnterprise},
	} {
		if out := explain(in); out.ARN != a.ARN || len(out.Rungs) == 0 || !out.Rungs[len(out.Rungs)-1].Wins {
			t.Errorf("%s: %+v", name, out)
		}
	}
	if out := explain(slipway.ExplainCredentialInput{RepositoryURL: "git@github.com:a/b.git"}); out.ServerType != slipway.ServerTypeGithub || out.ARN != "" ||
		!strings.Contains(out.Message, "'slipway credential import --server-type GITHUB --token-file FILE'") {
		t.Errorf("at github.com: %+v", out)
	}
	for name, in := range map[string]slipway.ExplainCredentialInput{
		"an unknown host": {RepositoryURL: "https://where.example/a/b"},
		"both":            {RepositoryURL: "https://github.com/a/b", ProjectName: "app"},
		"neither":         {},
		"no such type":    {RepositoryURL: "https://github.com/a/b", ServerType: "SVN"},
		"another type's":  {RepositoryURL: "https://github.com/a/b", ServerType: slipway.ServerTypeBitbucket},
	} {
		if _, err := b.Explain(t.Context(), scope, &in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func TestOffChecksNothingByItself(t *testing.T) {
	b := newBench(t, Options{Off: true})
	b.repository("app", "team", "recipes", false)
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.running()
	b.Wake(a.ARN)
	if h, err := b.Check(t.Context(), scope, a.ARN, ""); err != nil || h.State != slipway.CredentialStateValid {
		t.Errorf("on demand: %+v, %v", h, err)
	}
	if n := len(b.provider.Requests()); n != 2 {
		t.Errorf("%d requests, want those of one check", n)
	}
}

func FuzzHostIn(f *testing.F) {
	for _, seed := range []string{"https://github.com/a/b", "git@github.com:a/b.git", "https://x:ghp_y@ghe.example:8443/a/b", "ghp_token", "http://[::1]:80/a", "://", "a:b@c:d", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		host, ok := hostIn(location)
		if ok == (host == "") || strings.ContainsAny(host, "/@") {
			t.Errorf("hostIn(%q) = %q, %t", location, host, ok)
		}
	})
}

func TestWhatProvidersSayIsBounded(t *testing.T) {
	long := strings.Repeat("é", 2000)
	h := slipway.CredentialHealth{Owner: long, Message: long, Scopes: make([]string, 1000), Jobs: []slipway.JobAbility{{Message: long, Missing: make([]string, 1000)}}}
	limit(&h)
	if len(h.Owner) > maxWords+3 || len(h.Message) > maxWords+3 || len(h.Scopes) != maxItems || len(h.Jobs[0].Missing) != maxItems || !strings.HasSuffix(h.Jobs[0].Message, "é…") {
		t.Errorf("limit leaves %d, %d bytes, %d scopes", len(h.Owner), len(h.Message), len(h.Scopes))
	}
}
