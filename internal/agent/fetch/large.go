package fetch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/internal/api"
)

// An lfsError is a failure to fetch the files that a repository keeps in Git
// LFS, after all else went well.
type lfsError struct{ err error }

func (e *lfsError) Error() string { return "LFS: " + e.err.Error() }
func (e *lfsError) Unwrap() error { return e.err }

var errLargeURL = errors.New("the address of the LFS server is none that is fetched from")

// large fetches what the source's own repository, and none of its submodules,
// keeps in Git LFS, if git-lfs is installed. It logs in as git does: the login
// goes to the repository's own address, and to no storage that is elsewhere.
func (c *checkout) large(ctx context.Context) error {
	if uses, err := c.usesLarge(ctx); err != nil || !uses {
		return err
	}
	if _, err := exec.LookPath("git-lfs"); err != nil {
		c.say("The repository keeps files in Git LFS, and git-lfs is not installed where the agent runs: these files are pointers of a few lines. " +
			"To have their contents, install git-lfs there (apt-get install git-lfs on Debian).")
		return nil
	}
	if err := c.largeServer(ctx); err != nil {
		return err
	}
	err := c.network(ctx, c.source.Dir,
		"-c", "filter.lfs.clean=git-lfs clean -- %f", "-c", "filter.lfs.process=git-lfs filter-process", // without them it believes it is not installed
		"lfs", "pull")
	if _, isGit := errors.AsType[*gitError](err); isGit {
		return &lfsError{err}
	}
	return err
}

// usesLarge reports whether a file of the checkout is kept in LFS. Most
// repositories have no attributes at all, which their index tells without a
// git.
func (c *checkout) usesLarge(ctx context.Context) (bool, error) {
	index, err := os.ReadFile(filepath.Join(c.source.Dir, ".git", "index"))
	if err != nil || !bytes.Contains(index, []byte("gitattributes\x00")) {
		return false, nil //nolint:nilerr // nothing is checked out
	}
	files, err := c.inside(ctx, "ls-files", "-z", "--", ":(attr:filter=lfs)")
	return files != "", err
}

// largeServer refuses what .lfsconfig may name beside the web: this machine's
// files, and programs.
func (c *checkout) largeServer(ctx context.Context) error {
	info, err := os.Lstat(filepath.Join(c.source.Dir, ".lfsconfig"))
	if err != nil {
		return nil //nolint:nilerr // there is none, as in most
	}
	if !info.Mode().IsRegular() {
		return &lfsError{errLargeURL}
	}
	text, err := c.inside(ctx, "config", "--file", ".lfsconfig", "--null", "--get-regexp", `url$`)
	if err != nil {
		return context.Cause(ctx) // it says nothing of URLs
	}
	for entry := range strings.SplitSeq(text, "\x00") {
		_, value, _ := strings.Cut(entry, "\n")
		if value != "" && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://") {
			return &lfsError{errLargeURL}
		}
	}
	return nil
}

// large says why files in LFS could not be fetched.
func (p *picture) large(err error) string {
	text := "git lfs failed" + about(p.source) + ": the clone worked, LFS did not."
	if errors.Is(err, errLargeURL) {
		return text + " .lfsconfig names an LFS server that is not at https:// or http://. Change lfs.url there."
	}
	if e, ok := errors.AsType[*gitError](err); ok {
		text += ` It says: "` + clean(strings.Join(strings.Fields(withoutLogins(e.words)), " "), maxQuote) + `".`
	}
	text += " Check that the files were pushed to LFS (git lfs push --all origin) and that the quota of LFS is not used up"
	if p.anonymous() {
		return text + "; " + p.missing() + ", which private files need: " + p.command()
	}
	if p.source.Type == api.SourceTypeGithub || p.source.Type == api.SourceTypeGithubEnterprise {
		return text + ", and that the token of " + p.arn() + " may read the repository's contents."
	}
	return text + ", and that the token of " + p.arn() + " may read the repository. A storage at another host gets no login."
}
