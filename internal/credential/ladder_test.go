package credential

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
)

// named is a named credential for GitHub.
func named(name string, m Match, change ...func(*About)) About {
	a := About{Scope: here, Name: name, ARN: secretName(here, name), ConnectionARN: connectionName(here, name), ServerType: "GITHUB",
		AuthType: "PERSONAL_ACCESS_TOKEN", Match: m, Created: then, Modified: then, Version: 1}
	for _, c := range change {
		c(&a)
	}
	return a
}

func byDefault(server api.ServerType, change ...func(*About)) About {
	return named("", Match{}, append([]func(*About){func(a *About) {
		a.ARN, a.ConnectionARN, a.ServerType = here.Token(string(server)), "", server
	}}, change...)...)
}

func hosts(all ...string) func(*About)      { return func(a *About) { a.Hosts = all } }
func server(s api.ServerType) func(*About)  { return func(a *About) { a.ServerType = s } }
func created(at time.Duration) func(*About) { return func(a *About) { a.Created = then.Add(at) } }
func auth(t, resource string) *api.SourceAuth {
	return &api.SourceAuth{Type: api.SourceAuthType(t), Resource: &resource}
}

func TestLadder(t *testing.T) {
	const (
		github = "https://github.com/Acme/app-one.git"
		ghe    = "https://ghe.example/acme/app"
		gitlab = "https://git.example/gitlab/group/sub/app.git"
	)
	team, owner := named("team", Match{Repository: "app-*"}), named("owner", Match{Owner: "acme"})
	oldConnection := strings.Replace(team.ConnectionARN, "codeconnections", "codestar-connections", 1)
	for _, test := range []struct {
		name     string
		server   api.ServerType
		location string
		auth     *api.SourceAuth
		primary  *api.SourceAuth
		all      []About
		want     string // name or ARN of the winner; "!" before it if it is refused
		reason   string // in the winner's, or in any rung's if there is none
	}{
		{"nothing is imported", "GITHUB", github, nil, nil, nil, "", "The account has no default credential for GITHUB."},
		{"the default", "GITHUB", github, nil, nil, []About{byDefault("GITHUB"), byDefault("BITBUCKET")}, here.Token("GITHUB"), "the account's default for GITHUB"},
		{"another server type's default serves nothing", "GITHUB", github, nil, nil, []About{byDefault("GITHUB_ENTERPRISE")}, "", "no default"},
		{"a named one whose owner fits, whatever its case", "GITHUB", github, nil, nil, []About{byDefault("GITHUB"), owner}, "owner", "owner Acme matches acme"},
		{"the repository counts before the owner", "GITHUB", github, nil, nil, []About{owner, team}, "team", "repository app-one matches app-*"},
		{"an exact repository counts before a pattern", "GITHUB", github, nil, nil, []About{team, named("exact", Match{Repository: "app-one"})}, "exact", ""},
		{"the owner counts before the host", "GITHUB", github, nil, nil, []About{named("host", Match{Host: "github.com"}), owner}, "owner", ""},
		{"an exact owner counts before a pattern", "GITHUB", github, nil, nil, []About{named("glob", Match{Owner: "acm*"}), owner}, "owner", ""},
		{"a longer pattern counts before a shorter one", "GITHUB", github, nil, nil, []About{named("short", Match{Owner: "a*"}), named("long", Match{Owner: "ac*e"})}, "long", ""},
		{"a star alone counts as nothing", "GITHUB", github, nil, nil, []About{named("star", Match{Owner: "*", Repository: "*"}), named("host", Match{Host: "github.com"})}, "host", ""},
		{"of equals the older one is first", "GITHUB", github, nil, nil, []About{named("a", Match{Owner: "acme"}, created(time.Second)), named("b", Match{Owner: "acme"})}, "b", ""},
		{"of equals of one age the first by name is first", "GITHUB", github, nil, nil, []About{named("b", Match{Owner: "acme"}), named("a", Match{Owner: "acme"})}, "a", ""},
		{"every part must match", "GITHUB", github, nil, nil, []About{named("a", Match{Owner: "acme", Repository: "lib"})}, "", "Its repository pattern lib does not match app-one."},
		{"without a match it serves only who names it", "GITHUB", github, nil, nil, []About{named("a", Match{}), byDefault("GITHUB")}, here.Token("GITHUB"), ""},
		{"of another server type", "GITHUB", github, nil, nil, []About{named("a", Match{Owner: "acme"}, server("GITLAB"))}, "", "It is for GITLAB, and the repository is at GITHUB."},

		{"the source names one by its secret's ARN", "GITHUB", github, auth("SECRETS_MANAGER", owner.ARN), nil, []About{team, owner}, "owner", "The source names the credential owner."},
		{"the source names one without a match", "GITHUB", github, auth("SECRETS_MANAGER", named("a", Match{}).ARN), nil, []About{named("a", Match{}), byDefault("GITHUB")}, "a", ""},
		{"by its connection's ARN", "GITHUB", github, auth("CODECONNECTIONS", owner.ConnectionARN), nil, []About{team, owner}, "owner", ""},
		{"by its connection's ARN under the old name", "GITHUB", github, auth("CODECONNECTIONS", oldConnection), nil, []About{team, owner}, "team", ""},
		{"an ARN that is none of ours wins all the same", "GITHUB", github, auth("SECRETS_MANAGER", secretARN), nil, []About{owner, byDefault("GITHUB")}, secretARN, "none of the credentials here"},
		{"one that refers to what the source names says where it may go", "GITHUB", github, auth("SECRETS_MANAGER", secretARN), nil,
			[]About{byDefault("GITHUB"), named("a", Match{}, func(a *About) { a.Resource = secretARN })}, "a", ""},
		{"the source names one of another server type", "GITHUB", github, auth("SECRETS_MANAGER", named("a", Match{}).ARN), nil, []About{named("a", Match{}, server("GITLAB")), byDefault("GITHUB")}, "!a", "which is for GITLAB and not for GITHUB"},
		{"the source names one that is not for this repository", "GITHUB", github, auth("SECRETS_MANAGER", named("a", Match{Owner: "other"}).ARN), nil, []About{named("a", Match{Owner: "other"}), byDefault("GITHUB")}, "!a",
			"The source names the credential a, which is not for this repository. Its owner pattern other does not match Acme. Import it with a wider match, or name another."},
		{"the primary source names one that is not for this repository", "GITHUB", github, nil, auth("SECRETS_MANAGER", named("a", Match{Owner: "other"}).ARN), []About{named("a", Match{Owner: "other"}), byDefault("GITHUB")}, here.Token("GITHUB"), ""},
		{"the source names nothing", "GITHUB", github, &api.SourceAuth{Type: "SECRETS_MANAGER"}, nil, []About{owner}, "!", "Set auth.resource."},
		{"OAUTH is the account's choice", "GITHUB", github, &api.SourceAuth{Type: "OAUTH", Resource: new("x")}, nil, []About{owner, byDefault("GITHUB")}, "owner", ""},
		{"the primary source names one for all", "GITHUB", github, nil, auth("SECRETS_MANAGER", owner.ARN), []About{team, owner}, "owner", "The project's primary source names"},
		{"the source counts before the primary one", "GITHUB", github, auth("SECRETS_MANAGER", team.ARN), auth("SECRETS_MANAGER", owner.ARN), []About{team, owner}, "team", ""},
		{"what the primary source names serves only its own server type", "GITHUB", github, nil, auth("SECRETS_MANAGER", named("a", Match{}).ARN), []About{named("a", Match{}, server("GITLAB")), byDefault("GITHUB")}, here.Token("GITHUB"), ""},

		{"a token bound to the host", "GITHUB_ENTERPRISE", ghe, nil, nil, []About{byDefault("GITHUB_ENTERPRISE", hosts("x.example", "ghe.example"))}, here.Token("GITHUB_ENTERPRISE"), ""},
		{"a default bound to another host", "GITHUB_ENTERPRISE", ghe, nil, nil, []About{byDefault("GITHUB_ENTERPRISE", hosts("x.example"))}, "!" + here.Token("GITHUB_ENTERPRISE"),
			"is bound to x.example and is not sent to ghe.example. Import a credential for that host with 'slipway credential import --name NAME --server-type GITHUB_ENTERPRISE --host ghe.example'."},
		{"a named one bound to another host does not apply", "GITHUB_ENTERPRISE", ghe, nil, nil,
			[]About{named("x", Match{Owner: "*"}, server("GITHUB_ENTERPRISE"), hosts("x.example")), byDefault("GITHUB_ENTERPRISE")}, here.Token("GITHUB_ENTERPRISE"), ""},
		{"a named one that the source names is not sent elsewhere either", "GITHUB_ENTERPRISE", ghe, auth("SECRETS_MANAGER", named("x", Match{}).ARN), nil,
			[]About{named("x", Match{}, server("GITHUB_ENTERPRISE"), hosts("x.example")), byDefault("GITHUB_ENTERPRISE")}, "!x", "is bound to x.example"},
		{"hosts stand for a match", "GITHUB_ENTERPRISE", ghe, nil, nil, []About{named("g", Match{}, server("GITHUB_ENTERPRISE"), hosts("ghe.example")), byDefault("GITHUB_ENTERPRISE")}, "g", "It is for everything at ghe.example."},
		{"another port is another host", "GITHUB_ENTERPRISE", "https://ghe.example:8443/o/r", nil, nil, []About{byDefault("GITHUB_ENTERPRISE", hosts("ghe.example"))}, "!" + here.Token("GITHUB_ENTERPRISE"), "ghe.example:8443"},
		{"in the clear is another host", "GITHUB_ENTERPRISE", "http://ghe.example/o/r", nil, nil, []About{byDefault("GITHUB_ENTERPRISE", hosts("ghe.example"))}, "!" + here.Token("GITHUB_ENTERPRISE"), "ghe.example:80"},
		{"the usual port is none", "GITHUB_ENTERPRISE", "https://GHE.example:443/o/r", nil, nil, []About{byDefault("GITHUB_ENTERPRISE", hosts("ghe.example"))}, here.Token("GITHUB_ENTERPRISE"), ""},
		{"a host with a path", "GITLAB_SELF_MANAGED", gitlab, nil, nil, []About{byDefault("GITLAB_SELF_MANAGED", hosts("git.example/gitlab"))}, here.Token("GITLAB_SELF_MANAGED"), ""},
		{"a path beside that of the host", "GITLAB_SELF_MANAGED", "https://git.example/gitlab2/group/app", nil, nil, []About{byDefault("GITLAB_SELF_MANAGED", hosts("git.example/gitlab"))}, "!" + here.Token("GITLAB_SELF_MANAGED"), ""},
		{"the owner begins below the host's path", "GITLAB_SELF_MANAGED", gitlab, nil, nil,
			[]About{named("g", Match{Owner: "group/*"}, server("GITLAB_SELF_MANAGED"), hosts("git.example/gitlab")), named("whole", Match{Owner: "gitlab/group/sub"}, server("GITLAB_SELF_MANAGED"), hosts("git.example/gitlab"))}, "g", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, ok := NewWant(test.server, test.location)
			if !ok {
				t.Fatalf("%s is no location", test.location)
			}
			w.Auth, w.Primary = test.auth, test.primary
			rungs := Ladder(w, test.all)
			got, said := "", ""
			for _, r := range rungs {
				said += r.Reason
			}
			if r, ok := Winner(rungs); ok {
				got, said = title2(r), r.Reason
			}
			if got != test.want || !strings.Contains(said, test.reason) {
				t.Errorf("the winner is %q, want %q; it says %q, want %q", got, test.want, said, test.reason)
			}
		})
	}
}

