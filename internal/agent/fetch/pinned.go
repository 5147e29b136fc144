package fetch

import (
	"context"
	"errors"
)

// A lostError is a pinned commit that its ref does not lead to any more, and
// that the provider does not hand out otherwise.
type lostError struct {
	commit string
	ref    string // as the version names it
	gone   bool   // the ref itself is not there
}

func (e *lostError) Error() string { return "commit " + e.commit + " is not on " + e.ref }

// pinned fetches one ref only, and checks out a commit that it must have. One
// that it does not have is what a force push, a squash merge or a deleted
// branch leaves behind: it is asked for by its id.
func (c *checkout) pinned(ctx context.Context) (string, error) {
	if err := c.start(ctx); err != nil {
		return "", err
	}
	lost := &lostError{commit: c.want.commit, ref: c.want.ref}
	refs := []string{c.want.ref}
	if c.want.name != "" {
		lost.ref = c.want.name
		refs = []string{"refs/heads/" + c.want.name, "refs/tags/" + c.want.name}
	}
	var ref string
	var err error
	for _, r := range refs {
		ref = "+" + r + ":" + local(r)
		if err = c.fetch(ctx, c.source.Depth, ref); !isRefused(err) {
			break
		}
	}
	if err != nil && !isRefused(err) {
		return "", err
	}
	lost.gone = err != nil
	if there, err := c.has(ctx, c.want.commit); err != nil {
		return "", err
	} else if there {
		return c.checkOut(ctx, c.want.commit)
	}
	// In a history that is cut off it may also lie deeper. Its id is the
	// shorter way there.
	err = c.fetch(ctx, c.source.Depth, c.want.commit)
	if isRefused(err) {
		err = c.search(ctx, ref, lost)
	}
	if err != nil {
		return "", err
	}
	if lost.gone || c.source.Depth == 0 {
		c.say("The commit " + lost.commit + " is no longer on " + clean(lost.ref, maxShown) + ", as after a force push, a squash merge or the end of its branch. It was fetched all the same.")
	}
	return c.checkOut(ctx, c.want.commit)
}

// search looks for the commit at a provider that does not hand out commits by
// id: deeper in its ref, and then in all branches and tags.
func (c *checkout) search(ctx context.Context, ref string, lost *lostError) error {
	if !lost.gone && c.source.Depth > 0 {
		err := c.linked(ctx, "fetch", "--quiet", "--unshallow", "--no-tags", "origin", ref)
		if err != nil && !said(err, "--unshallow on a complete repository") {
			return err
		}
		if _, ok := c.resolve(ctx, c.want.commit); ok {
			return nil
		}
	}
	if err := c.fetch(ctx, 0, everything...); err != nil {
		return err
	}
	if _, ok := c.resolve(ctx, c.want.commit); !ok {
		return errors.Join(lost, context.Cause(ctx))
	}
	return nil
}

// everything is what a clone fetches.
var everything = []string{"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}
