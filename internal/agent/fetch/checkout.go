package fetch

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A checkout brings one version of one source into its directory, with HEAD
// detached at its commit.
type checkout struct {
	git      git
	source   Source
	want     version
	desk     *desk
	provider *provider
	where    *url.URL // of the source
	rewrites []rewrite
	say      func(line string) // writes a line to the build's log
	listed   int               // submodules so far
	cache    *cache            // nil if the build has none
	template string            // of a new repository; empty means git's own

	// environment returns git's environment, with what the desk trusts and more
	// configuration.
	environment func(more ...setting) []string
}

// configure gives git what the desk has learned.
func (c *checkout) configure() { c.git.env = c.environment() }

// Ways in which a version is not there although git did not fail.
var (
	errEmpty     = errors.New("the repository is empty")
	errNoDefault = errors.New("the default branch does not exist")
	errNoCommit  = errors.New("the commit is not there")
	errUnsure    = errors.New("the commit may only be in the mirror")
)

// run returns the commit that is checked out.
func (c *checkout) run(ctx context.Context) (commit string, err error) {
	if err := os.MkdirAll(c.source.Dir, 0o755); err != nil { //nolint:gosec // user code reads it, perhaps as another user
		return "", err
	}
	if c.cache != nil {
		commit, err = c.cached(ctx)
	} else {
		commit, err = c.fresh(ctx)
	}
	if err == nil {
		err = c.large(ctx)
	}
	if err == nil && c.source.Submodules {
		err = c.submodules(ctx, "")
	}
	return commit, err
}

// fresh brings the version into the directory, which is empty.
func (c *checkout) fresh(ctx context.Context) (commit string, err error) {
	switch v := c.want; {
	case v.commit != "" && (v.ref != "" || v.name != ""):
		return c.pinned(ctx)
	case v.commit != "":
		return c.byCommit(ctx)
	case v.ref != "":
		return c.byRef(ctx)
	}
	return c.byName(ctx)
}

// byName is the common case, a branch, a tag or the default branch, and takes
// one git that talks to the provider once.
func (c *checkout) byName(ctx context.Context) (string, error) {
	args := []string{"clone", "--quiet"}
	args = append(args, c.depth()...)
	if c.want.name != "" {
		args = append(args, "--branch="+c.want.name)
	}
	err := c.clone(ctx, args...)
	if said(err, "not found in upstream") && mayBeCommit(c.want.name) {
		return c.byAbbreviation(ctx)
	}
	if err != nil {
		return "", err
	}
	if commit, ok := detach(filepath.Join(c.source.Dir, ".git")); ok {
		return commit, nil
	}
	commit, ok := c.resolve(ctx, "HEAD")
	switch {
	case ok:
		_, err := c.inside(ctx, "update-ref", "--no-deref", "HEAD", commit)
		return commit, err
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	}
	if heads, err := c.inside(ctx, "for-each-ref", "--count=1"); err == nil && heads == "" {
		return "", errEmpty
	}
	return "", errNoDefault
}

// detach detaches the HEAD of a fresh clone, whose files are there already,
// and returns its commit. It does by itself what git would need two processes
// for, which is time that every build waits; where refs are kept in a way it
// does not know, it does nothing.
func detach(gitDir string) (commit string, ok bool) {
	dir, err := os.OpenRoot(gitDir)
	if err != nil {
		return "", false
	}
	defer dir.Close()
	read := func(name string) string {
		text, _ := dir.ReadFile(name)
		return strings.TrimSpace(string(text))
	}
	commit = read("HEAD")
	branch, attached := strings.CutPrefix(commit, "ref: refs/heads/")
	if !attached {
		return commit, isCommit(commit) // a tag
	}
	commit = read("refs/heads/" + branch)
	if !isCommit(commit) {
		return "", false
	}
	const lock = "HEAD.lock"                                                // the name under which git changes HEAD
	if err := dir.WriteFile(lock, []byte(commit+"\n"), 0o644); err != nil { //nolint:gosec // as git does
		return "", false
	}
	return commit, dir.Rename(lock, "HEAD") == nil
}

// byAbbreviation looks for a commit in all of the repository: no provider
// hands out commits by abbreviated ids.
func (c *checkout) byAbbreviation(ctx context.Context) (string, error) {
	if c.template != "" && c.source.Depth > 0 {
		return "", errUnsure // what the mirror cuts off, no fetch brings
	}
	if err := c.clone(ctx, "clone", "--quiet", "--no-checkout"); err != nil {
		return "", err
	}
	commit, err := c.checkOut(ctx, strings.ToLower(c.want.name))
	if err == nil && c.template != "" && !c.isLedTo(ctx, c.source.Dir, commit) {
		err = errUnsure
	}
	return commit, err
}

// byCommit fetches the one commit if history is to be short, and the whole
// repository otherwise, as CodeBuild does.
func (c *checkout) byCommit(ctx context.Context) (string, error) {
	if c.source.Depth > 0 {
		if err := c.start(ctx); err != nil {
			return "", err
		}
		err := c.fetch(ctx, c.source.Depth, c.want.commit)
		if isRefused(err) && c.template != "" {
			return "", errUnsure // what the mirror cuts off, no fetch brings
		}
		if isRefused(err) { // not every server hands out commits by id
			err = c.fetch(ctx, 0, everything...)
		}
		if err != nil {
			return "", err
		}
		return c.checkOut(ctx, c.want.commit)
	}
	if err := c.clone(ctx, "clone", "--quiet", "--no-checkout"); err != nil {
		return "", err
	}
	if there, err := c.has(ctx, c.want.commit); err != nil {
		return "", err
	} else if !there { // on no branch and no tag, such as a pull request's
		err := c.fetch(ctx, 0, c.want.commit)
		if isRefused(err) {
			return "", errNoCommit
		}
		if err != nil {
			return "", err
		}
	}
	return c.checkOut(ctx, c.want.commit)
}

