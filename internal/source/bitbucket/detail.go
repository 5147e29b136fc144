package bitbucket

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/webhook/event"
)

// abbreviated is a commit id, whole or not, as a version names it.
var abbreviated = regexp.MustCompile(`^[0-9a-fA-F]{7,40}$`)

// Resolve returns the whole id of the commit that a version names. Bitbucket
// abbreviates commits of pull requests to twelve characters, which git cannot
// fetch; this expands them. A name that a branch and a tag share is the branch.
func (p *Provider) Resolve(ctx context.Context, r source.Repository, version string, by source.Login) (string, error) {
	branch, isBranch := strings.CutPrefix(version, "refs/heads/")
	tag, isTag := strings.CutPrefix(version, "refs/tags/")
	switch {
	case version == "":
		return "", rejected("There is no version to look for.")
	case !plainRef(version):
		return "", rejected("%q can be no branch, tag or commit.", shown(version))
	case isBranch:
		return p.ref(ctx, r, by, version, "branches", branch)
	case isTag:
		return p.ref(ctx, r, by, version, "tags", tag)
	case strings.HasPrefix(version, "refs/"):
		return "", rejected("Bitbucket has branches and tags only, not %q.", shown(version))
	case abbreviated.MatchString(version):
		return p.revision(ctx, r, by, version)
	}
	commit, err := p.ref(ctx, r, by, version, "branches", version)
	if r, ok := errors.AsType[*source.Refusal](err); !ok || r.Cause != slipway.FailureCauseRejected {
		return commit, err
	}
	return p.ref(ctx, r, by, version, "tags", version)
}

// plainRef reports whether git takes a name for a ref, and so whether it can
// stand in an address without leading elsewhere.
func plainRef(name string) bool {
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || strings.HasPrefix(element, ".") || strings.HasSuffix(element, ".lock") {
			return false
		}
	}
	return !strings.Contains(name, "..") && !strings.ContainsFunc(name, odd)
}

// ref returns where a branch or tag is.
func (p *Provider) ref(ctx context.Context, r source.Repository, by source.Login, version, kind, name string) (string, error) {
	var out struct {
		Target commit `json:"target"`
	}
	path := repositoryURL(r, "refs", kind) + target("", strings.Split(name, "/")...)
	if err := p.read(ctx, r.Site, by, path, &out); err != nil {
		return "", p.absent(ctx, r, by, version, err)
	}
	return whole(out.Target)
}

// revision returns the commit that a commit id names.
func (p *Provider) revision(ctx context.Context, r source.Repository, by source.Login, id string) (string, error) {
	var out commit
	if err := p.read(ctx, r.Site, by, repositoryURL(r, "commit", id), &out); err != nil {
		return "", p.absent(ctx, r, by, id, err)
	}
	return whole(out)
}

func whole(c commit) (string, error) {
	if len(c.Hash) < 40 || c.id() == "" {
		return "", &source.Refusal{Cause: slipway.FailureCauseProviderError, Message: "Bitbucket answered with something that is no commit id."}
	}
	return c.Hash, nil
}

// absent tells a version that is not there from a repository that cannot be
// seen: Bitbucket answers 404 for both.
func (p *Provider) absent(ctx context.Context, r source.Repository, by source.Login, version string, err error) error {
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok || refusal.Cause != slipway.FailureCauseNotVisible || p.read(ctx, r.Site, by, repositoryURL(r), new(repository)) != nil {
		return err
	}
	no := rejected("There is no branch, tag or commit %q in %s at Bitbucket.", shown(version), r.FullName())
	no.HTTPStatus = refusal.HTTPStatus
	no.NextStep = "Check the spelling; a commit must have been pushed to this repository, not only to a fork."
	return no
}

