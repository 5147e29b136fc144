package sourcetest

import (
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// gitLab is how gitlab.com and self-managed GitLab tell of what happens.
type gitLab struct {
	*Server
	signing bool // hooks take a signing_token
}

func (gitLab) pullRef(number int) string {
	return "refs/merge-requests/" + strconv.Itoa(number) + "/head"
}

const apiV4 = "/api/v4/"

// identify finds the token that a request carries: in PRIVATE-TOKEN or as
// Bearer for the API, as password for git. A deploy token is git's only, and
// only beside its own user name.
func (g gitLab) identify(r *http.Request) caller {
	user, value, basic := r.BasicAuth()
	rest := strings.HasPrefix(r.URL.Path, apiV4)
	if rest {
		value, user = r.Header.Get("Private-Token"), ""
		if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && value == "" {
			value = strings.TrimSpace(bearer)
		}
		basic = value != "" || r.Header.Get("Authorization") != ""
	}
	if !basic {
		return caller{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.tokens[value]
	switch {
	case !ok || value == "" || g.expired(t):
	case t.deploy() && (rest || user != t.Login):
	case !rest && user == "": // any name will do, but there must be one
	default:
		return caller{sent: true, known: true, token: t}
	}
	return caller{sent: true}
}

// deploy reports whether t is a deploy token.
func (t Token) deploy() bool { return strings.HasPrefix(t.Login, "gitlab+deploy-token-") }

// bot reports whether t is a project's or group's access token, which acts as a
// user of its own.
func (t Token) bot() bool {
	return strings.HasPrefix(t.Login, "project_") || strings.HasPrefix(t.Login, "group_")
}

// accessLevels are GitLab's for the roles of SetRole, and for those that only
// GitLab knows.
var accessLevels = map[string]int{"guest": 10, "planner": 15, "read": 20, "triage": 20, "write": 30, "maintain": 40, "admin": 50}

// SetGuest gives a user GitLab's role Guest on a repository, or Planner: they
// see the project and not its code.
func (s *Server) SetGuest(owner, name, login string, planner bool) {
	repo, err := s.repository(owner, name)
	if err != nil {
		return
	}
	s.SetRole(owner, name, login, "none")
	repo.mu.Lock()
	defer repo.mu.Unlock()
	repo.roles[strings.ToLower(login)] = "guest"
	if planner {
		repo.roles[strings.ToLower(login)] = "planner"
	}
}

// level returns the access level of a caller on a project.
func (c caller) level(repo *repository) int {
	if !c.known || !c.token.reaches(repo) {
		return 0
	}
	return accessLevels[repo.role(c.token.Login, "admin")]
}

// serve answers a request to GitLab: the API, or git.
func (g gitLab) serve(w http.ResponseWriter, r *http.Request, who caller) {
	if strings.HasPrefix(r.URL.Path, apiV4) {
		g.serveREST(w, r, who)
		return
	}
	if path, ok := gitLabPath(r.URL.Path); ok {
		g.serveGit(w, r, who, path)
		return
	}
	say(w, http.StatusNotFound, "The page could not be found or you don't have permission to view it.\n")
}

// gitLabPath splits /group/subgroup/name.git/what.
func gitLabPath(path string) (gitRequest, bool) {
	full, what, ok := strings.Cut(strings.TrimPrefix(path, "/"), ".git/")
	at := strings.LastIndex(full, "/")
	if !ok || at < 1 {
		return gitRequest{}, false
	}
	return gitRequest{full[:at], full[at+1:], what}, true
}

// What GitLab says to git.
const (
	accessDenied = "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped. See https://gitlab.com/help/topics/git/troubleshooting_git.md#error-on-git-fetch-http-basic-access-denied\n"
	unseen       = "The project you were looking for could not be found or you don't have permission to view it.\n"
	noDownload   = "You are not allowed to download code from this project.\n"
	noPush       = "You are not allowed to push code to this project.\n"
)

// serveGit answers git over smart HTTP, and tells of what was pushed.
func (g gitLab) serveGit(w http.ResponseWriter, r *http.Request, who caller, path gitRequest) {
	full := key(path.owner, path.name)
	g.mu.Lock()
	repo, to := g.repositories[full], g.moved[full]
	moved := g.repositories[strings.ToLower(to)]
	g.mu.Unlock()
	if strings.Contains(to, "://") {
		redirectGit(w, r, to+"/"+path.what)
		return
	}
	if repo == nil {
		repo = moved
	}
	push := path.what == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	reads := []string{"api", "read_repository", "write_repository"}
	switch {
	case who.sent && !who.known || !who.known && (push || repo == nil || repo.private):
		w.Header().Set("Www-Authenticate", `Basic realm="GitLab"`)
		say(w, http.StatusUnauthorized, accessDenied)
	case repo == nil || repo.private && who.level(repo) == 0:
		say(w, http.StatusNotFound, unseen)
	case repo.private && (who.level(repo) < 20 || !who.token.scopedAny(reads...)):
		say(w, http.StatusForbidden, noDownload)
	case push && (who.token.deploy() || who.level(repo) < 30 || !who.token.scopedAny("api", "write_repository")):
		say(w, http.StatusForbidden, noPush)
	case repo == moved:
		redirectGit(w, r, address(r)+"/"+repo.fullName()+".git/"+path.what)
	case path.what == "git-receive-pack":
		before := g.refs(repo)
		g.backend(w, r, who, repo, path.what)
		g.received(repo, before, g.refs(repo), who.token.Login)
	default:
		g.backend(w, r, who, repo, path.what)
	}
}

func (t Token) scopedAny(scopes ...string) bool {
	return slices.ContainsFunc(t.Scopes, func(have string) bool { return slices.Contains(scopes, have) })
}

// refs returns the branches and tags of a repository.
func (g gitLab) refs(repo *repository) map[string]string {
	out, err := g.run(nil, "-C", repo.dir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
	if err != nil {
		return nil
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		ref, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[ref] = id
	}
	return refs
}

// userID is a stable number for a login, as GitLab's are.
func userID(login string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(login))) // never fails
	return int(h.Sum32()%10_000_000) + 1
}

// logins returns everybody this GitLab knows of.
func (g gitLab) logins() []string {
	g.mu.Lock()
	known := map[string]bool{}
	for _, t := range g.tokens {
		known[t.Login] = !t.deploy()
	}
	repositories := make([]*repository, 0, len(g.repositories))
	for _, repo := range g.repositories {
		repositories = append(repositories, repo)
	}
	g.mu.Unlock()
	for _, repo := range repositories {
		repo.mu.Lock()
		for login := range repo.roles {
			known[login] = true
		}
		for _, p := range repo.pulls {
			known[p.Author] = true
		}
		repo.mu.Unlock()
	}
	var out []string
	for login, user := range known {
		if user && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, login) }) {
			out = append(out, login)
		}
	}
	slices.Sort(out)
	return out
}
