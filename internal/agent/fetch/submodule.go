package fetch

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"slipway/internal/api"
)

// A submodule is one that git is about to fetch.
type submodule struct {
	name    string   // of its settings
	path    string   // below the source's directory, with slashes
	address string   // what git says it fetches, for people: no login in it
	where   *url.URL // what it really fetches; nil if that is nothing we fetch
	grant   grant
}

// A submoduleError is a failure that has to do with a submodule.
type submoduleError struct {
	err error
	sub *submodule // which, as far as that is known
}

func (e *submoduleError) Error() string { return "submodule: " + e.err.Error() }
func (e *submoduleError) Unwrap() error { return e.err }

// maxSubmodules is how many submodules of a source are looked at: those beyond
// get no login.
const maxSubmodules = 1000

// submodules fetches the submodules of the repository at below, a path under
// the source's directory with slashes, and theirs. Their history is fetched
// whole: the commits they are pinned to are seldom the newest. Before git runs,
// every one of them is told to the log with the login that it gets.
func (c *checkout) submodules(ctx context.Context, below string) error {
	dir := filepath.Join(c.source.Dir, filepath.FromSlash(below))
	level, err := c.list(ctx, dir, below)
	if err != nil {
		return err
	}
	if err := c.update(ctx, dir, below, level); err != nil {
		return &submoduleError{err, failed(dir, below, level, err)}
	}
	root, err := os.OpenRoot(c.source.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, sub := range level {
		// Where there is no repository, git would find the one above.
		at := filepath.FromSlash(sub.path)
		repository, err := root.Lstat(filepath.Join(at, ".git"))
		list, listErr := root.Lstat(filepath.Join(at, ".gitmodules"))
		if err != nil || listErr != nil || !repository.Mode().IsRegular() || !list.Mode().IsRegular() {
			continue
		}
		if err := c.submodules(ctx, sub.path); err != nil {
			return err
		}
	}
	return nil
}

// update fetches the submodules of the repository in dir: all in one git, or each
// by itself where each has a mirror.
func (c *checkout) update(ctx context.Context, dir, below string, level []*submodule) error {
	if c.cache != nil {
		for _, sub := range level {
			if sub.where == nil {
				continue
			}
			if err := c.cachedSubmodule(ctx, dir, strings.TrimPrefix(strings.TrimPrefix(sub.path, below), "/"), sub); err != nil {
				return err
			}
		}
	}
	return c.network(ctx, dir, updateSubmodules...)
}

// updateSubmodules are git's words that fetch submodules, or those named after
// them.
var updateSubmodules = []string{"submodule", "--quiet", "update", "--init", "--checkout", "--"}

// list finds the submodules of the repository in dir, as git resolves their
// URLs, and gets their logins.
func (c *checkout) list(ctx context.Context, dir, below string) ([]*submodule, error) {
	info, err := os.Lstat(filepath.Join(dir, ".gitmodules"))
	if err != nil || !info.Mode().IsRegular() { // git has its own word on other kinds
		return nil, nil //nolint:nilerr // there are none
	}
	if _, err := c.git.run(ctx, dir, "submodule", "--quiet", "init"); err != nil {
		return nil, &submoduleError{err: err}
	}
	paths, err := c.values(ctx, dir, "path", "--file", ".gitmodules")
	if err != nil {
		return nil, err
	}
	urls, err := c.values(ctx, dir, "url", "--local")
	if err != nil {
		return nil, err
	}
	var level []*submodule
	for name, raw := range urls {
		if at, ok := paths[name]; ok && filepath.IsLocal(at) {
			level = append(level, &submodule{name: name, path: path.Join(below, at), address: raw})
		}
	}
	slices.SortFunc(level, func(a, b *submodule) int { return cmp.Compare(a.path, b.path) })
	for _, sub := range level {
		if c.listed++; c.listed > maxSubmodules {
			if c.listed == maxSubmodules+1 {
				c.say("There are more than 1000 submodules: the rest is fetched without a login.")
			}
			continue
		}
		if err := c.describe(ctx, dir, sub); err != nil {
			return nil, err
		}
	}
	c.configure() // certificates may have come with the logins
	return level, nil
}

// describe gets the login of a submodule of the repository in dir and tells the
// log.
func (c *checkout) describe(ctx context.Context, dir string, sub *submodule) error {
	where, problem := submoduleURL(sub.address, c.rewrites)
	sub.address = clean(withoutLogins(sub.address), maxShown)
	line := "Submodule " + clean(sub.path, maxShown) + " (" + sub.address + "): "
	if problem != "" {
		c.say(line + problem)
		return nil
	}
	if before := where.String(); c.atGitLab(where) && withSuffix(where) != before {
		if _, err := c.git.run(ctx, dir, "config", "--local", "submodule."+sub.name+".url", where.String()); err != nil {
			return &submoduleError{err: err}
		}
	}
	sub.where, sub.address = where, clean(where.String(), maxShown)
	line = "Submodule " + clean(sub.path, maxShown) + " (" + sub.address + "): "
	var err error
	if sub.grant, err = c.desk.submodule(ctx, where); err != nil {
		return err
	}
	switch by := sub.grant.credential; {
	case sub.grant.problem != "":
		c.say(line + "fetched without a login. " + clean(sub.grant.problem, maxShown))
	case !sentTo(where, by):
		c.say(line + "fetched without a login, since no source credential covers it.")
	default:
		c.say(line + "fetched with the login of " + cmp.Or(by.ARN, "the source credential") + ".")
	}
	return nil
}

// atGitLab reports whether where is at GitLab, as far as that is known.
func (c *checkout) atGitLab(where *url.URL) bool {
	return root(where) == "https://"+clouds[api.SourceTypeGitlab]+"/" || gitLab(c.source.Type) && root(where) == root(c.where)
}

// submoduleURL reads what git is to fetch for a submodule. A user name in it is
// dropped: it comes with the login.
func submoduleURL(text string, rules []rewrite) (where *url.URL, problem string) {
	where, err := url.Parse(rewritten(text, rules))
	switch {
	case err != nil || strings.ContainsFunc(text+where.Path, unicode.IsControl):
		return nil, "its URL cannot be read, so no login is given."
	case where.Scheme != "https" && where.Scheme != "http":
		return nil, "submodules are fetched over HTTPS only."
	case where.User != nil:
		if _, secret := where.User.Password(); secret {
			return nil, "there is a login in its URL, which is not used."
		}
		where.User = nil
	}
	if where.Host == "" || where.Path == "" || where.RawQuery != "" || where.Fragment != "" {
		return nil, "its URL is not that of a repository, so no login is given."
	}
	return where, ""
}

// values returns one setting of every submodule, by the submodule's name, from
// the file that args name.
func (c *checkout) values(ctx context.Context, dir, setting string, args ...string) (map[string]string, error) {
	args = append(append([]string{"config"}, args...), "--null", "--get-regexp", `^submodule\..*\.`+setting+`$`)
	text, err := c.git.run(ctx, dir, args...)
	if err != nil {
		if _, isGit := errors.AsType[*gitError](err); isGit {
			return nil, nil //nolint:nilerr // there is none, or the file is nothing that git reads
		}
		return nil, err
	}
	return submoduleValues(text, setting), nil
}

// submoduleValues reads what git config --null prints of submodules.
func submoduleValues(text, setting string) map[string]string {
	all := map[string]string{}
	for entry := range strings.SplitSeq(text, "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		key, ours := strings.CutPrefix(key, "submodule.")
		name, whole := strings.CutSuffix(key, "."+setting)
		if ours && whole && name != "" && value != "" {
			all[name] = value
		}
	}
	return all
}

// failed finds the submodule that git's words are about.
func failed(dir, below string, level []*submodule, err error) *submodule {
	_, at := submoduleOf(err)
	if at == "" {
		return nil
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		at = strings.TrimPrefix(at, real+"/")
	}
	at = path.Join(below, strings.TrimPrefix(at, dir+"/"))
	for _, sub := range level {
		if sub.path == at {
			return sub
		}
	}
	return nil
}

// submoduleOf finds a failed submodule's address and path in git's words:
//
//	fatal: clone of 'URL' into submodule path 'PATH' failed
//	fatal: … in submodule path 'PATH' …
func submoduleOf(err error) (address, path string) {
	e, ok := errors.AsType[*gitError](err)
	if !ok {
		return "", ""
	}
	if _, rest, ok := strings.Cut(e.words, "clone of '"); ok {
		address, _, _ = strings.Cut(rest, "'")
	}
	if _, rest, ok := strings.Cut(e.words, "submodule path '"); ok {
		path, _, _ = strings.Cut(rest, "'")
	}
	return address, path
}

// withoutLogins returns text with what stands before the @ of every URL in it
// taken out.
func withoutLogins(text string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "://")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		out.WriteString("://")
		end := strings.IndexAny(rest, "/'\" \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		out.WriteString(rest[strings.LastIndexByte(rest[:end], '@')+1 : end])
		text = rest[end:]
	}
}
