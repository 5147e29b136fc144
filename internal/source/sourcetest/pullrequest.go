package sourcetest

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A PullRequest is a pull or merge request.
type PullRequest struct {
	Number     int
	Title      string
	Author     string
	HeadOwner  string // empty, like HeadName, means the same repository
	HeadName   string
	HeadBranch string
	BaseBranch string
}

// A pullRequest is a PullRequest with what became of it.
type pullRequest struct {
	PullRequest
	id     int
	head   *repository // as it was called when the pull request was opened
	sha    string      // of the head
	before string      // of the head before its last update
	base   string      // commit of the base branch when it was opened
	state  string      // open, closed or merged
	merge  string      // commit that it became
}

// roles from the least.
var roles = []string{"none", "read", "triage", "write", "maintain", "admin"}

// SetRole gives a user a role on a repository: none, read, triage, write,
// maintain or admin. A token's owner is admin unless this says otherwise,
// everybody else reads what is public.
func (s *Server) SetRole(owner, name, login, role string) {
	repo, err := s.repository(owner, name)
	if err != nil || !slices.Contains(roles, role) {
		return
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	if repo.roles == nil {
		repo.roles = map[string]string{}
	}
	repo.roles[strings.ToLower(login)] = role
}

// role returns the role of login, or otherwise if none was set.
func (r *repository) role(login, otherwise string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return cmp.Or(r.roles[strings.ToLower(login)], otherwise)
}

// atLeast reports whether role includes want.
func atLeast(role, want string) bool {
	return slices.Index(roles, role) >= slices.Index(roles, want)
}

// Fork copies a repository, all its branches and tags, to another owner.
func (s *Server) Fork(owner, name, to string) error {
	from, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	if err := s.CreateRepository(to, name, from.private); err != nil {
		return err
	}
	fork, err := s.repository(to, name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	fork.parent = from.fullName()
	s.mu.Unlock()
	_, err = s.run(nil, "-C", fork.dir, "fetch", "--quiet", from.dir, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	return err
}

// OpenPullRequest opens a pull request without telling anybody; where the
// provider has a ref for it, that is made. A Number of 0 means the next one.
func (s *Server) OpenPullRequest(owner, name string, p PullRequest) (number int, err error) {
	repo, err := s.repository(owner, name)
	if err != nil {
		return 0, err
	}
	head, err := s.repository(cmp.Or(p.HeadOwner, owner), cmp.Or(p.HeadName, name))
	if err != nil {
		return 0, err
	}
	base, known := s.resolve(repo, "refs/heads/"+p.BaseBranch)
	sha, there := s.resolve(head, "refs/heads/"+p.HeadBranch)
	if !known || !there {
		return 0, fmt.Errorf("there is no branch %q in %s, or no branch %q in %s", p.BaseBranch, repo.fullName(), p.HeadBranch, head.fullName())
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	if p.Number == 0 {
		p.Number = 1
		for _, other := range repo.pulls {
			p.Number = max(p.Number, other.Number+1)
		}
	}
	p.HeadOwner, p.HeadName = head.owner, head.name
	p.Title, p.Author = cmp.Or(p.Title, "Merge "+p.HeadBranch), cmp.Or(p.Author, head.owner)
	open := &pullRequest{PullRequest: p, id: repo.id*1000 + p.Number, head: head, sha: sha, base: base, state: "open"}
	repo.pulls = append(repo.pulls, open)
	return p.Number, s.showHead(repo, open)
}

// showHead brings a pull request's head into the base repository.
func (s *Server) showHead(repo *repository, p *pullRequest) error {
	ref := cmp.Or(s.flavour.pullRef(p.Number), "refs/slipway/pull/"+strconv.Itoa(p.Number)) // diffs are made in the base repository
	_, err := s.run(nil, "-C", repo.dir, "fetch", "--quiet", "--no-tags", p.head.dir, "+"+p.sha+":"+ref)
	return err
}

// pull returns a copy of a pull request.
func (r *repository) pull(number int) (*pullRequest, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pulls {
		if p.Number == number {
			return new(*p), true
		}
	}
	return nil, false
}

// Push commits files to a branch as Commit does, and tells of it as the
// provider does.
func (s *Server) Push(owner, name, branch string, files map[string]string, message, pusher string) (sha string, err error) {
	repo, err := s.repository(owner, name)
	if err != nil {
		return "", err
	}
	before, _ := s.resolve(repo, fullRef("refs/heads/", branch))
	sha, err = s.Commit(owner, name, branch, files, message)
	if err != nil {
		return "", err
	}
	return sha, s.flavour.pushed(repo, fullRef("refs/heads/", branch), before, sha, pusher)
}

// DeliverTag makes a lightweight tag, unless it is there, and tells of it.
func (s *Server) DeliverTag(owner, name, tag, commit, pusher string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	if _, there := s.resolve(repo, "refs/tags/"+tag); !there {
		if err := s.Tag(owner, name, tag, commit, ""); err != nil {
			return err
		}
	}
	return s.flavour.pushed(repo, "refs/tags/"+tag, "", commit, pusher)
}

// DeliverDelete deletes a branch or tag, given as a full ref, and tells of it.
func (s *Server) DeliverDelete(owner, name, ref, pusher string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	before, there := s.resolve(repo, ref)
	if !there || !strings.HasPrefix(ref, "refs/") {
		return fmt.Errorf("there is no ref %q in %s", ref, repo.fullName())
	}
	if _, err := s.run(nil, "-C", repo.dir, "update-ref", "-d", ref); err != nil {
		return err
	}
	return s.flavour.pushed(repo, ref, before, "", pusher)
}

// DeliverRelease tells that a release of a tag was published.
func (s *Server) DeliverRelease(owner, name, tag, title, sender string, prerelease bool) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	return s.flavour.released(repo, tag, title, sender, prerelease)
}

// DeliverPullRequest carries out an action on a pull request (opened, updated,
// reopened, merged, closed) and tells of it. updated takes the head's branch as
// it is now; merged merges it into the base branch.
func (s *Server) DeliverPullRequest(owner, name string, number int, action, sender string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	if err := s.act(repo, number, action); err != nil {
		return err
	}
	p, _ := repo.pull(number)
	return s.flavour.pullRequest(repo, p, action, sender)
}

func (s *Server) act(repo *repository, number int, action string) error {
	repo.mu.Lock()
	defer repo.mu.Unlock()
	at := slices.IndexFunc(repo.pulls, func(p *pullRequest) bool { return p.Number == number })
	if at < 0 {
		return fmt.Errorf("there is no pull request %d in %s", number, repo.fullName())
	}
	p := repo.pulls[at]
	switch action {
	case "opened", "reopened":
		p.state = "open"
	case "closed":
		p.state = "closed"
	case "updated":
		p.before = p.sha
		if sha, ok := s.resolve(p.head, "refs/heads/"+p.HeadBranch); ok {
			p.sha = sha
		}
		return s.showHead(repo, p)
	case "merged":
		p.state = "merged"
		return s.mergePull(repo, p)
	default:
		return fmt.Errorf("%q is no action on a pull request", action)
	}
	return nil
}

// mergePull makes a merge commit of a pull request on its base branch.
func (s *Server) mergePull(repo *repository, p *pullRequest) error {
	ref := "refs/heads/" + p.BaseBranch
	base, ok := s.resolve(repo, ref)
	if !ok {
		return errors.New("the base branch is gone")
	}
	tree, err := s.run(nil, "-C", repo.dir, "merge-tree", "--write-tree", base, p.sha)
	if err != nil {
		return err
	}
	tree, _, _ = strings.Cut(tree, "\n")
	message := fmt.Sprintf("Merge pull request #%d from %s/%s", p.Number, p.HeadOwner, p.HeadBranch)
	out, err := s.run(nil, "-C", repo.dir, "commit-tree", tree, "-p", base, "-p", p.sha, "-m", message)
	if err != nil {
		return err
	}
	p.merge = strings.TrimSpace(out)
	_, err = s.run(nil, "-C", repo.dir, "update-ref", ref, p.merge)
	return err
}

// DeliverComment tells of a comment below a pull request.
func (s *Server) DeliverComment(owner, name string, number int, text, sender string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	p, ok := repo.pull(number)
	if !ok {
		return fmt.Errorf("there is no pull request %d in %s", number, repo.fullName())
	}
	return s.flavour.comment(repo, p, text, sender)
}

// A change is one file that differs between two commits.
type change struct {
	status string // A, M, D, R, C or T, as git says
	path   string
	old    string // the former path of a renamed or copied file; else empty
}

// changes returns what differs between two commits of a repository. before ""
// means the empty tree. Without renames, a renamed file is one that was deleted
// and one that was added.
func (s *Server) changes(repo *repository, before, after string, renames bool) ([]change, error) {
	if before == "" {
		before = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	}
	find := "--no-renames"
	if renames {
		find = "-M"
	}
	out, err := s.run(nil, "-C", repo.dir, "diff-tree", "-r", find, "-z", "--name-status", before, after)
	if err != nil {
		return nil, err
	}
	var list []change
	for parts := strings.Split(out, "\x00"); len(parts) >= 2; {
		c := change{status: parts[0][:min(1, len(parts[0]))], path: filepath.ToSlash(parts[1])}
		parts = parts[2:]
		if (c.status == "R" || c.status == "C") && len(parts) > 0 {
			c.old, c.path = c.path, parts[0]
			parts = parts[1:]
		}
		list = append(list, c)
	}
	return list, nil
}
