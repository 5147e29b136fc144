package fetch

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/secret"
)

func TestALoginIsForItsAddressAlone(t *testing.T) {
	holding := func(t *testing.T, address, host string) *wallet {
		t.Helper()
		where, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		w := &wallet{}
		if problem := w.add(where, &agentapi.Credential{Username: "u", Password: agentapi.Bearer{Text: secret.New("pass")}, Host: host}); problem != "" {
			t.Fatal(problem)
		}
		return w
	}
	https := holding(t, "https://GHE.example/o/r.git", "ghe.example")
	port := holding(t, "https://ghe.example:8443/o/r", "ghe.example:8443")
	elsewhere := holding(t, "https://ghe.example/o/r", "github.com")
	for _, c := range []struct {
		name     string
		wallet   *wallet
		question string
		want     bool
	}{
		{"its address", https, "protocol=https\nhost=ghe.example\npath=o/r.git\n", true},
		{"its address without .git", https, "protocol=https\nhost=ghe.example\npath=o/r\n", true},
		{"its address with a slash", https, "protocol=https\nhost=ghe.example\npath=o/r/\n", true},
		{"its address for large files", https, "protocol=https\nhost=ghe.example\npath=o/r.git/info/lfs\n", true},
		{"its address and a user", https, "protocol=https\nhost=ghe.example\npath=o/r\nusername=me\n", true},
		{"its address as newer gits ask", https, "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=ghe.example\npath=o/r\nwwwauth[]=Basic\nwwwauth[]=Bearer\n", true},
		{"its host in capitals", https, "protocol=https\nhost=GHE.EXAMPLE\npath=o/r\n", true},
		{"its host with the standard port", https, "protocol=https\nhost=ghe.example:443\npath=o/r\n", true},
		{"its host alone", https, "protocol=https\nhost=ghe.example\n", false},
		{"another repository of its host", https, "protocol=https\nhost=ghe.example\npath=o/other\n", false},
		{"a repository below it", https, "protocol=https\nhost=ghe.example\npath=o/r/x\n", false},
		{"another host", https, "protocol=https\nhost=evil.example\npath=o/r\n", false},
		{"a host that begins alike", https, "protocol=https\nhost=ghe.example.evil.example\npath=o/r\n", false},
		{"a host below it", https, "protocol=https\nhost=x.ghe.example\npath=o/r\n", false},
		{"another port", https, "protocol=https\nhost=ghe.example:8443\npath=o/r\n", false},
		{"another scheme", https, "protocol=http\nhost=ghe.example\npath=o/r\n", false},
		{"another scheme, with the port of https", https, "protocol=http\nhost=ghe.example:443\npath=o/r\n", false},
		{"no scheme", https, "host=ghe.example\npath=o/r\n", false},
		{"no host", https, "protocol=https\npath=o/r\n", false},
		{"a host that is said twice", https, "protocol=https\nhost=evil.example\nhost=ghe.example\npath=o/r\n", false},
		{"a host that is said twice, the other way", https, "protocol=https\nhost=ghe.example\nhost=evil.example\npath=o/r\n", false},
		{"a carriage return in the host", https, "protocol=https\nhost=ghe.example\r\npath=o/r\n", false},
		{"a carriage return in the path", https, "protocol=https\nhost=ghe.example\npath=o/r\r\n", false},
		{"nothing", https, "", false},
		{"no login", &wallet{}, "protocol=https\nhost=ghe.example\npath=o/r\n", false},
		{"no login, asked for nothing", &wallet{}, "", false},
		{"a login that belongs elsewhere", elsewhere, "protocol=https\nhost=ghe.example\npath=o/r\n", false},
		{"a login that belongs elsewhere, asked for that", elsewhere, "protocol=https\nhost=github.com\npath=o/r\n", false},
		{"its port", port, "protocol=https\nhost=ghe.example:8443\npath=o/r\n", true},
		{"without its port", port, "protocol=https\nhost=ghe.example\npath=o/r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.wallet.answer([]byte(c.question)))
			if want := "username=u\npassword=pass\n"; c.want && got != want || !c.want && got != "" {
				t.Errorf("answer(%q) = %q", c.question, got)
			}
		})
	}
}

