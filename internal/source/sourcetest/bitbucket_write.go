package sourcetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxStatusKey is how long the key of a build status may be.
const maxStatusKey = 40

// bitbucketStates are those of a build status.
var bitbucketStates = []string{"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"}

// statusBody is a build status as it is sent.
type statusBody struct {
	Key         string `json:"key"`
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Ref         string `json:"refname"`
}

func (c *bitbucketCall) body(into any) bool {
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil || c.r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(text, into) != nil {
		c.refuse(http.StatusBadRequest, "Bad request")
		return false
	}
	return true
}

func (c *bitbucketCall) createStatus() { c.setStatus("") }

func (c *bitbucketCall) updateStatus() { c.setStatus(c.r.PathValue("key")) }

func (c *bitbucketCall) setStatus(known string) {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, c.r.PathValue("rev"))
	if !ok {
		c.noCommit(c.r.PathValue("rev"))
		return
	}
	var in statusBody
	if !c.body(&in) {
		return
	}
	if known != "" {
		in.Key = known
	}
	u, err := url.Parse(in.URL)
	switch {
	case !c.known:
		c.refuse(http.StatusUnauthorized, "Access denied. You must be authenticated.")
		return
	case in.Key == "":
		c.invalid("key", "This field is required.")
		return
	case utf8.RuneCountInString(in.Key) > maxStatusKey:
		c.invalid("key", fmt.Sprintf("Ensure this value has at most %d characters (it has %d).", maxStatusKey, utf8.RuneCountInString(in.Key)))
		return
	case !slices.Contains(bitbucketStates, in.State):
		c.invalid("state", "Select a valid choice. "+in.State+" is not one of the available choices.")
		return
	case in.URL == "" || err != nil || u.Host == "":
		c.invalid("url", "Enter a valid URL.")
		return
	}
	c.keepStatus(repo, sha, in, known != "")
}

// keepStatus overwrites a status of the same key for its creator and for
// administrators only.
func (c *bitbucketCall) keepStatus(repo *repository, sha string, in statusBody, must bool) {
	admin := c.bitbucketMay(repo, "admin")
	old, there := repo.status(sha, in.Key)
	switch {
	case must && !there:
		c.refuse(http.StatusNotFound, "Build status "+in.Key+" not found")
		return
	case there && !admin && old.Creator != c.token.Login:
		c.answer(http.StatusForbidden, map[string]any{"type": "error", "error": map[string]any{
			"message": "You cannot overwrite a build status that was created by another user.",
		}})
		return
	}
	status := Status{
		State: in.State, Context: in.Key, Name: in.Name, Description: in.Description, TargetURL: in.URL, Ref: in.Ref,
		Creator: c.token.Login, Created: c.now().UTC(),
	}
	if there {
		status.Creator = old.Creator
	}
	if !repo.add(sha, &status) {
		c.refuse(http.StatusBadRequest, "Too many statuses")
		return
	}
	answer := http.StatusCreated
	if there {
		answer = http.StatusOK
	}
	c.answer(answer, c.shapeStatus(repo, sha, status))
}

// status returns the latest status of a key.
func (r *repository) status(sha, key string) (Status, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range slices.Backward(r.statuses[sha]) {
		if s.Context == key {
			return s, true
		}
	}
	return Status{}, false
}

func (c *bitbucketCall) shapeStatus(repo *repository, sha string, s Status) map[string]any {
	return map[string]any{
		"type": "build", "key": s.Context, "state": s.State, "name": s.Name, "description": s.Description, "url": s.TargetURL, "refname": s.Ref,
		"created_on": s.Created, "updated_on": s.Created, "author": c.person(s.Creator),
		"links": map[string]any{"self": map[string]string{"href": c.self(repo) + "/commit/" + sha + "/statuses/build/" + url.PathEscape(s.Context)}},
	}
}

func (c *bitbucketCall) readStatus() {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	sha, _ := c.resolveAny(repo, c.r.PathValue("rev"))
	status, ok := repo.status(sha, c.r.PathValue("key"))
	if !ok {
		c.refuse(http.StatusNotFound, "Build status "+c.r.PathValue("key")+" not found")
		return
	}
	c.answer(http.StatusOK, c.shapeStatus(repo, sha, status))
}

