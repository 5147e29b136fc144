package main

import (
	stdcmp "cmp"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// connectPage is where the transcripts are kept for users.
const connectPage = "../../docs/connect.md"

// A connection is one provider that a new user connects, token after token.
type connection struct {
	title  string
	server api.ServerType
	host   string // as the user knows it
	how    string // Markdown: how the right token is made
	flags  string // of the import beside the token
	tries  []attempt
}

// An attempt is one token and what the user types for it.
type attempt struct {
	title  string // in plain words
	about  string // Markdown before the transcript; may be empty
	good   bool   // nothing is wrong with it
	token  sourcetest.Token
	forged bool              // the provider does not know it
	file   string            // what the token's file holds; empty means the token and a line break
	flags  string            // of the import, instead of the connection's
	then   []string          // commands after the import; HANDLE and REPOSITORY stand for those of the connection
	policy sourcetest.Policy // of the repository's organization meanwhile
	role   string            // of the token's owner on the repository; empty means admin
	wants  []string          // what must be said
}

// A connector is a new user at a shell who tries the tokens of one provider.
type connector struct {
	t     *testing.T
	s     *serverProcess
	named *sync.Mutex // held by who makes a named credential, and by who must see none
	dir   string      // where he stands
	env   []string
	real  *strings.Replacer // hosts as he knows them → where they are here
	shown *strings.Replacer // the other way
}

// What differs from run to run, and what the page shows instead.
var (
	minutes = regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d`)
	ahead   = regexp.MustCompile(`20\d\d-\d\d-\d\d( \(\d+ days\))`)
	over    = regexp.MustCompile(`20\d\d-\d\d-\d\d( \(over\))`)
	left    = regexp.MustCompile(`\d+ days\)`)
	secrets = regexp.MustCompile(`(secret:slipway/[a-z]+-)\w{6}`)
	ids     = regexp.MustCompile(`connection/[0-9a-f-]{36}`)
)

func (c *connector) stable(out string) string {
	out = minutes.ReplaceAllString(c.shown.Replace(out), "2026-12-01 09:30")
	out = over.ReplaceAllString(ahead.ReplaceAllString(out, "2027-03-01$1"), "2026-11-30$1")
	out = ids.ReplaceAllString(secrets.ReplaceAllString(out, "${1}a1B2c3"), "connection/0a1b2c3d-4e5f-5a6b-8c7d-9e0f1a2b3c4d")
	return left.ReplaceAllString(out, "90 days)")
}

// types runs what the user typed and returns what his terminal shows.
func (c *connector) types(command string) (shown string, code int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "sh", "-c", c.real.Replace(command))
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	return "$ " + command + "\n" + c.stable(string(out)), code
}

func (c *connector) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// try tries one token and returns the page's part about it.
func (c *connector) try(of connection, at *sourcetest.Server, a attempt) string {
	c.t.Helper()
	if strings.Contains(a.flags, "--name ") || slices.Contains(a.then, whichOne) {
		c.named.Lock() // credential which tells of every named credential
		defer c.named.Unlock()
	}
	handle := strings.ToLower(string(of.server))
	if !a.forged {
		at.AddToken(a.token)
		defer at.RevokeToken(a.token.Value)
	}
	at.SetPolicy("acme", a.policy)
	at.SetRole("acme", "app", a.token.Login, stdcmp.Or(a.role, "admin"))
	c.write("token.txt", stdcmp.Or(a.file, a.token.Value+"\n"))
	commands := []string{"slipway credential import " + stdcmp.Or(a.flags, of.flags) + " --token-file token.txt"}
	for _, command := range a.then {
		command = strings.NewReplacer("HANDLE", handle, "REPOSITORY", "https://"+of.host+"/acme/app").Replace(command)
		commands = append(commands, command)
	}
	var all strings.Builder
	for i, command := range commands {
		out, code := c.types(command)
		if a.good && code != 0 || code > 1 {
			c.t.Errorf("%s: exit code %d", command, code)
		}
		c.readable(out)
		if strings.Contains(out, a.token.Value) {
			c.t.Errorf("the token is shown:\n%s", out)
		}
		if i == 0 && len(commands) > 1 && !a.good && strings.Contains(out, ": it works\n") {
			continue // as the good ones show
		}
		all.WriteString(out)
	}
	text := all.String()
	if !a.good && !leads.MatchString(advice(text)) {
		c.t.Errorf("nothing says what to do next:\n%s", text)
	}
	for _, want := range a.wants {
		if !strings.Contains(text, want) {
			c.t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	var none slipway.DeleteCredentialOutput
	if err := c.s.client.Call(c.t.Context(), slipway.Definition, "DeleteCredential", &slipway.DeleteCredentialInput{Credential: handle}, &none); err != nil && !strings.Contains(err.Error(), "ResourceNotFoundException") {
		c.t.Error(err)
	}
	if a.about != "" {
		a.about = "\n" + a.about + "\n"
	}
	return "\n### " + a.title + "\n" + a.about + "\n```console\n" + text + "```\n"
}

// leads finds what takes a user further: a page, a command or a flag of one.
var leads = regexp.MustCompile(`https://\S+|slipway credential (import|verify)|--[a-z]+|copy the token alone`)

// advice is what was printed but commands and facts.
func advice(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "    ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// Bounds of what one command prints: more is not read.
const (
	longestLine = 480 // characters
	mostLines   = 34
)

// readable holds that an output is as long as people read, and says nothing twice.
func (c *connector) readable(out string) {
	c.t.Helper()
	if n := strings.Count(out, "\n"); n > mostLines {
		c.t.Errorf("it is %d lines long:\n%s", n, out)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		if n := len([]rune(line)); n > longestLine {
			c.t.Errorf("a line of %d characters:\n%s", n, line)
		}
		for sentence := range strings.SplitSeq(strings.NewReplacer(" — ", ". ", "→ ", ". ").Replace(strings.TrimSpace(line)), ". ") {
			sentence = strings.TrimSuffix(sentence, ".")
			if len(sentence) > 60 && seen[sentence] {
				c.t.Errorf("%q is said twice:\n%s", sentence, out)
			}
			seen[sentence] = true
		}
	}
}

// TestConnect tries, as a new user would, every provider with a good token and
// with all that may be wrong with one, holds that every message leads further,
// and compares what was printed with docs/connect.md.
func TestConnect(t *testing.T) {
	at := map[api.ServerType]*sourcetest.Server{}
	var endpoints, hosts []string // hosts: real, shown
	var ca []byte
	for _, of := range connections() {
		p, err := sourcetest.New(sourcetest.Options{Server: of.server, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		if err := p.CreateRepository("acme", "app", true); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Commit("acme", "app", "main", map[string]string{"buildspec.yml": "version: 0.2\n"}, "Add a buildspec"); err != nil {
			t.Fatal(err)
		}
		at[of.server] = p
		if of.server == api.ServerTypeGithubEnterprise || of.server == api.ServerTypeGitlabSelfManaged {
			web := httptest.NewUnstartedServer(p) // with a certificate that no system trusts
			web.Config.ErrorLog = log.New(io.Discard, "", 0)
			web.StartTLS()
			t.Cleanup(web.Close)
			ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
			hosts = append(hosts, strings.TrimPrefix(web.URL, "https://"), of.host)
			continue
		}
		url, err := p.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		endpoints = append(endpoints, string(of.server)+"="+url)
		hosts = append(hosts, url, "https://"+of.host, strings.TrimPrefix(url, "http://"), of.host)
	}
	hosts = append(hosts, "127.0.0.1:1", "ghe-old.example") // where nobody listens
	s := serve(t, "--source-endpoint", strings.Join(endpoints, ","))
	cli := clis(t)[0]
	sh := newShell(s, cli)
	wrapper := fmt.Sprintf("#!/bin/sh\nexec '%s' --endpoint-url '%s' --output json \"$@\"\n", cli.path, s.url)
	if err := os.WriteFile(filepath.Join(sh.dir, "aws"), []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	var named sync.Mutex
	user := func(t *testing.T) *connector {
		back := []string{"dial tcp 127.0.0.1:1:", "dial tcp 192.0.2.7:443:"}
		var there []string
		for real, shown := range pairs(hosts) {
			back = append(back, real, shown)
			if of := strings.TrimPrefix(shown, "https://"); strings.HasSuffix(of, ".example") {
				there = append(there, of, real)
			}
		}
		c := &connector{t: t, s: s, named: &named, dir: t.TempDir(), real: strings.NewReplacer(there...), shown: strings.NewReplacer(back...)}
		c.env = append(slices.Clone(sh.env), "SLIPWAY_DATA="+s.data)
		c.env[0] = "PATH=" + sh.dir + ":" + bin + ":" + os.Getenv("PATH")
		c.write("company-ca.pem", string(ca))
		return c
	}

	parts := map[api.ServerType]string{}
	for _, of := range connections() {
		parts[of.server] = ""
	}
	found := make(chan [2]string, len(parts))
	t.Run("tokens", func(t *testing.T) {
		for _, of := range connections() {
			t.Run(string(of.server), func(t *testing.T) {
				t.Parallel()
				c := user(t)
				var part strings.Builder
				for _, a := range of.tries {
					part.WriteString(c.try(of, at[of.server], a))
				}
				found <- [2]string{string(of.server), part.String()}
			})
		}
	})
	for range parts {
		select {
		case part := <-found:
			parts[api.ServerType(part[0])] = part[1]
		default:
			t.Fatal("a provider was not tried to the end")
		}
	}
	page := pageOf(parts, user(t).together(at))
	if strings.Contains(s.printed(), "T0ken") {
		t.Error("a token is in the server's log")
	}
	if *update {
		if err := os.WriteFile(connectPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(connectPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), page); diff != "" {
		t.Errorf("docs/connect.md is not what a user sees; run 'go test ./cmd/slipway -run TestConnect -update' (-there +seen):\n%s", diff)
	}
}

// pairs yields every two of a list.
func pairs(list []string) func(func(a, b string) bool) {
	return func(yield func(a, b string) bool) {
		for pair := range slices.Chunk(list, 2) {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// together connects all providers at once, some of them badly, and looks at all.
func (c *connector) together(at map[api.ServerType]*sourcetest.Server) map[string]string {
	c.t.Helper()
	out := map[string]string{}
	give := func(server api.ServerType, token sourcetest.Token, flags string) {
		c.t.Helper()
		at[server].AddToken(token)
		c.write("token.txt", token.Value)
		if text, code := c.types("slipway credential import " + flags + " --token-file token.txt"); code != 0 {
			c.t.Errorf("exit code %d:\n%s", code, text)
		}
	}
	// AWS's own command, for the first.
	token := classic("repo", "admin:repo_hook")
	at[api.ServerTypeGithub].AddToken(token)
	c.write("import.json", `{"serverType": "GITHUB", "authType": "PERSONAL_ACCESS_TOKEN", "token": "`+token.Value+`"}`)
	first, code := c.types("aws codebuild import-source-credentials --cli-input-json file://import.json")
	then, next := c.types("slipway credential verify github --repository https://github.com/acme/app")
	if code != 0 || next != 0 {
		c.t.Errorf("exit codes %d and %d:\n%s%s", code, next, first, then)
	}
	out["aws"] = first + then
	give(api.ServerTypeBitbucket, atlassian(granular...), "--server-type BITBUCKET --username mona@example.com")
	give(api.ServerTypeGitlab, changed(personal("read_api", "read_repository"), func(t *sourcetest.Token) { t.Login = "project_7_bot_1" }), "--server-type GITLAB")
	give(api.ServerTypeGithubEnterprise, old(classic("repo")), "--server-type GITHUB_ENTERPRISE --host ghe.example --ca-file company-ca.pem")
	give(api.ServerTypeGitlabSelfManaged, personal("api"), "--server-type GITLAB_SELF_MANAGED --host gitlab.example --ca-file company-ca.pem")
	out["list"], _ = c.types("slipway credential list")
	text, code := c.types("slipway doctor")
	if code == 0 {
		c.t.Errorf("doctor finds nothing:\n%s", text)
	}
	var about strings.Builder
	kept := true // the command
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "    ") {
			kept = kept && about.Len() == 0 || strings.Contains(line, "  credential ")
		}
		if kept {
			about.WriteString(line)
		}
	}
	out["doctor"] = about.String()
	c.readable(out["list"])
	c.readable(out["doctor"])
	for _, command := range slices.Sorted(maps.Keys(out)) {
		if strings.Contains(out[command], "T0ken") {
			c.t.Errorf("a token is shown:\n%s", out[command])
		}
	}
	return out
}
