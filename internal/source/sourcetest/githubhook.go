package sourcetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxHooks is how many hooks of one place may hear of one event.
const maxHooks = 20

// A target is what hooks are set on, for a caller who may set them.
type target struct {
	name string
	of   *contents // nil unless it is a repository
	kind string    // in hooks and pings
	url  string    // of its hooks in the API
	repo *repository
}

func (c *call) repositoryTarget(do string) *target {
	level := "write"
	if do == "read" {
		level = "read"
	}
	c.want(strings.Join(hookScopes[do], ", "), "repository_hooks="+level)
	repo := c.find(func(r *repository) bool { return c.mayHook(r, do) })
	if repo == nil {
		return nil
	}
	return &target{repo.fullName(), repo.contents, "Repository", c.base + "/repos/" + repo.fullName() + "/hooks", repo}
}

func (c *call) organizationTarget(string) *target {
	c.want("admin:org_hook", "organization_hooks=write")
	name := c.r.PathValue("org")
	if message, header := c.forbidden(c.caller, name); message != "" {
		for key, values := range header {
			c.w.Header()[key] = values
		}
		c.refuse(http.StatusForbidden, message, "/rest")
		return nil
	}
	switch {
	case c.known && c.token.fine() && !c.token.permits("organization_hooks", "write"):
		c.inaccessible()
		return nil
	case !c.known || !c.token.fine() && !slices.Contains(c.token.Scopes, "admin:org_hook") || !c.organization(name):
		c.notFound()
		return nil
	}
	return &target{"org:" + name, nil, "Organization", c.base + "/orgs/" + name + "/hooks", nil}
}

// globalTarget is the whole of a GitHub Enterprise Server, for who runs it.
func (c *call) globalTarget(string) *target {
	c.want("site_admin", "")
	if !c.known || c.kind != "" && c.w.Header().Get("X-Github-Enterprise-Version") == "" || !slices.Contains(c.token.Scopes, "site_admin") {
		c.notFound()
		return nil
	}
	return &target{"enterprise:", nil, "Global", c.base + "/admin/hooks", nil}
}

// hookInput is the body of calls that make or change a hook.
type hookInput struct {
	Name   *string     `json:"name"`
	Config *hookConfig `json:"config"`
	Events []string    `json:"events"`
	Add    []string    `json:"add_events"`
	Remove []string    `json:"remove_events"`
	Active *bool       `json:"active"`
}

type hookConfig struct {
	URL         string          `json:"url"`
	ContentType string          `json:"content_type"`
	Secret      string          `json:"secret"`
	InsecureSSL json.RawMessage `json:"insecure_ssl"` // a string or a number
}

func (h hookConfig) insecure() bool { return strings.Trim(string(h.InsecureSSL), `"`) == "1" }

// input reads the body into v, or has answered.
func (c *call) input(v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil || json.Unmarshal(body, v) != nil {
		c.refuse(http.StatusBadRequest, "Problems parsing JSON", "/rest")
		return false
	}
	return true
}

const hookPage = "/rest/repos/webhooks#create-a-repository-webhook"

func (c *call) badHook(field, code, message string) {
	c.refuse(http.StatusUnprocessableEntity, "Validation Failed", hookPage, problem{Resource: "Hook", Code: code, Field: field, Message: message})
}

func (c *call) createHook(on func(string) *target) {
	t := on("write")
	var in hookInput
	if t == nil || !c.input(&in) {
		return
	}
	if in.Name != nil && *in.Name != "web" {
		c.badHook("name", "invalid", "")
		return
	}
	if in.Config == nil {
		in.Config = &hookConfig{}
	}
	h := &hook{Hook: Hook{Target: t.name, Active: in.Active == nil || *in.Active, Events: in.Events}, of: t.of}
	if h.Events == nil {
		h.Events = []string{"push"}
	}
	in.Config.apply(h)
	if !c.acceptable(t, h) {
		return
	}
	c.mu.Lock()
	c.addHook(h)
	c.mu.Unlock()
	gitHub{c.Server}.ping(h, t)
	c.answer(http.StatusCreated, c.hook(t, h))
}

