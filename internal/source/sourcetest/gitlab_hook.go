package sourcetest

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hookFlags are what a hook of GitLab can be set to hear.
var hookFlags = []string{
	"push_events", "tag_push_events", "merge_requests_events", "note_events", "confidential_note_events", "releases_events", "job_events",
	"issues_events", "confidential_issues_events", "pipeline_events", "wiki_page_events", "deployment_events", "feature_flag_events", "emoji_events",
	"resource_access_token_events", "vulnerability_events", "repository_update_events",
}

// A labHook is what only GitLab knows of a hook. Server's mu guards it.
type labHook struct {
	token    string
	signing  string
	name     string
	uuid     string
	failures int       // in a row
	until    time.Time // it is not called before; zero if it is not held back
}

// When a hook that fails is held back.
const (
	failuresToBackOff = 4
	failuresToDisable = 40
	firstBackOff      = time.Minute
	longestBackOff    = 24 * time.Hour
)

func (h *hook) lab() *labHook {
	more, _ := h.more.(*labHook)
	if more == nil {
		more = &labHook{}
		h.more = more
	}
	return more
}

// judge counts how a delivery was answered, as GitLab does; mu is held.
func (g gitLab) judge(h *hook) {
	more := h.lab()
	if h.last >= 200 && h.last < 400 { // a redirect counts as success
		more.failures, more.until, h.Active = 0, time.Time{}, true
		return
	}
	more.failures++
	switch {
	case more.failures >= failuresToDisable:
		h.Active, more.until = false, time.Time{}
	case more.failures >= failuresToBackOff:
		h.Active = false
		more.until = g.now().Add(min(firstBackOff<<min(more.failures-failuresToBackOff, 12), longestBackOff))
	}
}

// release lets hooks whose time has come be called again.
func (g gitLab) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.hooks {
		if more := h.lab(); !more.until.IsZero() && !g.now().Before(more.until) {
			h.Active, more.until = true, time.Time{}
		}
	}
}

// target returns what the hooks of a request are set on, if the caller may look
// after them: Maintainers of projects, Owners of groups. Otherwise it has
// answered.
func (c labCall) target() (name string, of *contents, ok bool) {
	if strings.HasPrefix(c.r.URL.Path, apiV4+"projects/") {
		if !c.known {
			c.unauthorized()
			return "", nil, false
		}
		repo := c.find(40)
		if repo == nil {
			return "", nil, false
		}
		return repo.fullName(), repo.contents, true
	}
	group := c.r.PathValue("id")
	c.mu.Lock()
	var inside []*repository
	for _, repo := range c.repositories {
		if strings.EqualFold(repo.owner, group) || strings.HasPrefix(strings.ToLower(repo.owner), strings.ToLower(group)+"/") {
			inside = append(inside, repo)
		}
	}
	c.mu.Unlock()
	level := 0
	for _, repo := range inside {
		level = max(level, c.level(repo))
	}
	switch {
	case level == 0:
		c.message(http.StatusNotFound, "404 Group Not Found")
		return "", nil, false
	case level < 50:
		c.message(http.StatusForbidden, "403 Forbidden")
		return "", nil, false
	}
	return "group:" + group, nil, true
}

func (c labCall) shapeHook(h *hook) map[string]any {
	more := h.lab()
	status, until := "executable", any(nil)
	switch {
	case !more.until.IsZero():
		status, until = "temporarily_disabled", more.until.UTC().Format("2006-01-02T15:04:05.000Z")
	case !h.Active:
		status = "disabled"
	}
	id, _ := strconv.Atoi(h.ID)
	out := map[string]any{
		"id": id, "url": h.URL, "name": more.name, "description": "", "created_at": h.created.UTC().Format(time.RFC3339),
		"push_events_branch_filter": "", "branch_filter_strategy": "wildcard", "enable_ssl_verification": !h.InsecureTLS,
		"alert_status": status, "disabled_until": until, "url_variables": []any{}, "custom_headers": []any{},
		"token_present": more.token != "", "signing_token_present": more.signing != "",
	}
	for _, flag := range hookFlags {
		out[flag] = slices.Contains(h.Events, flag)
	}
	return out
}

func (c labCall) listHooks() {
	name, _, ok := c.target()
	if !ok {
		return
	}
	c.lab.release()
	list := []any{}
	c.mu.Lock()
	for _, h := range c.hooksOn(name) {
		list = append(list, c.shapeHook(h))
	}
	c.mu.Unlock()
	c.page(list)
}

// hook finds the hook that a request names on its target.
func (c labCall) hook() *hook {
	name, _, ok := c.target()
	if !ok {
		return nil
	}
	c.lab.release()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hooksOn(name) {
		if h.ID == c.r.PathValue("hook") {
			return h
		}
	}
	c.message(http.StatusNotFound, "404 Not found")
	return nil
}

