package sourcetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A repository at the provider, under one name. Its git directory is named by
// id, so that no name a caller chooses ever is a path.
type repository struct {
	id      int
	owner   string // as it is spelled
	name    string
	private bool
	dir     string
	parent  string // owner/name of what it was forked from; empty if it was not
	*contents
}

// contents is what a repository keeps when it is renamed.
type contents struct {
	mu       sync.Mutex // one writer at a time; guards all below
	commits  int
	statuses map[string][]Status // by commit, oldest first
	pulls    []*pullRequest
	roles    map[string]string // by lower-case login; everyone else has the usual one
}

func (r *repository) fullName() string { return r.owner + "/" + r.name }

var (
	ownerForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	shaForm   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	reserved  = []string{"admin", "api", "installation", "meta", "orgs", "repos", "repositories", "user"} // first elements of REST paths
)

// CreateRepository makes an empty repository whose default branch is main.
func (s *Server) CreateRepository(owner, name string, private bool) error {
	if err := s.checkName(owner, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repositories[key(owner, name)] != nil {
		return fmt.Errorf("repository %s/%s exists already", owner, name)
	}
	s.lastID++
	repo := &repository{
		id: s.lastID, owner: owner, name: name, private: private,
		dir:      filepath.Join(s.dir, strconv.Itoa(s.lastID)+".git"),
		contents: &contents{statuses: map[string][]Status{}},
	}
	if _, err := s.run(nil, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", repo.dir); err != nil {
		return err
	}
	s.repositories[key(owner, name)] = repo
	delete(s.moved, key(owner, name))
	return nil
}

func (s *Server) checkName(owner, name string) error {
	groups := []string{owner}
	if s.nested {
		groups = strings.Split(owner, "/")
	}
	odd := func(group string) bool { return !ownerForm.MatchString(group) }
	if slices.ContainsFunc(groups, odd) || slices.Contains(reserved, strings.ToLower(owner)) {
		return fmt.Errorf("owner %q cannot be used", owner)
	}
	if !nameForm.MatchString(name) || strings.HasSuffix(name, ".git") || name == "." || name == ".." {
		return fmt.Errorf("repository name %q cannot be used", name)
	}
	return nil
}

// Rename moves the repository old to new, both owner/name, as a rename or
// transfer does: requests for old are answered with a redirect.
func (s *Server) Rename(old, new string) error {
	at := strings.LastIndex(new, "/")
	owner, name := new[:max(at, 0)], new[at+1:]
	if err := s.checkName(owner, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repositories[strings.ToLower(old)]
	if repo == nil {
		return fmt.Errorf("there is no repository %s", old)
	}
	if s.repositories[key(owner, name)] != nil {
		return fmt.Errorf("repository %s exists already", new)
	}
	renamed := *repo
	renamed.owner, renamed.name = owner, name
	delete(s.repositories, strings.ToLower(old))
	s.repositories[key(owner, name)] = &renamed
	s.moved[strings.ToLower(old)] = new
	return nil
}

// Redirect answers git requests for owner/name with a redirect to the same
// request below url, whoever asks; the repository need not exist.
func (s *Server) Redirect(fullName, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved[strings.ToLower(fullName)] = strings.TrimSuffix(url, "/")
}

// CloneURL returns the address of a repository once the server has started.
func (s *Server) CloneURL(owner, name string) string {
	return s.URL() + "/" + owner + "/" + name + ".git"
}

func (s *Server) repository(owner, name string) (*repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repo := s.repositories[key(owner, name)]; repo != nil {
		return repo, nil
	}
	return nil, fmt.Errorf("there is no repository %s/%s", owner, name)
}

// Commit adds files to what branch has, replacing those of the same name, and
// returns the new commit's id. A branch that is new begins at the default
// branch, if that has commits. branch may also be a full ref such as
// refs/pull/1/head. A file that begins with #! is executable.
func (s *Server) Commit(owner, name, branch string, files map[string]string, message string) (sha string, err error) {
	return s.commit(owner, name, branch, message, func(in *bytes.Buffer) {
		for _, path := range slices.Sorted(maps.Keys(files)) {
			mode := "100644"
			if strings.HasPrefix(files[path], "#!") {
				mode = "100755"
			}
			fmt.Fprintf(in, "M %s inline %s\n", mode, quote(path))
			data(in, files[path])
		}
	})
}

// Submodule commits a submodule at path: its .gitmodules entry with url, which
// replaces former ones, and the commit it is pinned to.
func (s *Server) Submodule(owner, name, branch, path, url, commit string) (sha string, err error) {
	if !shaForm.MatchString(commit) || strings.ContainsAny(path+url, "\n\"\\") {
		return "", errors.New("the submodule's path, URL or commit cannot be used")
	}
	return s.commit(owner, name, branch, "add submodule "+path, func(in *bytes.Buffer) {
		fmt.Fprintf(in, "M 160000 %s %s\n", commit, quote(path))
		in.WriteString("M 100644 inline .gitmodules\n")
		data(in, fmt.Sprintf("[submodule %q]\n\tpath = %s\n\turl = %s\n", path, path, url))
	})
}

// Link commits a symbolic link at path.
func (s *Server) Link(owner, name, branch, path, target string) (sha string, err error) {
	return s.commit(owner, name, branch, "add link "+path, func(in *bytes.Buffer) {
		fmt.Fprintf(in, "M 120000 inline %s\n", quote(path))
		data(in, target)
	})
}

// Move commits that the file from is called to.
func (s *Server) Move(owner, name, branch, from, to string) (sha string, err error) {
	return s.commit(owner, name, branch, "move "+from, func(in *bytes.Buffer) {
		fmt.Fprintf(in, "R %s %s\n", quote(from), quote(to))
	})
}

// epoch is the time of every repository's first commit: the same contents give
// the same ids.
const epoch = 1_767_225_600 // 2026-01-01

func (s *Server) commit(owner, name, branch, message string, change func(*bytes.Buffer)) (string, error) {
	repo, err := s.repository(owner, name)
	if err != nil {
		return "", err
	}
	ref := fullRef("refs/heads/", branch)
	if _, err := s.run(nil, "check-ref-format", ref); err != nil {
		return "", fmt.Errorf("branch name %q cannot be used", branch)
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	var in bytes.Buffer
	repo.commits++
	fmt.Fprintf(&in, "commit %s\nmark :1\ncommitter Slipway <slipway@example.com> %d +0000\n", ref, epoch+repo.commits)
	data(&in, message)
	parent, known := s.resolve(repo, ref)
	_, started := s.resolve(repo, "HEAD")
	if !known && started {
		parent, known = s.resolve(repo, "HEAD")
	}
	if known {
		fmt.Fprintf(&in, "from %s\n", parent)
	}
	change(&in)
	in.WriteString("\nget-mark :1\n")
	out, err := s.run(in.Bytes(), "-C", repo.dir, "fast-import", "--quiet")
	if err != nil {
		return "", err
	}
	if !started && strings.HasPrefix(ref, "refs/heads/") { // as at GitHub, the first branch is the default one
		if _, err := s.run(nil, "-C", repo.dir, "symbolic-ref", "HEAD", ref); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(out), nil
}

// SetRef points a ref, such as refs/tags/v1 or refs/pull/7/head, at a commit or
// makes it anew.
func (s *Server) SetRef(owner, name, ref, commit string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(ref, "refs/") || !shaForm.MatchString(commit) {
		return fmt.Errorf("ref %q or commit %q cannot be used", ref, commit)
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	_, err = s.run(nil, "-C", repo.dir, "update-ref", "--no-deref", ref, commit)
	return err
}

// Tag makes a lightweight tag, or an annotated one if message is not empty.
func (s *Server) Tag(owner, name, tag, commit, message string) error {
	repo, err := s.repository(owner, name)
	if err != nil {
		return err
	}
	if !shaForm.MatchString(commit) || strings.HasPrefix(tag, "-") {
		return fmt.Errorf("tag %q or commit %q cannot be used", tag, commit)
	}
	args := []string{"-C", repo.dir, "tag", "--no-sign"}
	if message != "" {
		args = append(args, "-a", "-m", message)
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	_, err = s.run(nil, append(args, "--", tag, commit)...)
	return err
}

// resolve returns the commit that ref or an id names.
func (s *Server) resolve(repo *repository, ref string) (string, bool) {
	out, err := s.run(nil, "-C", repo.dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	return strings.TrimSpace(out), err == nil
}

// run runs git with nothing of the caller's configuration, and returns what it
// prints.
func (s *Server) run(stdin []byte, args ...string) (string, error) {
	cmd := exec.Command(s.git, args...)
	cmd.Env = append(s.gitEnv(), "PATH="+os.Getenv("PATH"))
	cmd.Dir = s.dir
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[len(args)-1], err, strings.TrimSpace(errOut.String()))
	}
	return out.String(), nil
}

// gitEnv is the whole environment of every git, but for PATH.
func (s *Server) gitEnv() []string {
	return []string{
		"HOME=" + s.dir, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Slipway", "GIT_AUTHOR_EMAIL=slipway@example.com",
		"GIT_COMMITTER_NAME=Slipway", "GIT_COMMITTER_EMAIL=slipway@example.com",
		"GIT_CONFIG_COUNT=8",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		"GIT_CONFIG_KEY_1=http.receivepack", "GIT_CONFIG_VALUE_1=true",
		"GIT_CONFIG_KEY_2=http.getanyfile", "GIT_CONFIG_VALUE_2=false",
		"GIT_CONFIG_KEY_3=" + s.wants(), "GIT_CONFIG_VALUE_3=true",
		"GIT_CONFIG_KEY_4=receive.hideRefs", "GIT_CONFIG_VALUE_4=refs/pull",
		"GIT_CONFIG_KEY_5=uploadpack.allowFilter", "GIT_CONFIG_VALUE_5=true",
		"GIT_CONFIG_KEY_6=gc.auto", "GIT_CONFIG_VALUE_6=0",
		"GIT_CONFIG_KEY_7=uploadpack.hideRefs", "GIT_CONFIG_VALUE_7=refs/slipway", // of the server itself
	}
}

// wants is the setting that says which commits git may ask for by id: any at
// GitHub, at Bitbucket those that a ref leads to.
func (s *Server) wants() string {
	if _, ok := s.flavour.(*bitbucket); ok {
		return "uploadpack.allowReachableSHA1InWant"
	}
	return "uploadpack.allowAnySHA1InWant"
}

func fullRef(prefix, name string) string {
	if strings.HasPrefix(name, "refs/") {
		return name
	}
	return prefix + name
}

// quote writes a path as fast-import reads it.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

func data(in *bytes.Buffer, text string) { fmt.Fprintf(in, "data %d\n%s\n", len(text), text) }