// title2 names a winner in the table's words.
func title2(r Rung) string {
	name := r.About.Name
	if name == "" {
		name = r.ARN
	}
	if r.Refused {
		return "!" + name
	}
	return name
}

func TestLadderShowsEveryRungInOrder(t *testing.T) {
	w, _ := NewWant("GITHUB", "git@github.com:acme/app.git")
	rungs := Ladder(w, []About{byDefault("GITHUB"), named("lib", Match{Repository: "lib"}), named("owner", Match{Owner: "acme"}), named("app", Match{Repository: "app"}), byDefault("GITLAB")})
	var got []string
	for _, r := range rungs {
		got = append(got, fmt.Sprint(r.Basis, " ", r.About.Name, " applies ", r.Applies, " wins ", r.Wins, ": ", r.Reason))
	}
	want := []string{
		"SOURCE_AUTH  applies false wins false: The source names no credential.",
		"NO_SOURCE_AUTH  applies false wins false: The project has no primary source of type NO_SOURCE that names a credential for all.",
		"NAMED app applies true wins true: Its match fits: repository app matches app.",
		"NAMED owner applies true wins false: It fits, but the named credential app comes before it.",
		"NAMED lib applies false wins false: Its repository pattern lib does not match app.",
		"DEFAULT  applies true wins false: It fits, but the named credential app comes before it.",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// However many credentials there are: at most one wins, it is the first that
// applies, every rung says why, and the order of the credentials changes nothing.
func TestLadderHasOneWinnerInAnyOrder(t *testing.T) {
	part := rapid.SampledFrom([]string{"", "*", "a*", "*e", "acme", "app", "github.com", "ghe.example", "ghe.*"})
	servers := rapid.SampledFrom([]api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "GITLAB_SELF_MANAGED"})
	rapid.Check(t, func(r *rapid.T) {
		all := []About{}
		for i := range rapid.IntRange(0, 8).Draw(r, "named") {
			a := named(fmt.Sprint("n", i), Match{Host: part.Draw(r, "host"), Owner: part.Draw(r, "owner"), Repository: part.Draw(r, "repository")},
				server(servers.Draw(r, "server")), created(time.Duration(rapid.IntRange(0, 2).Draw(r, "age"))))
			if SelfHosted(a.ServerType) {
				a.Hosts = rapid.SliceOfN(rapid.SampledFrom([]string{"ghe.example", "ghe.example/acme", "x.example"}), 0, 2).Draw(r, "hosts")
			}
			all = append(all, a)
		}
		for _, s := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE"} {
			if rapid.Bool().Draw(r, "default") {
				all = append(all, byDefault(s))
			}
		}
		w, _ := NewWant(servers.Draw(r, "wanted"), rapid.SampledFrom([]string{"https://ghe.example/acme/app", "https://ghe.example/acme/sub/app", "http://ghe.example/a/b", "https://github.com/acme/app"}).Draw(r, "location"))
		pointers := []*api.SourceAuth{nil, nil, {Type: "OAUTH"}, auth("SECRETS_MANAGER", secretARN), auth("SECRETS_MANAGER", secretName(here, "n0")), auth("CODECONNECTIONS", connectionName(here, "n1"))}
		w.Auth, w.Primary = rapid.SampledFrom(pointers).Draw(r, "auth"), rapid.SampledFrom(pointers).Draw(r, "primary")

		rungs := Ladder(w, all)
		winners := 0
		for i, rung := range rungs {
			if rung.Wins {
				winners++
				if first := slices.IndexFunc(rungs, func(r Rung) bool { return r.Applies }); i != first {
					r.Errorf("rung %d wins, and %d is the first that applies", i, first)
				}
			}
			if rung.Reason == "" || rung.Refused && !rung.Wins || rung.Wins && !rung.Applies {
				r.Errorf("rung %+v makes no sense", rung)
			}
			if a := rung.About; rung.Wins && !rung.Refused && SelfHosted(a.ServerType) && len(a.Hosts) > 0 && !slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.Split(h, "/")[0] == w.Host }) {
				r.Errorf("%s goes to %s, its hosts are %v", a.Title(), w.Host, a.Hosts)
			}
		}
		if applies := slices.ContainsFunc(rungs, func(r Rung) bool { return r.Applies }); winners > 1 || applies != (winners == 1) {
			r.Errorf("%d winners, something applies: %v", winners, applies)
		}
		shuffled := slices.Clone(all)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if d := cmp.Diff(rungs, Ladder(w, shuffled)); d != "" {
			r.Errorf("in another order (-before +after):\n%s", d)
		}
	})
}

