// Package sourcetest is a small source provider that really works: GitHub's
// REST API, as github.com and as GitHub Enterprise Server shape it, with git
// over smart HTTP beside it. Every request's token is checked for scope and
// expiry as GitHub does, and refused in GitHub's words.
//
// The base of the REST API is the server's address with /api/v3 (GitHub
// Enterprise Server) or without (github.com); repositories are cloned from
// <address>/<owner>/<name>.git. It serves tests and demonstrations: it keeps
// repositories in a folder of its own and everything else in memory.
package sourcetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"slipway/internal/api"
)

// Options tunes a Server. The zero value works.
type Options struct {
	Server  api.ServerType   // which provider it is; empty means GitHub, in both its forms
	Dir     string           // where the server makes its folder; empty means the system's temporary directory
	Version string           // of GitHub Enterprise Server under /api/v3; empty means 3.19.0
	Now     func() time.Time // decides whether tokens have expired; nil means time.Now
	Stderr  io.Writer        // what git says while it serves; nil drops it

	PageSize    int  // the most entries of one page of a list; 0 means as many as the provider gives
	RefuseLocal bool // hooks to this machine are refused, as providers do; without it they alone are delivered

	SigningTokens bool // GitLab's feature flag webhook_signing_token is on; if not, a hook's signing_token is ignored without a word
}

// A Server is one provider: an http.Handler whose methods may be called from
// several goroutines, also while it serves.
type Server struct {
	kind    api.ServerType // "" is GitHub in both its forms
	local   bool           // hooks may lead to this machine
	paging  int            // the most entries of one page; 0 means as many as the provider gives
	dir     string
	git     string // path of git
	version string
	now     func() time.Time
	stderr  io.Writer
	rest    http.Handler
	answer  func(w http.ResponseWriter, r *http.Request, who caller)
	who     func(r *http.Request) caller
	flavour flavour
	nested  bool // owners may be groups within groups

	mu           sync.Mutex // guards all below
	tokens       map[string]Token
	policies     map[string]Policy
	repositories map[string]*repository // by lower-case owner/name
	moved        map[string]string      // lower-case owner/name → its new owner/name, or a URL
	lastID       int
	requests     []Request
	failures     []*failure
	hooks        []*hook
	lastHook     int
	sent         []Sent
	onRequested  func(*http.Request)
	listening    *http.Server
	url          string
}

// New returns a Server at rest: it has a folder and listens nowhere until
// Start, or until the caller serves it as an http.Handler. It needs git.
func New(o Options) (*Server, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("the test provider needs git: %w", err)
	}
	dir, err := os.MkdirTemp(o.Dir, "provider-")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil { // git runs elsewhere
		return nil, err
	}
	s := &Server{
		kind: o.Server, local: !o.RefuseLocal, paging: o.PageSize,
		dir: dir, git: git,
		version: cmp.Or(o.Version, "3.19.0"),
		now:     o.Now, stderr: o.Stderr,
		tokens:       map[string]Token{},
		policies:     map[string]Policy{},
		repositories: map[string]*repository{},
		moved:        map[string]string{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.stderr == nil {
		s.stderr = io.Discard
	}
	switch o.Server {
	case "", api.ServerTypeGithub, api.ServerTypeGithubEnterprise:
		s.rest, s.who, s.answer, s.flavour = s.routes(), s.identify, s.answerGitHub, gitHub{s}
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		g := gitLab{s, o.SigningTokens}
		s.rest, s.who, s.answer, s.flavour, s.nested = g.routes(), g.identify, g.serve, g, true
	case api.ServerTypeBitbucket:
		b := s.newBitbucket()
		s.flavour, s.who, s.answer = b, b.identify, b.answerAll
	case "CODECOMMIT":
		c := codeCommit{s}
		s.flavour, s.who, s.answer = gitHub{s}, c.identify, c.serve // it has no hooks of its own
	default:
		return nil, errors.Join(fmt.Errorf("there is no test provider of type %s", o.Server), os.RemoveAll(dir))
	}
	return s, nil
}

// Start listens on addr, such as 127.0.0.1:0, serves there until Close, and
// returns the address as http://host:port.
func (s *Server) Start(addr string) (string, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening != nil {
		return "", errors.Join(errors.New("the test provider is started already"), l.Close())
	}
	s.listening, s.url = srv, "http://"+l.Addr().String()
	go func() { _ = srv.Serve(l) }() // ends with Close
	return s.url, nil
}

// URL returns what Start returned, or "" before it.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close ends every connection and removes the server's folder.
func (s *Server) Close() error {
	s.mu.Lock()
	srv := s.listening
	s.mu.Unlock()
	var err error
	if srv != nil {
		err = srv.Close()
	}
	return errors.Join(err, removeAll(s.dir))
}

// removeAll removes dir even while a git whose client just went away still
// finishes its last write there.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	for range 3 {
		if err == nil {
			break
		}
		err = os.RemoveAll(dir)
	}
	return err
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := s.who(r)
	seen := &statusWriter{ResponseWriter: w}
	defer s.record(r, who, seen)
	if hook := s.onRequest(); hook != nil {
		hook(r)
	}
	if s.fail(seen, r) {
		return
	}
	s.answer(seen, r, who)
}

func (s *Server) answerGitHub(w http.ResponseWriter, r *http.Request, who caller) {
	if g, ok := gitPath(r.URL.Path); ok {
		s.serveGit(w, r, who, g)
		return
	}
	s.serveREST(w, r, who)
}

// address returns how the client reached us, for the URLs in answers.
func address(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// key is how names are looked up: GitHub's are case-insensitive.
func key(owner, name string) string { return strings.ToLower(owner + "/" + name) }
