package fetch

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/agent/fetch/mirror"
	"slipway/internal/agentapi"
)

// A cache is the mirrors of the build's project, for one source.
type cache struct {
	mirrors mirror.Folder
	project string
	private string // the beginning of names for seeds, in a directory of the fetch's own
	seeds   int    // so far
}

// caches reports whether the fetch uses mirrors.
func (o order) caches() bool { return o.Mirrors != "" && o.Launch.Mirrors != agentapi.Mirrors{} }

// cache returns the cache for s, nil if there is none; name is unique among the
// fetch's sources.
func (o order) cache(s Source, name string) *cache {
	if !o.caches() {
		return nil
	}
	return &cache{
		mirrors: mirror.Folder{Dir: o.Launch.Mirrors.Dir, Limit: o.Launch.Mirrors.Limit},
		project: o.Mirrors, private: filepath.Join(o.Private, "m"+name+"-"),
	}
}

func (c *checkout) mirror() mirror.Name {
	return mirror.Name{Project: c.cache.project, URL: c.source.URL, Depth: c.source.Depth}
}

// cached is fresh from a mirror, and keeps in it what is new. The provider is
// asked with the build's own login before anything of the mirror counts: a login
// that may not read the repository gets nothing of it, and a commit that is only
// in the mirror is none.
func (c *checkout) cached(ctx context.Context) (commit string, err error) {
	name := c.mirror()
	seed := c.seed(name)
	if seed.Dir != "" {
		c.template = seed.Dir
		commit, err = c.fresh(ctx)
		c.template = ""
		if isDoubtful(err) && ctx.Err() == nil {
			if k := kindOf(err); k == other && !errors.Is(err, errUnsure) || k == notGit {
				c.damaged(name)
			}
			seed = mirror.Seed{}
			if err := empty(c.source.Dir); err != nil {
				return "", err
			}
			commit, err = c.fresh(ctx)
		}
	} else {
		commit, err = c.fresh(ctx)
	}
	if err != nil {
		return "", err
	}
	return commit, c.keep(ctx, name, filepath.Join(c.source.Dir, ".git"), commit, seed)
}

