package sourcetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A labCall is a request to GitLab's API whose token is known to be good, or
// that has none.
type labCall struct {
	*call
	lab gitLab
}

// serveREST answers a request for the API.
func (g gitLab) serveREST(w http.ResponseWriter, r *http.Request, who caller) {
	c := &call{shapes: shapes{g.Server, address(r) + "/api/v4", address(r)}, caller: who, w: w, r: r}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", requestID())
	h.Set("Ratelimit-Limit", "2000")
	h.Set("Ratelimit-Name", "throttle_authenticated_api")
	h.Set("Ratelimit-Observed", "1")
	h.Set("Ratelimit-Remaining", "1999")
	h.Set("Ratelimit-Reset", strconv.FormatInt(g.now().Add(time.Minute).Unix(), 10))
	if who.sent && !who.known {
		labCall{c, g}.unauthorized()
		return
	}
	g.rest.ServeHTTP(restWriter{w, c}, r)
}

func (g gitLab) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, scopes []string, answer func(labCall)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+apiV4+path, func(w http.ResponseWriter, r *http.Request) {
			c := labCall{w.(restWriter).call, g}
			c.r = r // with the pattern's values
			if c.scoped(scopes) {
				answer(c)
			}
		})
	}
	read, write := []string{"api", "read_api"}, []string{"api"}
	who := []string{"api", "read_api", "read_user"}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		labCall{w.(restWriter).call, g}.answer(http.StatusNotFound, map[string]string{"error": "404 Not Found"})
	})
	handle("GET personal_access_tokens/self", nil, labCall.self)
	handle("GET user", who, labCall.user)
	handle("GET users", who, labCall.users)
	handle("GET projects", read, labCall.projects)
	handle("GET projects/{id}", read, labCall.project)
	handle("GET projects/{id}/members/all/{user}", read, labCall.member)
	handle("GET projects/{id}/repository/commits/{ref}", read, labCall.commit)
	handle("GET projects/{id}/repository/commits/{ref}/diff", read, labCall.commitDiff)
	handle("GET projects/{id}/repository/commits/{ref}/statuses", read, labCall.statuses)
	handle("GET projects/{id}/repository/compare", read, labCall.compare)
	handle("GET projects/{id}/repository/branches", read, labCall.branches)
	handle("GET projects/{id}/repository/tags", read, labCall.tags)
	handle("POST projects/{id}/statuses/{sha}", write, labCall.createStatus)
	handle("GET projects/{id}/merge_requests", read, labCall.mergeRequests)
	handle("GET projects/{id}/merge_requests/{iid}", read, labCall.mergeRequest)
	handle("GET projects/{id}/merge_requests/{iid}/diffs", read, labCall.mergeRequestDiffs)
	for _, on := range []string{"projects", "groups"} {
		handle("GET "+on+"/{id}/hooks", read, labCall.listHooks)
		handle("POST "+on+"/{id}/hooks", write, labCall.createHook)
		handle("GET "+on+"/{id}/hooks/{hook}", read, labCall.describeHook)
		handle("PUT "+on+"/{id}/hooks/{hook}", write, labCall.editHook)
		handle("DELETE "+on+"/{id}/hooks/{hook}", write, labCall.deleteHook)
		handle("GET "+on+"/{id}/hooks/{hook}/events", read, labCall.hookEvents)
		handle("POST "+on+"/{id}/hooks/{hook}/test/{trigger}", write, labCall.testHook)
	}
	return mux
}

// scoped reports whether the token may call an endpoint that takes one of
// scopes; nil means any. Otherwise it has answered.
func (c labCall) scoped(scopes []string) bool {
	switch {
	case c.known && (scopes == nil || c.token.scopedAny(scopes...)):
		return true
	case c.known:
		c.answer(http.StatusForbidden, map[string]string{
			"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.",
			"scope": strings.Join(scopes, " "),
		})
		return false
	case c.r.Method == http.MethodGet && c.r.PathValue("id") != "":
		return true // what is public is for everybody
	}
	c.unauthorized()
	return false
}