// apply makes the config of a hook what it says; what it does not say is gone.
func (in hookConfig) apply(h *hook) {
	h.URL, h.Secret, h.InsecureTLS, h.form = in.URL, in.Secret, in.insecure(), in.ContentType != "json"
}

// acceptable reports whether GitHub would take h as it is, or has answered.
func (c *call) acceptable(t *target, h *hook) bool {
	u, err := url.Parse(h.URL)
	switch {
	case h.URL == "":
		c.badHook("", "custom", "Config must contain URL for webhooks")
		return false
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.badHook("url", "custom", "url must be a valid URL")
		return false
	case !c.local && here(u):
		c.badHook("", "custom", "url is not supported because it isn't reachable over the public Internet ("+u.Hostname()+")")
		return false
	}
	c.mu.Lock()
	others := c.hooksOn(t.name)
	c.mu.Unlock()
	count := map[string]int{}
	for _, other := range others {
		if other == h || h.ID != "" && other.ID == h.ID {
			continue
		}
		for _, event := range other.Events {
			count[event]++
			if other.URL == h.URL && other.form == h.form && slices.Contains(h.Events, event) {
				c.badHook("", "custom", "Hook already exists on this "+strings.ToLower(t.kind))
				return false
			}
		}
	}
	for _, event := range h.Events {
		if count[event] >= maxHooks {
			c.badHook("", "custom", fmt.Sprintf("The %q event cannot have more than %d hooks", event, maxHooks))
			return false
		}
	}
	return true
}

func (c *call) listHooks(on func(string) *target) {
	t := on("read")
	if t == nil {
		return
	}
	c.mu.Lock()
	hooks := c.hooksOn(t.name)
	c.mu.Unlock()
	from, to := c.page(len(hooks), 100)
	list := []any{}
	for _, h := range hooks[from:to] {
		list = append(list, c.hook(t, h))
	}
	c.answer(http.StatusOK, list)
}