// cachedSubmodule fetches the submodule at a path of the repository in dir from
// its mirror, and keeps in it what is new.
func (c *checkout) cachedSubmodule(ctx context.Context, dir, at string, sub *submodule) error {
	name := mirror.Name{Project: c.cache.project, URL: sub.where.String()}
	args := append(slices.Clone(updateSubmodules), literal+at)
	seed := c.seed(name)
	if seed.Dir != "" {
		defer os.RemoveAll(seed.Dir)
		from := c.git
		from.env = append(slices.Clone(from.env), "GIT_TEMPLATE_DIR="+seed.Dir)
		_, err := from.run(ctx, dir, args...)
		place := filepath.Join(dir, filepath.FromSlash(at))
		if err == nil && c.isPinned(ctx, place) {
			return c.keepSubmodule(place, name, seed)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// As if there were no mirror, whatever it was: git tells what fails then.
		if k := kindOf(err); err != nil && (k == other || k == notGit) {
			c.damaged(name)
		}
		if err := c.forget(ctx, dir, at); err != nil {
			return err
		}
	}
	if err := c.network(ctx, dir, args...); err != nil {
		return err
	}
	return c.keepSubmodule(filepath.Join(dir, filepath.FromSlash(at)), name, mirror.Seed{})
}

// literal begins a path in which git is to see no pattern.
const literal = ":(literal)"

// keepSubmodule keeps what was fetched of the submodule that is checked out at
// place.
func (c *checkout) keepSubmodule(place string, name mirror.Name, seed mirror.Seed) error {
	gitDir, err := c.gitDirOf(place)
	if err != nil || gitDir == "" {
		return err
	}
	if seed.Dir != "" {
		if err := mirror.Clean(gitDir, mirror.Excess{}); err != nil {
			return err
		}
	}
	if err := c.cache.mirrors.Keep(name, gitDir, seed); err != nil {
		c.say("The cache of " + clean(name.URL, maxShown) + " is not kept: " + clean(err.Error(), maxShown))
	}
	return nil
}

// isPinned reports whether a submodule is checked out at a commit that its
// provider has on a branch or a tag.
func (c *checkout) isPinned(ctx context.Context, place string) bool {
	gitDir, err := c.gitDirOf(place)
	return err == nil && gitDir != "" && c.isLedTo(ctx, gitDir, "HEAD")
}

// gitDirOf returns the git directory of a submodule that is checked out, which
// is below the source's own; "" if there is none there.
func (c *checkout) gitDirOf(place string) (string, error) {
	root, err := os.OpenRoot(place)
	if err != nil {
		return "", nil //nolint:nilerr // it is not checked out
	}
	defer root.Close()
	text, err := root.ReadFile(".git")
	to, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if err != nil || !ok {
		return "", nil //nolint:nilerr // likewise
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(place, to)
	}
	own, err := filepath.EvalSymlinks(filepath.Join(c.source.Dir, ".git", "modules"))
	if err != nil {
		return "", err
	}
	if to, err = filepath.EvalSymlinks(to); err != nil {
		return "", err
	}
	if !strings.HasPrefix(to, own+string(filepath.Separator)) {
		return "", nil
	}
	return to, nil
}

// forget undoes the fetch of a submodule, so that it can be fetched anew.
func (c *checkout) forget(ctx context.Context, dir, at string) error {
	place := filepath.Join(dir, filepath.FromSlash(at))
	gitDir, err := c.gitDirOf(place)
	if err != nil {
		return err
	}
	if _, err := c.git.run(ctx, dir, "submodule", "--quiet", "deinit", "--force", "--", literal+at); err != nil {
		return err
	}
	if gitDir != "" {
		return os.RemoveAll(gitDir)
	}
	return nil
}

// seed returns a copy of a mirror.
func (c *checkout) seed(name mirror.Name) mirror.Seed {
	c.cache.seeds++
	seed, err := c.cache.mirrors.Seed(name, c.cache.private+strconv.Itoa(c.cache.seeds))
	if errors.Is(err, mirror.ErrDamaged) {
		c.say("The cache of " + clean(name.URL, maxShown) + " is damaged and is made anew.")
	} else if err != nil {
		c.say("The cache of " + clean(name.URL, maxShown) + " is not used: " + clean(err.Error(), maxShown))
	}
	return seed
}

// damaged drops a mirror that git cannot use.
func (c *checkout) damaged(name mirror.Name) {
	c.say("The cache of " + clean(name.URL, maxShown) + " is damaged and is made anew.")
	if err := c.cache.mirrors.Drop(name); err != nil {
		c.say("It could not be removed: " + clean(err.Error(), maxShown))
	}
}

// keep keeps what was fetched, and makes the repository like one without a
// mirror. That it cannot be kept is told and harms no build.
func (c *checkout) keep(ctx context.Context, name mirror.Name, gitDir, commit string, seed mirror.Seed) error {
	if seed.Dir != "" {
		defer os.RemoveAll(seed.Dir)
		if err := c.clean(ctx, gitDir, commit); err != nil {
			return err
		}
	}
	if err := c.cache.mirrors.Keep(name, gitDir, seed); err != nil {
		c.say("The cache of " + clean(name.URL, maxShown) + " is not kept: " + clean(err.Error(), maxShown))
	}
	return nil
}

// clean makes a repository that began as a seed like one that did not. A history
// that is cut off gets only its own ends, and the tags that are in it: git takes
// those of the seed for its own.
func (c *checkout) clean(ctx context.Context, gitDir, commit string) error {
	follows := c.want.ref == "" && c.want.commit == "" // the tags of what it fetches, as clones do
	switch {
	case c.source.Depth == 0:
		return mirror.Clean(gitDir, mirror.Excess{})
	case c.source.Depth == 1 && follows && !mirror.HasTags(gitDir): // as most are: no git need be asked
		return mirror.Clean(gitDir, mirror.Excess{Shallow: func(id string) bool { return id != commit }})
	}
	text, err := c.git.run(ctx, gitDir, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")
	if err != nil {
		return err
	}
	history := map[string]bool{commit: true}
	tags := map[string]string{} // that were not asked for
	for line := range strings.Lines(text) {
		part := strings.Fields(line)
		switch name, leadsTo := part[0], part[len(part)-1]; {
		case strings.HasPrefix(name, mirror.Namespace):
		case follows && strings.HasPrefix(name, "refs/tags/"):
			tags[name] = leadsTo
		default:
			history[leadsTo] = true
		}
	}
	if c.source.Depth > 1 {
		args := append([]string{"rev-list"}, slices.Sorted(maps.Keys(history))...)
		text, err := c.git.run(ctx, gitDir, append(args, "--")...)
		if err != nil {
			return err
		}
		for id := range strings.Lines(text) {
			history[strings.TrimSpace(id)] = true
		}
	}
	excess := mirror.Excess{Shallow: func(id string) bool { return !history[id] }, Refs: map[string]bool{}}
	for name, leadsTo := range tags {
		if !history[leadsTo] {
			excess.Refs[name] = true
		}
	}
	return mirror.Clean(gitDir, excess)
}

// isDoubtful reports whether a failure may be the mirror's.
func isDoubtful(err error) bool {
	if errors.Is(err, errUnsure) {
		return true
	}
	_, isGit := errors.AsType[*gitError](err)
	switch kindOf(err) {
	case noReference, notGit:
		return true
	case other:
		return isGit
	}
	return false
}

// isLedTo reports whether a ref that was fetched leads to a commit.
func (c *checkout) isLedTo(ctx context.Context, dir, commit string) bool {
	args := []string{"for-each-ref", "--count=1", "--contains=" + commit, "--format=%(refname)", "refs/heads", "refs/remotes", "refs/tags", "refs/pull", "refs/merge-requests"}
	name, err := c.git.run(ctx, dir, args...)
	return err == nil && name != ""
}

// empty removes what is in a directory.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
