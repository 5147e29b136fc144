package sourcetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Request is one request as the server saw it. It never holds a token.
type Request struct {
	Method        string
	Path          string
	Query         string
	UserAgent     string
	Authorization bool   // whether the request carried an Authorization header at all
	Login         string // the owner of its token; empty if there was none or it was refused
	Status        int    // of the answer
}

// maxRequests is how many requests are remembered: the latest ones.
const maxRequests = 10_000

// Requests returns the requests that have been answered, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) record(r *http.Request, c caller, w *statusWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/10)
	}
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, UserAgent: r.UserAgent(),
		Authorization: c.sent, Login: c.token.Login, Status: w.status,
	})
}

// OnRequest calls hook with every request before anything is answered; hook
// may block, which makes the provider slow. nil ends that.
func (s *Server) OnRequest(hook func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRequested = hook
}

func (s *Server) onRequest() func(*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onRequested
}

// A Failure is an answer given instead of the proper one.
type Failure struct {
	Status int
	Header http.Header // such as Retry-After; Content-Type is guessed from Body if it is not here
	Body   string
}

type failure struct {
	Failure
	pattern string
	times   int
}

// FailNext answers the next times requests whose path matches pattern with
// status and body, before any look at the token. In pattern, * stands for any
// text, slashes too; "POST /x" matches that method only.
func (s *Server) FailNext(pattern string, status int, body string, times int) {
	s.Fail(pattern, Failure{Status: status, Body: body}, times)
}

// Fail is FailNext with headers.
func (s *Server) Fail(pattern string, f Failure, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, &failure{Failure: f, pattern: pattern, times: times})
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request) bool {
	f, ok := s.failureFor(r)
	if !ok {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if strings.HasPrefix(f.Body, "{") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	return true
}

// failureFor uses up one of a failure's times.
func (s *Server) failureFor(r *http.Request) (Failure, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.failures {
		method, path, ok := strings.Cut(f.pattern, " ")
		if !ok {
			method, path = r.Method, f.pattern
		}
		if f.times < 1 || method != r.Method || !match(path, r.URL.Path) {
			continue
		}
		if f.times--; f.times == 0 {
			s.failures = slices.Delete(s.failures, i, i+1)
		}
		return f.Failure, true
	}
	return Failure{}, false
}

// match reports whether path is pattern, in which * stands for any text.
func match(pattern, path string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == path
	}
	first, last := parts[0], parts[len(parts)-1]
	rest, ok := strings.CutPrefix(path, first)
	if !ok {
		return false
	}
	if rest, ok = strings.CutSuffix(rest, last); !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return true
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func days(d time.Duration) string { return strconv.Itoa(int(d / (24 * time.Hour))) }