// found returns the hook that is asked for, or has answered.
func (c *call) found(on func(string) *target, do string) (*target, *hook) {
	t := on(do)
	if t == nil {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hookByID(c.r.PathValue("hook"))
	if h == nil || !slices.Contains(c.hooksOn(t.name), h) {
		c.notFound()
		return nil, nil
	}
	return t, h
}

func (c *call) getHook(on func(string) *target) {
	if t, h := c.found(on, "read"); h != nil {
		c.answer(http.StatusOK, c.hook(t, h))
	}
}

// updateHook replaces the config whole: a secret that is left out is gone.
func (c *call) updateHook(on func(string) *target) {
	t, h := c.found(on, "write")
	var in hookInput
	if h == nil || !c.input(&in) {
		return
	}
	c.mu.Lock()
	changed := *h
	c.mu.Unlock()
	if in.Config != nil {
		in.Config.apply(&changed)
	}
	if in.Events != nil {
		changed.Events = in.Events
	}
	changed.Events = slices.DeleteFunc(append(slices.Clone(changed.Events), in.Add...), func(e string) bool { return slices.Contains(in.Remove, e) })
	if in.Active != nil {
		changed.Active = *in.Active
	}
	c.replace(t, h, changed)
}

// configureHook changes what it names of the config, and nothing else.
func (c *call) configureHook(on func(string) *target) {
	t, h := c.found(on, "write")
	var in hookConfig
	if h == nil || !c.input(&in) {
		return
	}
	c.mu.Lock()
	changed := *h
	c.mu.Unlock()
	changed.URL, changed.Secret = cmp.Or(in.URL, changed.URL), cmp.Or(in.Secret, changed.Secret)
	if in.ContentType != "" {
		changed.form = in.ContentType != "json"
	}
	if in.InsecureSSL != nil {
		changed.InsecureTLS = in.insecure()
	}
	if c.acceptable(t, &changed) {
		c.mu.Lock()
		*h = changed
		c.mu.Unlock()
		c.answer(http.StatusOK, c.config(h))
	}
}

func (c *call) getHookConfig(on func(string) *target) {
	if _, h := c.found(on, "read"); h != nil {
		c.answer(http.StatusOK, c.config(h))
	}
}

func (c *call) replace(t *target, h *hook, changed hook) {
	if !c.acceptable(t, &changed) {
		return
	}
	c.mu.Lock()
	changed.updated = c.now()
	*h = changed
	c.mu.Unlock()
	out := c.hook(t, h)
	if t.kind == "Global" { // here the server does not tell that there is a secret
		delete(out["config"].(map[string]any), "secret")
	}
	c.answer(http.StatusOK, out)
}

func (c *call) deleteHook(on func(string) *target) {
	if _, h := c.found(on, "delete"); h != nil {
		c.mu.Lock()
		c.removeHook(h.ID)
		c.mu.Unlock()
		c.w.Header().Del("Content-Type")
		c.w.WriteHeader(http.StatusNoContent)
	}
}

func (c *call) pingHook(on func(string) *target) {
	if t, h := c.found(on, "read"); h != nil {
		gitHub{c.Server}.ping(h, t)
		c.w.Header().Del("Content-Type")
		c.w.WriteHeader(http.StatusNoContent)
	}
}

func (c *call) listDeliveries(on func(string) *target) {
	_, h := c.found(on, "read")
	if h == nil {
		return
	}
	list := []any{}
	all := c.Sent()
	for i, sent := range slices.Backward(all) {
		if sent.HookID != h.ID {
			continue
		}
		var said struct{ Action *string }
		_ = json.Unmarshal(sent.Body, &said) // a form says nothing
		list = append(list, map[string]any{
			"id": i + 1, "guid": sent.ID, "delivered_at": when(epoch), "redelivery": slices.ContainsFunc(all[:i], func(o Sent) bool { return o.ID == sent.ID }),
			"duration": 0.1, "status": cmp.Or(http.StatusText(sent.Status), "failed to connect to host"), "status_code": sent.Status,
			"event": sent.Event, "action": said.Action, "installation_id": nil, "repository_id": nil, "throttled_at": nil,
		})
	}
	c.answer(http.StatusOK, list)
}

func (c *call) redeliverHook(on func(string) *target) {
	_, h := c.found(on, "write")
	if h == nil {
		return
	}
	n, err := strconv.Atoi(c.r.PathValue("delivery"))
	all := c.Sent()
	if err != nil || n < 1 || n > len(all) || all[n-1].HookID != h.ID {
		c.notFound()
		return
	}
	if err := c.Redeliver(all[n-1].ID); err != nil {
		c.notFound()
		return
	}
	c.answer(http.StatusAccepted, map[string]any{})
}

// config is what is told of a hook's config: that there is a secret, not which.
func (s *Server) config(h *hook) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{"url": h.URL, "content_type": "json", "insecure_ssl": "0"}
	if h.form {
		out["content_type"] = "form"
	}
	if h.InsecureTLS {
		out["insecure_ssl"] = "1"
	}
	if h.Secret != "" {
		out["secret"] = "********"
	}
	return out
}

func (a shapes) hook(t *target, h *hook) map[string]any {
	config := a.config(h)
	a.mu.Lock()
	defer a.mu.Unlock()
	id, _ := strconv.Atoi(h.ID)
	url := t.url + "/" + h.ID
	out := map[string]any{
		"type": t.kind, "id": id, "name": "web", "active": h.Active, "events": slices.Clone(h.Events), "config": config,
		"created_at": h.created.UTC().Format(time.RFC3339), "updated_at": h.updated.UTC().Format(time.RFC3339), "url": url, "ping_url": url + "/pings",
	}
	if t.kind != "Global" {
		out["deliveries_url"] = url + "/deliveries"
	}
	if t.kind == "Repository" {
		out["test_url"] = url + "/test"
		last := map[string]any{"code": nil, "status": "unused", "message": nil}
		if h.last != 0 {
			last = map[string]any{"code": h.last, "status": "active", "message": http.StatusText(h.last)}
			if h.last >= 300 {
				last["status"], last["message"] = "invalid_http_response", "Invalid HTTP Response: "+strconv.Itoa(h.last)
			}
		}
		out["last_response"] = last
	}
	return out
}