func (c *bitbucketCall) listStatuses() {
	if !c.allowed(readRepository) {
		return
	}
	repo := c.find("read")
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, c.r.PathValue("rev"))
	if !ok {
		c.noCommit(c.r.PathValue("rev"))
		return
	}
	list, seen := []map[string]any{}, []string{}
	for _, s := range slices.Backward(c.Statuses(repo.owner, repo.name, sha)) {
		if !slices.Contains(seen, s.Context) {
			seen = append(seen, s.Context)
			list = append(list, c.shapeStatus(repo, sha, s))
		}
	}
	page(c, list, 10, 100)
}

// bitbucketEvents are the keys that a hook may name.
var bitbucketEvents = []string{
	"repo:push", "repo:fork", "repo:updated", "repo:commit_comment_created", "repo:commit_status_created", "repo:commit_status_updated",
	"pullrequest:created", "pullrequest:updated", "pullrequest:push", "pullrequest:approved", "pullrequest:unapproved", "pullrequest:fulfilled",
	"pullrequest:rejected", "pullrequest:comment_created", "pullrequest:comment_updated", "pullrequest:comment_deleted",
}

// hookBody is a hook as it is sent. What is nil was not.
type hookBody struct {
	Description *string   `json:"description"`
	URL         *string   `json:"url"`
	Active      *bool     `json:"active"`
	Secret      *string   `json:"secret"`
	Events      *[]string `json:"events"`
	SkipCheck   *bool     `json:"skip_cert_verification"`

	secretSent bool
}

func (h *hookBody) UnmarshalJSON(text []byte) error {
	type plain hookBody
	var names map[string]json.RawMessage
	if err := json.Unmarshal(text, &names); err != nil {
		return err
	}
	_, h.secretSent = names["secret"]
	return json.Unmarshal(text, (*plain)(h))
}

// place returns what a request's hooks are set on, if the caller is its
// administrator. Otherwise it has answered.
func (c *bitbucketCall) place(want ...bitbucketScope) (target string, of *contents, ok bool) {
	if !c.known {
		c.refuse(http.StatusUnauthorized, "Access denied. You must be authenticated.")
		return "", nil, false
	}
	if !c.allowed(want...) {
		return "", nil, false
	}
	if c.r.PathValue("slug") == "" {
		workspace := c.r.PathValue("workspace")
		known, admin := false, true
		for _, r := range c.sorted() {
			if strings.EqualFold(r.owner, workspace) {
				known, admin = true, admin && c.bitbucketMay(r, "admin")
			}
		}
		switch {
		case !known:
			c.refuse(http.StatusNotFound, "No workspace with identifier '"+workspace+"'.")
		case !admin:
			c.refuse(http.StatusForbidden, "Forbidden")
		}
		return "workspace:" + workspace, nil, known && admin
	}
	repo := c.find("admin")
	if repo == nil {
		return "", nil, false
	}
	return repo.fullName(), repo.contents, true
}

// mine returns the hooks of a place; mu is held.
func (c *bitbucketCall) mine(target string, of *contents) []*hook {
	var list []*hook
	for _, h := range c.hooks {
		if of != nil && h.of == of || of == nil && h.of == nil && strings.EqualFold(h.Target, target) {
			list = append(list, h)
		}
	}
	return list
}

func (c *bitbucketCall) shapeHook(h *hook) map[string]any {
	subject := "repository"
	if h.of == nil {
		subject = "workspace"
	}
	path := strings.TrimSuffix(c.r.URL.EscapedPath(), "/"+url.PathEscape(h.ID))
	return map[string]any{
		"type": "webhook_subscription", "uuid": h.ID, "url": h.URL, "description": h.more, "active": h.Active, "events": h.Events, "subject_type": subject,
		"secret_set": h.Secret != "", "skip_cert_verification": h.InsecureTLS, "created_at": h.created,
		"links": map[string]any{"self": map[string]string{"href": c.site + path + "/" + url.PathEscape(h.ID)}},
	}
}