func (c labCall) unauthorized() {
	c.mu.Lock()
	_, there := c.tokens[c.sentToken()]
	c.mu.Unlock()
	expired := map[string]string{"error": "invalid_token", "error_description": "Token is expired. You can either do re-authorization or token refresh."}
	if there && !strings.HasPrefix(c.sentToken(), "gldt-") {
		c.answer(http.StatusUnauthorized, expired)
		return
	}
	c.message(http.StatusUnauthorized, "401 Unauthorized")
}

func (c labCall) sentToken() string {
	if v := c.r.Header.Get("Private-Token"); v != "" {
		return v
	}
	return strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
}

func (c labCall) message(status int, message any) {
	c.answer(status, map[string]any{"message": message})
}

// find returns the project that a request names, by number or path, if the
// caller's access level is at least min there; otherwise it has answered. For
// what is public, 20 and below are everybody's.
func (c labCall) find(min int) *repository {
	id := c.r.PathValue("id")
	number, err := strconv.Atoi(id)
	c.mu.Lock()
	repo := c.repositories[strings.ToLower(id)]
	to := c.repositories[strings.ToLower(c.moved[strings.ToLower(id)])]
	if err == nil {
		for _, r := range c.repositories {
			if r.id == number {
				repo = r
			}
		}
	}
	c.mu.Unlock()
	if repo == nil {
		repo = to
	}
	if repo == nil || repo.private && c.level(repo) == 0 {
		c.message(http.StatusNotFound, "404 Project Not Found")
		return nil
	}
	if repo == to && c.r.Method == http.MethodGet {
		_, rest, _ := strings.Cut(c.r.URL.EscapedPath(), url.PathEscape(id))
		c.w.Header().Set("Location", c.base+"/projects/"+strconv.Itoa(repo.id)+rest)
		c.message(http.StatusMovedPermanently, "This resource has been moved")
		return nil
	}
	if c.level(repo) < min && (repo.private || min > 20) {
		c.message(http.StatusForbidden, "403 Forbidden")
		return nil
	}
	return repo
}

// in decodes a request's body: JSON, as we send it.
func (c labCall) in(v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil || json.Unmarshal(body, v) != nil {
		c.answer(http.StatusBadRequest, map[string]string{"error": "The provided content-type or body could not be read"})
		return false
	}
	return true
}

// page answers with the page of a list that the request asks for, with all the
// headers that lead to the others.
func (c labCall) page(list []any) {
	number := func(name string, otherwise, most int) int {
		n, err := strconv.Atoi(c.r.URL.Query().Get(name))
		if err != nil || n < 1 {
			return otherwise
		}
		return min(n, most)
	}
	page, size := number("page", 1, 1<<20), number("per_page", 20, 100)
	if c.paging > 0 {
		size = min(size, c.paging)
	}
	from := min((page-1)*size, len(list))
	to := min(from+size, len(list))
	h := c.w.Header()
	h.Set("X-Page", strconv.Itoa(page))
	h.Set("X-Per-Page", strconv.Itoa(size))
	h.Set("X-Total", strconv.Itoa(len(list)))
	h.Set("X-Next-Page", "")
	if to < len(list) {
		h.Set("X-Next-Page", strconv.Itoa(page+1))
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(page+1))
		h.Set("Link", "<"+c.site+c.r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	c.answer(http.StatusOK, slices.Clone(list[from:to]))
}

// keyset is page for keyset pagination, which knows no numbers: only the next
// page, after the id of the last.
func (c labCall) keyset(list []any, id func(any) int) {
	q := c.r.URL.Query()
	after, _ := strconv.Atoi(q.Get("id_after"))
	size, err := strconv.Atoi(q.Get("per_page"))
	if err != nil || size < 1 || size > 100 {
		size = 20
	}
	rest := slices.DeleteFunc(slices.Clone(list), func(v any) bool { return id(v) <= after })
	if len(rest) > size {
		rest = rest[:size]
		q.Set("id_after", strconv.Itoa(id(rest[size-1])))
		c.w.Header().Set("Link", "<"+c.site+c.r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	c.answer(http.StatusOK, rest)
}