func TestALoginWithALineBreakIsRefused(t *testing.T) {
	where := &url.URL{Scheme: "https", Host: "x", Path: "/o/r"}
	for _, password := range []string{"a\nhost=evil", "a\rb", "a\x00b"} {
		if problem := new(wallet).add(where, &agentapi.Credential{Password: agentapi.Bearer{Text: secret.New(password)}, Host: "x"}); problem == "" {
			t.Errorf("the password %q was accepted", password)
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

func FuzzQuestion(f *testing.F) {
	for _, q := range []string{
		"protocol=https\nhost=ghe.example\npath=o/r.git\n", "protocol=https\nhost=ghe.example.evil\npath=o/r\n", "protocol=https\nhost=ghe.example\nhost=x\npath=o/r\n",
		"protocol=https\r\nhost=ghe.example\npath=o/r\n", "path=o/r/info/lfs\nhost=GHE.example:443\nprotocol=HTTPS", "wwwauth[]=a\nwwwauth[]=b\n",
	} {
		f.Add([]byte(q))
	}
	w := &wallet{logins: map[address]login{{"https", "ghe.example", "o/r"}: {"u", "p"}}}
	f.Fuzz(func(t *testing.T, question []byte) {
		if len(w.answer(question)) == 0 {
			return
		}
		said := map[string]int{}
		for line := range strings.SplitSeq(string(question), "\n") {
			name, value, _ := strings.Cut(line, "=") // git's names have one spelling
			said[name]++
			said[name+"="+strings.ToLower(value)]++
		}
		if said["protocol"] != 1 || said["host"] != 1 || said["path"] != 1 || said["protocol=https"] != 1 || said["host=ghe.example"]+said["host=ghe.example:443"] != 1 {
			t.Errorf("answered %q", question)
		}
	})
}

// Whatever a repository says of its submodules, what comes out of reading it is
// an address over HTTP without a login, or nothing.
func FuzzSubmoduleList(f *testing.F) {
	for _, text := range []string{
		"submodule.lib.url\nhttps://github.com/o/r.git\x00", "submodule.a.b.url\n../r\x00submodule.a.b.url\ngit@github.com:o/r\x00", "submodule.url\nx", "submodule.x.url",
		"submodule.x.url\nhttps://u:p@h/o/r\x00", "submodule.x.url\nhttps://h/o%0ahost=github.com/r\x00", "submodule.x.url\nhttps://h\r/o/r\x00", "submodule.x.url\n--upload-pack=x\x00",
	} {
		f.Add(text)
	}
	rules := rewrites(&url.URL{Scheme: "https", Host: "ghe.example", Path: "/o/r"})
	f.Fuzz(func(t *testing.T, text string) {
		for name, raw := range submoduleValues(text, "url") {
			if name == "" || raw == "" || strings.ContainsAny(name, "\x00\n") || strings.Contains(raw, "\x00") {
				t.Errorf("submoduleValues(%q) has %q = %q", text, name, raw)
			}
			_ = withoutLogins(raw)
			where, problem := submoduleURL(raw, rules)
			if (where == nil) != (problem != "") {
				t.Fatalf("submoduleURL(%q) = %v beside %q", raw, where, problem)
			}
			if where == nil {
				continue
			}
			again, err := url.Parse(where.String())
			if err != nil || again.Host != where.Host || again.Path != where.Path || again.User != nil || where.Host == "" || strings.ContainsFunc(where.Host+where.Path, unicode.IsControl) {
				t.Errorf("submoduleURL(%q) = %q, %v", raw, where, err)
			}
		}
	})
}

func TestARedirectLeadsToARepositoryOrNowhere(t *testing.T) {
	from := &url.URL{Scheme: "https", Host: "ghe.example", Path: "/o/r.git/info/refs"}
	for location, want := range map[string]string{
		"https://ghe.example/o/new.git/info/refs?service=git-upload-pack": "https://ghe.example/o/new.git",
		"/o/new/info/refs":                             "https://ghe.example/o/new",
		"https://other.example/o/new.git/info/refs":    "https://other.example/o/new.git",
		"http://ghe.example/o/r.git/info/refs":         "", // a step down
		"https://u:p@ghe.example/o/r.git/info/refs":    "",
		"https://ghe.example/login":                    "",
		"https://ghe.example/info/refs":                "",
		"https://ghe.example/o/$(id)/info/refs":        "",
		"https://ghe.example/o/r;id/info/refs":         "",
		"https://ghe.example/o%0Ar/info/refs":          "",
		"file:///etc/info/refs":                        "",
		"":                                             "",
		"/" + strings.Repeat("x", 3000) + "/info/refs": "",
	} {
		got := ""
		if to := repositoryAt(from, location); to != nil {
			got = to.String()
		}
		if got != want {
			t.Errorf("repositoryAt(%q) = %q, want %q", location, got, want)
		}
	}
}

func TestLoginsAreTakenOutOfURLs(t *testing.T) {
	for text, want := range map[string]string{
		"clone of 'https://u:p@h/o/r' into":      "clone of 'https://h/o/r' into",
		"https://u@h, and http://a:b@c@d/x@y":    "https://h, and http://d/x@y",
		"no URL, me@example.com":                 "no URL, me@example.com",
		"https://h/@x":                           "https://h/@x",
		"://":                                    "://",
		"git@h:o/r and ssh://git@h/o/r and more": "git@h:o/r and ssh://h/o/r and more",
	} {
		if got := withoutLogins(text); got != want {
			t.Errorf("withoutLogins(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestShellWordsAreQuoted(t *testing.T) {
	words := []string{"/a b/agent", "it's", "$(id)", `"`}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\\n' "+shell(words)).Output()
	if err != nil || string(out) != strings.Join(words, "\n")+"\n" {
		t.Errorf("sh = %q, %v", out, err)
	}
}
