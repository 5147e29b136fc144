package sourcetest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Hook is a webhook as it stands at the provider.
type Hook struct {
	ID          string
	Target      string // owner/name, or "org:NAME", "enterprise:NAME", "group:NAME"
	URL         string
	Secret      string
	Events      []string // in the provider's words
	Active      bool
	InsecureTLS bool
}

// Sent is one delivery, and how it was answered.
type Sent struct {
	HookID string
	ID     string // the provider's of the delivery
	Event  string // as the provider calls it
	Status int    // 0 if nobody answered
	Body   []byte
	Header http.Header
}

// A flavour is how one provider tells of what happens to its repositories.
type flavour interface {
	// pushed tells that a ref moved; before or after is "" if it is new or gone.
	pushed(repo *repository, ref, before, after, pusher string) error
	// pullRequest tells of opened, updated, reopened, merged or closed.
	pullRequest(repo *repository, p *pullRequest, action, sender string) error
	comment(repo *repository, p *pullRequest, text, sender string) error
	released(repo *repository, tag, title, sender string, prerelease bool) error
	// sign adds what proves that a delivery comes from h.
	sign(h *hook, d *delivery)
	// pullRef is where a pull request's head is in its base repository; "" if nowhere.
	pullRef(number int) string
}

// A hook is a Hook with what is not shown of it.
type hook struct {
	Hook
	of      *contents // of the repository that it is set on, which may be renamed; nil for an organization's and the like
	form    bool      // deliveries are forms, not JSON
	created time.Time
	updated time.Time
	last    int // status of the last answer; 0 if there was none
	more    any // what only its provider knows
}

// A delivery is one that is about to be sent.
type delivery struct {
	id     string
	event  string
	header http.Header
	body   []byte
}

// Hooks returns the hooks set on a target as they stand, oldest first.
func (s *Server) Hooks(target string) []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Hook{}
	for _, h := range s.hooksOn(target) {
		out = append(out, h.Hook)
	}
	return out
}

// hooksOn returns the hooks of a target; mu is held.
func (s *Server) hooksOn(target string) []*hook {
	repo := s.repositories[strings.ToLower(target)]
	var out []*hook
	for _, h := range s.hooks {
		everywhere := strings.HasPrefix(target, "enterprise:") && strings.HasPrefix(h.Target, "enterprise:") // there is only one
		if repo != nil && h.of == repo.contents || h.of == nil && (everywhere || strings.EqualFold(h.Target, target)) {
			out = append(out, h)
		}
	}
	return out
}

// SetHookActive switches a hook on or off, as a user or the provider does.
func (s *Server) SetHookActive(id string, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hookByID(id); h != nil {
		h.Active = active
	}
}

// hookByID returns nil if there is none; mu is held.
func (s *Server) hookByID(id string) *hook {
	for _, h := range s.hooks {
		if h.ID == id {
			return h
		}
	}
	return nil
}

// addHook gives h an id, unless it has one, and keeps it; mu is held.
func (s *Server) addHook(h *hook) {
	s.lastHook++
	if h.ID == "" {
		h.ID = strconv.Itoa(s.lastHook)
	}
	h.created, h.updated = s.now(), s.now()
	s.hooks = append(s.hooks, h)
}

// removeHook removes the hook with an id; mu is held.
func (s *Server) removeHook(id string) {
	s.hooks = slices.DeleteFunc(s.hooks, func(h *hook) bool { return h.ID == id })
}

// Sent returns what was delivered, oldest first.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Redeliver sends the latest delivery with this id again, to the hook as it is
// now, with the secret that it has now.
func (s *Server) Redeliver(id string) error {
	s.mu.Lock()
	var d *delivery
	var to *hook
	for _, sent := range slices.Backward(s.sent) {
		if sent.ID == id {
			d = &delivery{id: sent.ID, event: sent.Event, header: sent.Header.Clone(), body: sent.Body}
			to = s.hookByID(sent.HookID)
			break
		}
	}
	s.mu.Unlock()
	if d == nil || to == nil {
		return fmt.Errorf("there is no delivery %s, or its hook is gone", id)
	}
	return s.deliver(to, d)
}

// deliverTimeout is how long the providers wait for an answer.
const deliverTimeout = 10 * time.Second

// deliver sends d to a hook and remembers how it was answered. That it was
// refused, or that nobody answered, is no error: providers do not care either.
func (s *Server) deliver(h *hook, d *delivery) error {
	s.mu.Lock()
	to := *h
	s.flavour.sign(&to, d)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), deliverTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(d.body))
	if err != nil {
		return fmt.Errorf("deliver to hook %s: %w", to.ID, err)
	}
	req.Header = d.header.Clone()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: to.InsecureTLS}}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	status := 0
	if !here(req.URL) {
		client.Transport = nobody{}
	}
	if resp, err := client.Do(req); err == nil {
		status = resp.StatusCode
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
		_ = resp.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.last = status
	s.sent = append(s.sent, Sent{HookID: to.ID, ID: d.id, Event: d.event, Status: status, Body: d.body, Header: d.header})
	return nil
}

// hooksFor returns the active hooks that hear of a repository: its own, and
// those of the targets named.
func (s *Server) hooksFor(repo *repository, targets ...string) []*hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*hook
	for _, h := range s.hooks {
		above := func(target string) bool { return strings.EqualFold(h.Target, target) }
		if h.Active && (h.of == repo.contents || h.of == nil && (strings.HasPrefix(h.Target, "enterprise:") || slices.ContainsFunc(targets, above))) {
			out = append(out, h)
		}
	}
	return out
}

// here reports whether u is on this machine: nothing else is ever called.
func here(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// nobody is who answers elsewhere.
type nobody struct{}

func (nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("the test provider calls nobody at %s", r.URL.Host)
}