func (c labCall) describeHook() {
	if h := c.hook(); h != nil {
		c.answerHook(http.StatusOK, h)
	}
}

func (c labCall) answerHook(status int, h *hook) {
	c.mu.Lock()
	shape := c.shapeHook(h)
	c.mu.Unlock()
	c.answer(status, shape)
}

func (c labCall) createHook() {
	name, of, ok := c.target()
	if !ok {
		return
	}
	h := &hook{Hook: Hook{Target: name, Active: true, Events: []string{"push_events"}}, of: of, more: &labHook{uuid: labUUID()}}
	if c.set(h) {
		c.mu.Lock()
		c.addHook(h)
		c.mu.Unlock()
		c.answerHook(http.StatusCreated, h)
	}
}

func (c labCall) editHook() {
	if h := c.hook(); h != nil && c.set(h) {
		c.answerHook(http.StatusOK, h)
	}
}

// set makes a hook what the request's body says. Another URL drops the token,
// and every edit lets a hook that was held back be called again.
func (c labCall) set(h *hook) bool {
	var in map[string]any
	if !c.in(&in) {
		return false
	}
	address, _ := in["url"].(string)
	u, err := url.Parse(address)
	switch {
	case address == "":
		c.answer(http.StatusBadRequest, map[string]string{"error": "url is missing"})
		return false
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !c.local && inside(u.Hostname()):
		c.answer(http.StatusUnprocessableEntity, map[string]string{"error": "Invalid url given"})
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	more := h.lab()
	if h.URL != address {
		more.token = ""
	}
	h.URL = address
	if token, ok := in["token"].(string); ok {
		more.token = token
	}
	if signing, ok := in["signing_token"].(string); ok && c.lab.signing {
		more.signing = signing
	}
	if name, ok := in["name"].(string); ok {
		more.name = name
	}
	if verify, ok := in["enable_ssl_verification"].(bool); ok {
		h.InsecureTLS = !verify
	}
	for _, flag := range hookFlags {
		on, said := in[flag].(bool)
		if said {
			h.Events = slices.DeleteFunc(h.Events, func(e string) bool { return e == flag })
		}
		if on {
			h.Events = append(h.Events, flag)
		}
	}
	slices.Sort(h.Events)
	h.Secret = more.token
	more.failures, more.until, h.Active = 0, time.Time{}, true
	h.updated = c.now()
	return true
}

// inside reports whether a host is this machine or in a private network.
func inside(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}

func (c labCall) deleteHook() {
	h := c.hook()
	if h == nil {
		return
	}
	c.mu.Lock()
	c.removeHook(h.ID)
	c.mu.Unlock()
	c.w.WriteHeader(http.StatusNoContent)
}

// hookEvents answers the deliveries of a hook, newest first.
func (c labCall) hookEvents() {
	h := c.hook()
	if h == nil {
		return
	}
	list := []any{}
	for i, sent := range slices.Backward(c.Sent()) {
		if sent.HookID != h.ID {
			continue
		}
		status := strconv.Itoa(sent.Status)
		if sent.Status == 0 {
			status = "internal error"
		}
		list = append(list, map[string]any{"id": i + 1, "url": h.URL, "trigger": sent.Event, "response_status": status})
	}
	c.page(list)
}

// testHook delivers what the trigger is, made up from the newest commit. One
// that goes well lets a hook that was held back be called again.
func (c labCall) testHook() {
	h := c.hook()
	if h == nil {
		return
	}
	if c.r.PathValue("trigger") != "push_events" || h.of == nil {
		c.answer(http.StatusBadRequest, map[string]string{"error": "trigger does not have a valid value"})
		return
	}
	repo := c.find(40)
	if repo == nil {
		return
	}
	branch := c.head(repo)
	sha, ok := c.resolve(repo, "refs/heads/"+branch)
	if !ok {
		c.message(http.StatusUnprocessableEntity, "Ensure the project has at least one commit.")
		return
	}
	before, _ := c.resolve(repo, sha+"^")
	payload := c.lab.pushPayload(repo, "refs/heads/"+branch, before, sha, c.token.Login)
	if err := c.lab.send(h, "Push Hook", payload); err != nil {
		c.message(http.StatusUnprocessableEntity, err.Error())
		return
	}
	c.mu.Lock()
	status := h.last
	c.mu.Unlock()
	if status < 200 || status > 399 {
		c.message(http.StatusUnprocessableEntity, fmt.Sprintf("Hook executed successfully but returned HTTP %d", status))
		return
	}
	c.message(http.StatusCreated, "201 Created")
}
