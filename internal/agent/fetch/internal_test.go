package fetch

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/secret"
)

func TestALoginIsForItsHostAlone(t *testing.T) {
	bound := func(t *testing.T, address, host string) login {
		t.Helper()
		where, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		l, problem := newLogin(where, &agentapi.Credential{Username: "u", Password: agentapi.Bearer{Text: secret.New("pass")}, Host: host})
		if problem != "" {
			t.Fatal(problem)
		}
		return l
	}
	https := bound(t, "https://GHE.example/o/r", "ghe.example")
	port := bound(t, "https://ghe.example:8443/o/r", "ghe.example:8443")
	for _, c := range []struct {
		name     string
		login    login
		question string
		want     bool
	}{
		{"its host", https, "protocol=https\nhost=ghe.example\n", true},
		{"its host in capitals", https, "protocol=https\nhost=GHE.EXAMPLE\n", true},
		{"its host with the standard port", https, "protocol=https\nhost=ghe.example:443\n", true},
		{"its host and a path", https, "protocol=https\nhost=ghe.example\npath=o/r.git\n", true},
		{"another host", https, "protocol=https\nhost=evil.example\n", false},
		{"a host that begins alike", https, "protocol=https\nhost=ghe.example.evil.example\n", false},
		{"a host below it", https, "protocol=https\nhost=x.ghe.example\n", false},
		{"another port", https, "protocol=https\nhost=ghe.example:8443\n", false},
		{"another scheme", https, "protocol=http\nhost=ghe.example\n", false},
		{"another scheme, with the port of https", https, "protocol=http\nhost=ghe.example:443\n", false},
		{"no scheme", https, "host=ghe.example\n", false},
		{"no host", https, "protocol=https\n", false},
		{"a host that is overwritten", https, "protocol=https\nhost=ghe.example\nhost=evil.example\n", false},
		{"nothing", https, "", false},
		{"no login", login{}, "protocol=\nhost=\n", false},
		{"no login, asked for nothing", login{}, "", false},
		{"its port", port, "protocol=https\nhost=ghe.example:8443\n", true},
		{"without its port", port, "protocol=https\nhost=ghe.example\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.login.answer([]byte(c.question)))
			if want := "username=u\npassword=pass\n"; c.want && got != want || !c.want && got != "" {
				t.Errorf("answer(%q) = %q", c.question, got)
			}
		})
	}
}

func TestALoginWithALineBreakIsRefused(t *testing.T) {
	where := &url.URL{Scheme: "https", Host: "x"}
	for _, password := range []string{"a\nhost=evil", "a\rb", "a\x00b"} {
		if _, problem := newLogin(where, &agentapi.Credential{Password: agentapi.Bearer{Text: secret.New(password)}, Host: "x"}); problem == "" {
			t.Errorf("newLogin with password %q was accepted", password)
		}
	}
}

func TestNamesFollowGitsRules(t *testing.T) {
	for _, name := range []string{
		"main", "a/b", "a.b", "v1.0", "ä", "a-b", "a@b", "a{b", "#1", "a'b", `a"b`, "a;b", "$(id)", "a|b", "a&b",
		"", "@", "a@{b", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a..b", "a b", "a\tb", "a\x7fb", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", `a\b`,
	} {
		cmd := exec.CommandContext(t.Context(), "git", "check-ref-format", "--allow-onelevel", name)
		if got, want := validRef(name), cmd.Run() == nil; got != want {
			t.Errorf("validRef(%q) = %v, git says %v", name, got, want)
		}
	}
	if validRef("-a") {
		t.Error("validRef(-a) is true")
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, v := range []string{"", "main", "pr/7", "refs/pull/7/head", "refs/heads/x^{0123456789012345678901234567890123456789}", "--upload-pack=x", "a..b", "a\nb", "^{}"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, problem := parseVersion(api.SourceTypeGithub, text)
		if problem != "" {
			if v != (version{}) {
				t.Fatalf("parseVersion(%q) = %+v beside %q", text, v, problem)
			}
			return
		}
		for _, part := range []string{v.name, v.ref} {
			if strings.HasPrefix(part, "-") || strings.ContainsAny(part, " \n\x00:*^~?[\\") || strings.Contains(part, "..") {
				t.Errorf("parseVersion(%q) = %+v", text, v)
			}
		}
		if v.commit != "" && !isCommit(v.commit) || v.ref != "" && !strings.HasPrefix(v.ref, "refs/") || v.name != "" && v.ref != "" {
			t.Errorf("parseVersion(%q) = %+v", text, v)
		}
	})
}

func FuzzLogin(f *testing.F) {
	f.Add([]byte("protocol=https\nhost=ghe.example\n"))
	f.Add([]byte("protocol=https\nhost=ghe.example.evil\n"))
	l := login{scheme: "https", host: "ghe.example", username: "u", password: "p"}
	f.Fuzz(func(t *testing.T, question []byte) {
		if len(l.answer(question)) == 0 {
			return
		}
		lower := strings.ToLower(string(question))
		if !strings.Contains(lower, "host=ghe.example\n") && !strings.Contains(lower, "host=ghe.example:443\n") &&
			!strings.HasSuffix(lower, "host=ghe.example") && !strings.HasSuffix(lower, "host=ghe.example:443") {
			t.Errorf("answered %q", question)
		}
	})
}

func TestShellWordsAreQuoted(t *testing.T) {
	words := []string{"/a b/agent", "it's", "$(id)", `"`}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\\n' "+shell(words)).Output()
	if err != nil || string(out) != strings.Join(words, "\n")+"\n" {
		t.Errorf("sh = %q, %v", out, err)
	}
}