func TestSpecificityIsAnOrder(t *testing.T) {
	part := rapid.SampledFrom([]string{"", "*", "a*", "ab*", "a", "abc"})
	match := rapid.Custom(func(r *rapid.T) Match { return Match{part.Draw(r, "h"), part.Draw(r, "o"), part.Draw(r, "r")} })
	rapid.Check(t, func(r *rapid.T) {
		a, b, c := match.Draw(r, "a"), match.Draw(r, "b"), match.Draw(r, "c")
		if a.compare(b) != -b.compare(a) || a.compare(a) != 0 {
			r.Errorf("%v and %v compare differently from the other side", a, b)
		}
		if a.compare(b) >= 0 && b.compare(c) >= 0 && a.compare(c) < 0 {
			r.Errorf("%v ≥ %v ≥ %v, but not the first and the last", a, b, c)
		}
	})
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "ab", false}, {"*", "", true}, {"*", "a/b", true},
		{"a*", "a", true}, {"a*a", "a", false}, {"a*a", "aa", true}, {"*.example", "ghe.example", true}, {"*.example", "example", false},
		{"a*b*c", "aXbYc", true}, {"a*b*c", "acb", false}, {"**", "x", true}, {"a*bc*c", "abcc", true}, {"a*bc*c", "abc", false},
	} {
		if got := glob(test.pattern, test.text); got != test.want {
			t.Errorf("glob(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
}

func FuzzLocate(f *testing.F) {
	for _, seed := range []string{"https://GHE.example:443/o/r.git", "git@ghe.example:o/r.git", "ssh://git@ghe.example:7999/o/r", "http://[::1]/a/b", "https:///", "::", "http://h/%2e%2e/x", "ftp://h/a/b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		host, path, ok := Locate(location)
		if !ok {
			return
		}
		if host == "" || host != strings.ToLower(host) || strings.ContainsAny(host, "/@?#") || !strings.Contains(path, "/") {
			t.Errorf("Locate(%q) = %q, %q", location, host, path)
		}
	})
}

func TestLocate(t *testing.T) {
	for _, test := range []struct{ location, host, path string }{
		{"https://GHE.example/O/r.git", "ghe.example", "O/r"},
		{"https://user:pw@ghe.example:443/o/r/", "ghe.example", "o/r"},
		{"https://ghe.example:8443/o/r", "ghe.example:8443", "o/r"},
		{"http://ghe.example/o/r", "ghe.example:80", "o/r"},
		{"http://ghe.example:8080/g/s/r", "ghe.example:8080", "g/s/r"},
		{"git@ghe.example:o/r.git", "ghe.example", "o/r"},
		{"ssh://git@ghe.example:7999/o/r.git", "ghe.example", "o/r"},
		{"https://ghe.example/r", "", ""}, {"o/r", "", ""}, {"file:///o/r", "", ""},
	} {
		host, path, ok := Locate(test.location)
		if ok != (test.host != "") || ok && (host != test.host || path != test.path) {
			t.Errorf("Locate(%s) = %s, %s, %v, want %s, %s", test.location, host, path, ok, test.host, test.path)
		}
	}
}
