package fetch

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/api"
)

// git runs git with a configuration that is all ours: it comes by environment,
// so that nothing of it is left in the repository.
type git struct {
	path  string
	env   []string
	files []*os.File // that it has open, from descriptor 3
}

// A gitError is a git that failed.
type gitError struct {
	words string // what it wrote to standard error, at most maxWords of it
	err   error
}

func (e *gitError) Error() string { return "git: " + e.err.Error() }
func (e *gitError) Unwrap() error { return e.err }

// maxWords is how much of git's standard error is kept, in bytes: the end.
const maxWords = 16 << 10

// run runs git in dir, or anywhere if dir is empty, and returns what it prints.
func (g git) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir = dir
	cmd.Env = g.env
	cmd.ExtraFiles = g.files
	cmd.SysProcAttr = sameGroup()
	cmd.WaitDelay = pipeGrace
	var out bytes.Buffer
	words := tail{max: maxWords}
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", &gitError{words: string(words.text), err: err}
	}
	return strings.TrimSpace(out.String()), nil
}

// A setting is one line of git's configuration. Keys may come several times.
type setting struct{ key, value string }

// settings returns git's configuration for fetching s from where.
func settings(self []string, s Source, where *url.URL) []setting {
	all := []setting{
		{"credential.helper", ""}, // forget any other
		// git also tells its helper of every login that worked, which nobody wants to know.
		{"credential.helper", `!f() { test "$1" = get && exec ` + shell(append(self[:len(self):len(self)], "credential")) + ` "$@"; }; f`},
		{"credential.useHttpPath", "true"}, // each repository has a login of its own
		{"core.askPass", ""},
		// git would take the token to wherever a redirect leads.
		{"http.followRedirects", "false"},
		// A peer that has gone silent is left: it would hold the build until its timeout.
		{"http.lowSpeedLimit", "1"},
		{"http.lowSpeedTime", "300"},
		{"transfer.credentialsInUrl", "die"},
		// A submodule's URL is a stranger's: it may not run a program or read this machine's files.
		{"protocol.allow", "never"},
		{"protocol.https.allow", "always"},
		{"protocol.http.allow", "always"},
		{"protocol.file.allow", "never"},
		{"protocol.ext.allow", "never"},
		{"core.hooksPath", os.DevNull},
		{"core.fsmonitor", "false"},
		{"safe.directory", "*"},
		// No process of git outlives the fetch.
		{"gc.auto", "0"},
		// A workspace does not outlive a power cut.
		{"core.fsync", "none"},
		{"maintenance.auto", "false"},
		{"advice.detachedHead", "false"},
		{"init.defaultBranch", "main"},
		{"init.defaultRefFormat", "files"},
		{"submodule.recurse", "false"},
		{"fetch.recurseSubmodules", "false"},
	}
	for _, r := range rewrites(where) {
		all = append(all, setting{"url." + r.to + ".insteadOf", r.from})
	}
	if s.Insecure {
		all = append(all, setting{"http." + root(where) + ".sslVerify", "false"})
	}
	if bundle := os.Getenv("SSL_CERT_FILE"); bundle != "" {
		all = append(all, setting{"http.sslCAInfo", bundle}) // not every libcurl reads SSL_CERT_FILE itself
	}
	return all
}

// root returns scheme://host[:port]/ of a URL.
func root(where *url.URL) string { return strings.ToLower(where.Scheme) + "://" + where.Host + "/" }

// A rewrite is a beginning of URLs that git takes for another.
type rewrite struct{ from, to string }

// rewrites lead from SSH, to which tokens are of no use, to the web address of
// the same host, where that is known: where the source is, and the clouds.
func rewrites(where *url.URL) []rewrite {
	hosts := map[string]string{}
	for _, cloud := range clouds {
		hosts[cloud] = "https://" + cloud + "/"
	}
	hosts[strings.ToLower(where.Hostname())] = root(where)
	var all []rewrite
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		all = append(all, rewrite{"git@" + name + ":", hosts[name]}, rewrite{"ssh://git@" + name + "/", hosts[name]})
	}
	return all
}

// rewritten returns what git takes text for.
func rewritten(text string, rules []rewrite) string {
	for _, r := range rules { // none begins like another
		if rest, ok := strings.CutPrefix(text, r.from); ok {
			return r.to + rest
		}
	}
	return text
}

// gitEnvironment is the whole environment of git and of what it starts. more
// is configuration beside that of settings.
func gitEnvironment(o order, s Source, where *url.URL, socket string, more []setting) []string {
	env := append(environment(),
		"HOME="+o.Private, "XDG_CONFIG_HOME="+filepath.Join(o.Private, "config"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_TERMINAL_PROMPT=0", "GIT_LFS_SKIP_SMUDGE=1",
		"GIT_COMMITTER_NAME=slipway", "GIT_COMMITTER_EMAIL=slipway@localhost", // of reflogs
		socketVariable+"="+socket,
	)
	all := append(settings(o.Self, s, where), more...)
	if o.caches() {
		all = append(all, setting{"fetch.unpackLimit", "1"}) // mirrors keep packs
	}
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(all)))
	for i, set := range all {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+set.key, "GIT_CONFIG_VALUE_"+n+"="+set.value)
	}
	return env
}

// gitLab reports whether sources of type t are at GitLab, which redirects what
// does not end in .git to where it does. Redirects are not followed.
func gitLab(t api.SourceType) bool {
	return t == api.SourceTypeGitlab || t == api.SourceTypeGitlabSelfManaged
}

// withSuffix makes where end in .git and returns it.
func withSuffix(where *url.URL) string {
	if path := strings.TrimRight(where.Path, "/"); !strings.HasSuffix(path, ".git") {
		where.Path = path + ".git"
		if where.RawPath != "" {
			where.RawPath = strings.TrimRight(where.RawPath, "/") + ".git"
		}
	}
	return where.String()
}

// shell writes words so that the shell, which git starts its helper with,
// takes them as they are.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// repositoryURL reads what git is to clone.
func repositoryURL(text string) (where *url.URL, problem string) {
	where, err := url.Parse(text)
	switch {
	case err != nil || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return nil, "The location is not the URL of a repository."
	case where.Scheme != "https" && where.Scheme != "http":
		return nil, fmt.Sprintf("The location must begin with https:// or http://, and not with %q.", where.Scheme+":")
	case where.User != nil:
		return nil, "The location has a login in it: take it out and import the token as a source credential."
	case where.Host == "" || where.Path == "" || where.Path == "/":
		return nil, "The location names no repository."
	}
	return where, ""
}
