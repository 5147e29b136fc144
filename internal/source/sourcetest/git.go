package sourcetest

import (
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A gitRequest is what a path of git over HTTP asks for.
type gitRequest struct {
	owner, name string
	what        string // info/refs, git-upload-pack, git-receive-pack or anything else below the repository
}

// gitPath splits /owner/name.git/what. Without .git the path is git's only if
// what is something git asks for.
func gitPath(path string) (gitRequest, bool) {
	part := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(part) < 3 || slices.Contains(reserved, part[0]) {
		return gitRequest{}, false
	}
	name, bare := strings.CutSuffix(part[1], ".git")
	ours := slices.Contains([]string{"info/refs", "git-upload-pack", "git-receive-pack"}, part[2])
	return gitRequest{part[0], name, part[2]}, bare || ours
}

// serveGit answers git over smart HTTP. The order of its checks is GitHub's:
// who asks, what may be known of, and only then what is there.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request, who caller, g gitRequest) {
	full := key(g.owner, g.name)
	s.mu.Lock()
	repo, to := s.repositories[full], s.moved[full]
	moved := s.repositories[strings.ToLower(to)]
	s.mu.Unlock()
	if strings.Contains(to, "://") {
		redirectGit(w, r, to+"/"+g.what)
		return
	}
	if repo == nil {
		repo = moved
	}
	push := g.what == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	switch {
	case who.sent && !who.known:
		challenge(w, "Invalid username or token. Password authentication is not supported for Git operations.\n")
		return
	case !who.known && (push || repo == nil || repo.private):
		challenge(w, "Repository not found.\n")
		return
	case repo == nil || !who.mayRead(repo):
		say(w, http.StatusNotFound, "Repository not found.\n")
		return
	}
	if message := s.forbiddenGit(who, repo.owner); message != "" {
		say(w, http.StatusForbidden, message+"\n")
		return
	}
	if push && !who.mayPush(repo) {
		say(w, http.StatusForbidden, "Permission to "+repo.fullName()+".git denied to "+who.token.Login+".\n")
		return
	}
	if repo == moved {
		redirectGit(w, r, address(r)+"/"+repo.fullName()+".git/"+g.what)
		return
	}
	s.backend(w, r, who, repo, g.what)
}

// forbiddenGit is forbidden in the words of the git server.
func (s *Server) forbiddenGit(who caller, owner string) string {
	message, _ := s.forbidden(who, owner)
	switch {
	case strings.Contains(message, "SAML"):
		return "The '" + owner + "' organization has enabled or enforced SAML SSO.\nTo access this repository, you must re-authorize the token and try again.\n"
	case strings.Contains(message, "(classic). Please use"):
		return "Personal access tokens (classic) are forbidden from accessing this repository."
	}
	return message
}

func redirectGit(w http.ResponseWriter, r *http.Request, location string) {
	if r.URL.RawQuery != "" {
		location += "?" + r.URL.RawQuery
	}
	status := http.StatusMovedPermanently
	if r.Method != http.MethodGet {
		status = http.StatusTemporaryRedirect
	}
	w.Header().Set("Location", location)
	w.WriteHeader(status)
}

func challenge(w http.ResponseWriter, text string) {
	w.Header().Set("Www-Authenticate", `Basic realm="GitHub"`)
	say(w, http.StatusUnauthorized, text)
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// services that git asks for by POST, and info/refs?service= by GET. The dumb
// protocol is off.
var services = []string{"git-upload-pack", "git-receive-pack"}

// backend hands a request that may be served to git http-backend.
func (s *Server) backend(w http.ResponseWriter, r *http.Request, who caller, repo *repository, what string) {
	switch {
	case what == "info/refs" && r.Method == http.MethodGet:
		if !slices.Contains(services, r.URL.Query().Get("service")) {
			say(w, http.StatusForbidden, "Please upgrade your git client.\nGitHub.com no longer supports git over dumb-http: https://github.com/blog/809-git-dumb-http-transport-to-be-turned-off-in-90-days\n")
			return
		}
	case slices.Contains(services, what) && r.Method == http.MethodPost:
	default:
		say(w, http.StatusNotFound, "Not Found\n")
		return
	}
	spooled, err := s.spool(r)
	if err != nil {
		say(w, http.StatusBadRequest, "the request ended early\n")
		return
	}
	defer spooled.Body.Close()
	path := "/" + strconv.Itoa(repo.id) + ".git/" + what
	spooled.URL.Path, spooled.URL.RawPath = path, ""
	spooled.Header.Del("Authorization") // CGI would put the token into git's environment
	backend := cgi.Handler{
		Path: s.git, Args: []string{"http-backend"}, Dir: s.dir,
		Env: append(s.gitEnv(),
			"GIT_PROJECT_ROOT="+s.dir, "GIT_HTTP_EXPORT_ALL=1",
			"GIT_PROTOCOL="+r.Header.Get("Git-Protocol"), "REMOTE_USER="+who.token.Login),
		Stderr: s.stderr,
		Logger: log.New(s.stderr, "", 0),
	}
	backend.ServeHTTP(w, spooled)
}

// spool returns a copy of r whose body has a known length, which CGI needs and
// a large push does not give.
func (s *Server) spool(r *http.Request) (*http.Request, error) {
	out := r.Clone(r.Context())
	if r.ContentLength >= 0 {
		return out, nil
	}
	f, err := os.CreateTemp(s.dir, "body-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	size, err := io.Copy(f, r.Body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	out.Body, out.ContentLength, out.TransferEncoding = f, size, nil
	return out, nil
}