// byRef fetches a ref, and for a full history the branches beside it, which
// builds compare with.
func (c *checkout) byRef(ctx context.Context) (string, error) {
	ref, here := c.want.ref, local(c.want.ref)
	switch {
	case c.clonesRef():
		if err := c.clone(ctx, "clone", "--quiet", "--no-checkout"); err != nil {
			return "", err
		}
		if _, ok := c.resolve(ctx, here); !ok {
			return "", errNoCommit
		}
	default:
		if err := c.start(ctx); err != nil {
			return "", err
		}
		refs := []string{"+" + ref + ":" + here}
		if c.source.Depth == 0 {
			refs = append(refs, "+refs/heads/*:refs/remotes/origin/*")
		}
		if err := c.fetch(ctx, c.source.Depth, refs...); err != nil {
			return "", err
		}
	}
	return c.checkOut(ctx, here)
}

// clonesRef reports whether a clone brings the ref.
func (c *checkout) clonesRef() bool {
	ref := c.want.ref
	return c.source.Depth == 0 && (ref != local(ref) || strings.HasPrefix(ref, "refs/tags/"))
}

// local returns the name that a ref of the provider gets here: branches become
// remote-tracking ones as in every clone, all else keeps its name.
func local(ref string) string {
	if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return "refs/remotes/origin/" + branch
	}
	return ref
}

func (c *checkout) depth() []string {
	if c.source.Depth == 0 {
		return nil
	}
	return []string{"--depth=" + strconv.Itoa(c.source.Depth)}
}

// start makes an empty repository that is like a fresh clone.
func (c *checkout) start(ctx context.Context) error {
	format := "sha1"
	if len(c.want.commit) == 64 {
		format = "sha256"
	}
	args := []string{"init", "--quiet", "--object-format=" + format}
	if c.template != "" {
		args = append(args, "--template="+c.template)
	}
	if _, err := c.inside(ctx, args...); err != nil {
		return err
	}
	_, err := c.inside(ctx, "remote", "add", "origin", c.source.URL)
	return err
}

// clone clones into the directory. git leaves it empty when it fails.
func (c *checkout) clone(ctx context.Context, args ...string) error {
	if c.template != "" {
		args = append(args, "--template="+c.template)
	}
	return c.linked(ctx, append(args, "--", c.source.URL, c.source.Dir)...)
}

// fetch fetches refs or a commit; depth 0 means the whole history, with the
// tags on it.
func (c *checkout) fetch(ctx context.Context, depth int, refs ...string) error {
	args := []string{"fetch", "--quiet"}
	to := append([]string{"--", "origin"}, refs...)
	if depth > 0 {
		return c.linked(ctx, append(append(args, "--no-tags", "--depth="+strconv.Itoa(depth)), to...)...)
	}
	return c.network(ctx, c.source.Dir, append(args, to...)...)
}

// checkOut checks out a commit, by its id or by a ref that leads to it.
func (c *checkout) checkOut(ctx context.Context, what string) (string, error) {
	commit, ok := c.resolve(ctx, what)
	if !ok {
		return "", errors.Join(errNoCommit, context.Cause(ctx))
	}
	_, err := c.inside(ctx, "checkout", "--quiet", "--detach", commit)
	return commit, err
}

// resolve returns the commit that a ref or an id leads to.
func (c *checkout) resolve(ctx context.Context, what string) (string, bool) {
	commit, err := c.inside(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", what+"^{commit}")
	return commit, err == nil && isCommit(commit)
}

// has reports whether the repository has a commit. One that began as a mirror
// has also what the provider does not have any more: where only that can be
// where a commit is, it is errUnsure.
func (c *checkout) has(ctx context.Context, commit string) (bool, error) {
	_, ok := c.resolve(ctx, commit)
	if c.template != "" && (!ok || !c.isLedTo(ctx, c.source.Dir, commit)) {
		return false, errUnsure
	}
	return ok, nil
}

func (c *checkout) inside(ctx context.Context, args ...string) (string, error) {
	return c.git.run(ctx, c.source.Dir, args...)
}

// pauses are how long it waits before each repetition of a git that failed for
// a reason that passes.
var pauses = []time.Duration{500 * time.Millisecond, 2 * time.Second}

// network runs a git in dir that talks to the provider, and repeats it if the
// provider is overloaded or the connection broke.
func (c *checkout) network(ctx context.Context, dir string, args ...string) error {
	for _, pause := range pauses {
		_, err := c.git.run(ctx, dir, args...)
		if !isPassing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	_, err := c.git.run(ctx, dir, args...)
	return err
}

// isPassing reports whether a failure may be over in a moment.
func isPassing(err error) bool {
	e, ok := errors.AsType[*gitError](err)
	return ok && saysAny(e.words, passing)
}

// isRefused reports whether the provider has no such ref or commit, or does
// not hand it out alone.
func isRefused(err error) bool {
	return said(err, "couldn't find remote ref") || said(err, "not our ref") || said(err, "unadvertised object")
}

// said reports whether err is a git that said text.
func said(err error, text string) bool {
	e, ok := errors.AsType[*gitError](err)
	return ok && strings.Contains(e.words, text)
}