func (c *bitbucketCall) listHooks() {
	target, of, ok := c.place(readWebhook)
	if !ok {
		return
	}
	list := []map[string]any{}
	c.mu.Lock()
	for _, h := range c.mine(target, of) {
		list = append(list, c.shapeHook(h))
	}
	c.mu.Unlock()
	page(c, list, 10, 100)
}

func (c *bitbucketCall) createHook() {
	var in hookBody
	if !c.body(&in) {
		return
	}
	target, of, ok := c.place(writeWebhook.with(in)...)
	if !ok || !c.checkHook(in, true) {
		return
	}
	h := &hook{Hook: Hook{Target: target, Active: true}, of: of}
	c.mu.Lock()
	h.ID = bitbucketUUID(fmt.Sprintf("hook %d", c.lastHook+1))
	in.apply(h)
	c.addHook(h)
	shape := c.shapeHook(h)
	c.mu.Unlock()
	c.answer(http.StatusCreated, shape)
}

// with adds what a hook's events ask for: to hear of something, one must be
// allowed to read it.
func (want bitbucketScope) with(in hookBody) []bitbucketScope {
	all := []bitbucketScope{want}
	if in.Events == nil {
		return all
	}
	for _, e := range *in.Events {
		if strings.HasPrefix(e, "repo:") {
			all = append(all, readRepository)
		} else {
			all = append(all, readPull)
		}
	}
	return all
}

func (c *bitbucketCall) checkHook(in hookBody, whole bool) bool {
	if whole && (in.URL == nil || in.Events == nil) {
		c.invalid("url", "This field is required.")
		return false
	}
	if in.URL != nil {
		u, err := url.Parse(*in.URL)
		if err != nil || u.Host == "" || !c.local && here(u) {
			c.invalid("url", "Enter a valid URL.")
			return false
		}
	}
	if in.Events != nil {
		if len(*in.Events) == 0 {
			c.invalid("events", "This field is required.")
			return false
		}
		for _, e := range *in.Events {
			if !slices.Contains(bitbucketEvents, e) {
				c.invalid("events", e+" is not a valid event.")
				return false
			}
		}
	}
	return true
}

// apply changes a hook. A secret that is not sent stays, an empty one is removed.
func (in hookBody) apply(h *hook) {
	if in.Description != nil {
		h.more = *in.Description
	}
	if in.URL != nil {
		h.URL = *in.URL
	}
	if in.Active != nil {
		h.Active = *in.Active
	}
	if in.Events != nil {
		h.Events = *in.Events
	}
	if in.SkipCheck != nil {
		h.InsecureTLS = *in.SkipCheck
	}
	switch {
	case in.Secret != nil:
		h.Secret = *in.Secret
	case in.secretSent:
		h.Secret = ""
	}
}

// one returns the hook that a request names; mu is held then.
func (c *bitbucketCall) one(target string, of *contents) *hook {
	c.mu.Lock()
	for _, h := range c.mine(target, of) {
		if h.ID == c.r.PathValue("uid") {
			return h
		}
	}
	c.mu.Unlock()
	c.refuse(http.StatusNotFound, "Webhook "+c.r.PathValue("uid")+" not found")
	return nil
}

func (c *bitbucketCall) readHook() {
	target, of, ok := c.place(readWebhook)
	if !ok {
		return
	}
	if h := c.one(target, of); h != nil {
		shape := c.shapeHook(h)
		c.mu.Unlock()
		c.answer(http.StatusOK, shape)
	}
}

func (c *bitbucketCall) updateHook() {
	var in hookBody
	if !c.body(&in) {
		return
	}
	target, of, ok := c.place(writeWebhook.with(in)...)
	if !ok || !c.checkHook(in, false) {
		return
	}
	if h := c.one(target, of); h != nil {
		in.apply(h)
		h.updated = c.now()
		shape := c.shapeHook(h)
		c.mu.Unlock()
		c.answer(http.StatusOK, shape)
	}
}

func (c *bitbucketCall) deleteHook() {
	target, of, ok := c.place(deleteWebhook)
	if !ok {
		return
	}
	if h := c.one(target, of); h != nil {
		c.removeHook(h.ID)
		c.mu.Unlock()
		c.w.WriteHeader(http.StatusNoContent)
	}
}
