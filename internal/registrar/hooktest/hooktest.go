// Package hooktest is a small provider of webhooks, refs and pull requests for
// tests: a server that keeps them, checks tokens and fails when it is told to,
// and the source.Provider that speaks to it. It says what all providers have in
// common and nothing of any of them.
package hooktest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"slipway/internal/webhook/event"
)

// A Hook is a webhook as it stands. Its Target is owner/name, or SCOPE:name.
type Hook struct {
	ID       string
	Target   string
	URL      string // that is delivered to
	Secret   string
	Events   []event.Type
	Comments bool
	Active   bool
}

// A Pull is a pull request.
type Pull struct {
	Number int64
	Commit string
	Open   bool
	Merge  string // the commit it became, if it was merged
}

// Access is what a token may do. The zero Access sees everything and may change nothing.
type Access struct {
	Hooks bool // it may manage hooks
	Blind bool // it sees no repository
}

// A Failure is what the server answers instead of, or after, doing as it is asked.
type Failure struct {
	Method string // of the requests it is for
	Status int
	After  int  // seconds until the limit ends, if it is one
	Lost   bool // what was asked for is done, and only the answer is lost
	Times  int  // 0 means once
}

// A Server's methods may be called from several goroutines.
type Server struct {
	URL string

	mu       sync.Mutex // guards what follows
	last     int
	hooks    []Hook
	tokens   map[string]Access
	refs     map[string]map[string]string
	pulls    map[string]map[int64]Pull
	failures []Failure
	calls    []string
	onCall   func(call string)
}

// Start returns a Server that serves until the test ends.
func Start(t testing.TB) *Server {
	s := &Server{tokens: map[string]Access{}, refs: map[string]map[string]string{}, pulls: map[string]map[int64]Pull{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// AddToken lets a token in, or changes what it may.
func (s *Server) AddToken(token string, a Access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = a
}

// Hooks returns the hooks of a target.
func (s *Server) Hooks(target string) []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Hook
	for _, h := range s.hooks {
		if strings.EqualFold(h.Target, target) {
			out = append(out, h)
		}
	}
	return out
}

// Add makes a hook as a person does.
func (s *Server) Add(h Hook) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	h.ID = strconv.Itoa(s.last)
	s.hooks = append(s.hooks, h)
	return h.ID
}

// Remove removes a hook as a person does.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = slices.DeleteFunc(s.hooks, func(h Hook) bool { return h.ID == id })
}

// SetActive disables or enables a hook.
func (s *Server) SetActive(id string, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.hooks {
		if s.hooks[i].ID == id {
			s.hooks[i].Active = active
		}
	}
}

// SetRef moves a ref; "" deletes it.
func (s *Server) SetRef(repository, ref, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs[repository] == nil {
		s.refs[repository] = map[string]string{}
	}
	if s.refs[repository][ref] = commit; commit == "" {
		delete(s.refs[repository], ref)
	}
}

// SetPull opens, changes or closes a pull request.
func (s *Server) SetPull(repository string, p Pull) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulls[repository] == nil {
		s.pulls[repository] = map[int64]Pull{}
	}
	s.pulls[repository][p.Number] = p
}

// Fail has the next requests that it is for fail. Earlier failures come first.
func (s *Server) Fail(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range max(1, f.Times) {
		s.failures = append(s.failures, f)
	}
}

// Calls returns what was asked since the last time, as METHOD target/what.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

// OnCall has f called for every request before it is carried out.
func (s *Server) OnCall(f func(call string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onCall = f
}

// ServeHTTP answers …/targets/TARGET/WHAT[/ID].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, rest, ok := strings.Cut(r.URL.EscapedPath(), "/targets/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 2 {
		http.NotFound(w, r)
		return
	}
	target, err := url.PathUnescape(parts[0])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	call := r.Method + " " + target + "/" + parts[1]
	s.mu.Lock()
	s.calls = append(s.calls, call)
	onCall := s.onCall
	s.mu.Unlock()
	if onCall != nil {
		onCall(call)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.failures, func(f Failure) bool { return f.Method == r.Method })
	var f Failure
	if at >= 0 {
		f = s.failures[at]
		s.failures = slices.Delete(s.failures, at, at+1)
	}
	status, body := 0, any(nil)
	if at < 0 || f.Lost {
		status, body = s.answer(r, target, parts[1], strings.Join(parts[2:], "/"))
	}
	if at >= 0 {
		status, body = f.Status, map[string]string{"message": "failed as it was told to"}
		if f.After > 0 {
			w.Header().Set("X-Limited", strconv.Itoa(f.After))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// answer carries out a request.
func (s *Server) answer(r *http.Request, target, what, id string) (int, any) {
	access, known := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	switch {
	case !known:
		return 401, map[string]string{"message": "Bad credentials"}
	case access.Blind && what != "user", what == "hooks" && !access.Hooks:
		return 404, map[string]string{"message": "Not Found"}
	}
	switch what {
	case "refs":
		return 200, maps.Clone(s.refs[target])
	case "pulls":
		if id != "" {
			number, _ := strconv.ParseInt(id, 10, 64)
			p, ok := s.pulls[target][number]
			if !ok {
				return 404, map[string]string{"message": "Not Found"}
			}
			return 200, []Pull{p}
		}
		open := []Pull{}
		for _, p := range s.pulls[target] {
			if p.Open {
				open = append(open, p)
			}
		}
		return 200, open
	case "user":
		return 200, access
	}
	return s.answerHooks(r, target, id)
}

func (s *Server) answerHooks(r *http.Request, target, id string) (int, any) {
	var sent Hook
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if json.NewDecoder(r.Body).Decode(&sent) != nil {
			return 400, nil
		}
	}
	at := slices.IndexFunc(s.hooks, func(h Hook) bool { return h.ID == id && strings.EqualFold(h.Target, target) })
	switch {
	case r.Method == http.MethodGet:
		all := []Hook{}
		for _, h := range s.hooks {
			if strings.EqualFold(h.Target, target) {
				h.Secret = "********"
				all = append(all, h)
			}
		}
		return 200, all
	case r.Method == http.MethodPost:
		if slices.ContainsFunc(s.hooks, func(h Hook) bool { return h.URL == sent.URL && strings.EqualFold(h.Target, target) }) {
			return 422, map[string]string{"message": "Hook already exists on this repository"}
		}
		s.last++
		sent.ID, sent.Target, sent.Active = strconv.Itoa(s.last), target, true
		s.hooks = append(s.hooks, sent)
		return 201, sent
	case at < 0:
		return 404, map[string]string{"message": "Not Found"}
	case r.Method == http.MethodDelete:
		s.hooks = slices.Delete(s.hooks, at, at+1)
		return 200, nil
	}
	sent.ID, sent.Target, sent.Active = id, target, true
	s.hooks[at] = sent
	return 200, sent
}