// Message returns the message of a commit.
func (p *Provider) Message(ctx context.Context, r source.Repository, commitID string, by source.Login) (string, error) {
	var out commit
	if err := p.read(ctx, r.Site, by, repositoryURL(r, "commit", commitID), &out); err != nil {
		return "", err
	}
	if out.Message == nil {
		return "", nil
	}
	return *out.Message, nil
}

// Files returns the paths that e changed; of renamed files both names. A new
// branch is compared with the main branch, and what is new on the main branch
// with the commit before.
func (p *Provider) Files(ctx context.Context, r source.Repository, e event.Event, by source.Login) ([]string, error) {
	switch {
	case e.Deleted:
		return []string{}, nil
	case e.PullRequest != nil:
		return p.diffstat(ctx, r, by, repositoryURL(r, "pullrequests", strconv.FormatInt(e.PullRequest.Number, 10), "diffstat"))
	case e.Before != "":
		return p.diffstat(ctx, r, by, repositoryURL(r, "diffstat", e.Commit+".."+e.Before)+"?pagelen=500")
	}
	var about repository
	if err := p.read(ctx, r.Site, by, repositoryURL(r), &about); err != nil {
		return nil, err
	}
	if main := about.Main.Name; main != "" && e.HeadRef != "refs/heads/"+main {
		base, err := p.ref(ctx, r, by, main, "branches", main)
		if err != nil {
			return nil, err
		}
		return p.diffstat(ctx, r, by, repositoryURL(r, "diffstat", e.Commit+".."+base)+"?topic=true&pagelen=500")
	}
	return p.diffstat(ctx, r, by, repositoryURL(r, "diffstat", e.Commit)+"?pagelen=500")
}

func (p *Provider) diffstat(ctx context.Context, r source.Repository, by source.Login, from string) ([]string, error) {
	type file struct {
		Path string `json:"path"`
	}
	type stat struct {
		Old *file `json:"old"`
		New *file `json:"new"`
	}
	files, known := []string{}, map[string]bool{}
	err := each(ctx, p, r.Site, by, from, func(s stat) bool {
		for _, f := range []*file{s.Old, s.New} {
			if f != nil && f.Path != "" && !known[f.Path] {
				known[f.Path] = true
				files = append(files, f.Path)
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	return files, nil
}

// OpenPullRequests returns the open pull requests. Who changed one last is not
// told, so the actor is its author; commits have twelve characters.
func (p *Provider) OpenPullRequests(ctx context.Context, r source.Repository, by source.Login) ([]event.Event, error) {
	list := []event.Event{}
	base := repository{FullName: r.FullName()}
	query := url.Values{"state": {"OPEN"}, "pagelen": {"50"}, "sort": {"-updated_on"}}
	err := each(ctx, p, r.Site, by, repositoryURL(r, "pullrequests")+"?"+query.Encode(), func(pr pullRequest) bool {
		list = append(list, pr.event(event.PullRequestUpdated, pr.Author, base, placed(r.Site)))
		return true
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// PullRequest returns one pull request with its commit's whole id, also if it
// comes from a fork, in which the login may see nothing.
func (p *Provider) PullRequest(ctx context.Context, r source.Repository, number int64, by source.Login) (event.Event, error) {
	from := repositoryURL(r, "pullrequests", strconv.FormatInt(number, 10))
	var pr pullRequest
	if err := p.read(ctx, r.Site, by, from, &pr); err != nil {
		return event.Event{}, err
	}
	e := pr.event(event.PullRequestUpdated, pr.Author, repository{FullName: r.FullName()}, placed(r.Site))
	err := each(ctx, p, r.Site, by, from+"/commits?pagelen=1", func(c commit) bool {
		if id := c.id(); id != "" && e.Commit != "" && strings.HasPrefix(id, e.Commit) {
			e.Commit, e.Message = id, c.Message
		}
		return false // the first is the head
	})
	if refusal, ok := errors.AsType[*source.Refusal](err); ok && refusal.Again {
		return event.Event{}, err
	}
	return e, nil
}
