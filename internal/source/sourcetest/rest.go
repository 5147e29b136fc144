package sourcetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api"
)

// versions of the REST API that X-GitHub-Api-Version may name.
var versions = []string{"", "2022-11-28", "2026-03-10"}

// A call is one REST request whose caller is known not to be refused.
type call struct {
	shapes
	caller
	w http.ResponseWriter
	r *http.Request
}

// serveREST answers a request for the REST API, with or without /api/v3.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request, who caller) {
	c := &call{shapes: shapes{s, address(r), address(r)}, caller: who, w: w, r: r}
	if path, ok := strings.CutPrefix(r.URL.Path, "/api/v3"); ok {
		c.base += "/api/v3"
		if s.kind != api.ServerTypeGithub {
			w.Header().Set("X-Github-Enterprise-Version", s.version)
		}
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, "/api/v3")
		c.r = r
	}
	c.headers()
	switch {
	case r.UserAgent() == "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.\r\n"))
	case who.sent && !who.known:
		c.refuse(http.StatusUnauthorized, "Bad credentials", "/rest")
	case !knownVersion(r.Header.Get("X-GitHub-Api-Version")):
		c.refuse(http.StatusBadRequest, strconv.Quote(r.Header.Get("X-GitHub-Api-Version"))+" is not a supported API version", "/rest/about-the-rest-api/api-versions")
	default:
		s.rest.ServeHTTP(restWriter{w, c}, r)
	}
}

func knownVersion(v string) bool {
	for _, known := range versions {
		if v == known {
			return true
		}
	}
	return false
}

// restWriter carries the call to the route that answers it.
type restWriter struct {
	http.ResponseWriter
	call *call
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(*call)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := w.(restWriter).call
			c.r = r // with the pattern's values
			answer(c)
		})
	}
	handle("/", (*call).notFound)
	handle("GET /meta", (*call).meta)
	handle("GET /user", (*call).user)
	handle("GET /repos/{owner}/{repo}", (*call).describe)
	handle("GET /repositories/{id}", (*call).describeByID)
	handle("POST /repositories/{id}/statuses/{sha}", (*call).createStatus)
	handle("GET /repos/{owner}/{repo}/commits/{ref...}", (*call).commit)
	handle("POST /repos/{owner}/{repo}/statuses/{sha}", (*call).createStatus)
	handle("GET /user/repos", (*call).listRepositories)
	handle("GET /installation/repositories", (*call).listInstallation)
	handle("GET /repos/{owner}/{repo}/pulls", (*call).listPulls)
	handle("GET /repos/{owner}/{repo}/pulls/{number}", (*call).getPull)
	handle("GET /repos/{owner}/{repo}/pulls/{number}/files", (*call).listPullFiles)
	handle("GET /repos/{owner}/{repo}/compare/{basehead...}", (*call).compare)
	handle("GET /repos/{owner}/{repo}/collaborators/{user}/permission", (*call).permission)
	hooks := map[string]func(*call, func(do string) *target){
		"GET ": (*call).listHooks, "POST ": (*call).createHook, "GET /{hook}": (*call).getHook, "PATCH /{hook}": (*call).updateHook,
		"DELETE /{hook}": (*call).deleteHook, "PATCH /{hook}/config": (*call).configureHook, "GET /{hook}/config": (*call).getHookConfig,
		"POST /{hook}/pings": (*call).pingHook, "GET /{hook}/deliveries": (*call).listDeliveries, "POST /{hook}/deliveries/{delivery}/attempts": (*call).redeliverHook,
	}
	for pattern, answer := range hooks {
		method, rest, _ := strings.Cut(pattern, " ")
		handle(method+" /repos/{owner}/{repo}/hooks"+rest, func(c *call) { answer(c, c.repositoryTarget) })
		handle(method+" /orgs/{org}/hooks"+rest, func(c *call) { answer(c, c.organizationTarget) })
		if !strings.Contains(rest, "deliveries") && !strings.Contains(rest, "config") {
			handle(method+" /admin/hooks"+rest, func(c *call) { answer(c, c.globalTarget) })
		}
	}
	return mux
}

// headers sets what every answer of GitHub carries.
func (c *call) headers() {
	h := c.w.Header()
	limit, used := 60, 1
	if c.known {
		limit = 5000
		if c.token.fine() {
			h.Set("X-Accepted-Github-Permissions", "metadata=read")
		} else {
			h.Set("X-Oauth-Scopes", strings.Join(c.token.Scopes, ", "))
			h.Set("X-Accepted-Oauth-Scopes", "")
		}
		if !c.token.Expires.IsZero() {
			h.Set("Github-Authentication-Token-Expiration", c.token.Expires.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
	}
	h.Set("X-Github-Request-Id", requestID())
	h.Set("X-Github-Media-Type", "github.v3; format=json")
	h.Set("X-Github-Api-Version-Selected", "2022-11-28")
	h.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(limit-used))
	h.Set("X-Ratelimit-Used", strconv.Itoa(used))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(c.now().Add(time.Hour).Unix(), 10))
	h.Set("X-Ratelimit-Resource", "core")
	h.Set("Content-Type", "application/json; charset=utf-8")
}

func (c *call) answer(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"message":"Server Error"}`)
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text)
}

// A refusal is the body of every answer that is not what was asked for.
type refusal struct {
	Message       string    `json:"message"`
	Errors        []problem `json:"errors,omitzero"`
	Documentation string    `json:"documentation_url"`
	Status        string    `json:"status"`
}

// A problem is one thing wrong with a request's body.
type problem struct {
	Resource string `json:"resource"`
	Code     string `json:"code"`
	Field    string `json:"field"`
	Message  string `json:"message,omitzero"`
}

func (c *call) refuse(status int, message, page string, problems ...problem) {
	c.answer(status, refusal{Message: message, Errors: problems, Documentation: "https://docs.github.com" + page, Status: strconv.Itoa(status)})
}

func (c *call) notFound() { c.refuse(http.StatusNotFound, "Not Found", "/rest") }

// want tells, as GitHub does, which classic scopes and fine-grained
// permissions an endpoint takes.
func (c *call) want(scopes, permissions string) {
	if c.known && c.token.fine() {
		c.w.Header().Set("X-Accepted-Github-Permissions", permissions)
	} else if c.known {
		c.w.Header().Set("X-Accepted-Oauth-Scopes", scopes)
	}
}

// find returns the repository a request names if may allows the caller there.
// Otherwise it has answered: 404 where the caller may not know of it.
func (c *call) find(may func(*repository) bool) *repository {
	full := key(c.r.PathValue("owner"), c.r.PathValue("repo"))
	if id := c.r.PathValue("id"); id != "" {
		return c.allow(c.byID(id), may)
	}
	c.mu.Lock()
	repo, to := c.repositories[full], c.moved[full]
	moved := c.repositories[strings.ToLower(to)]
	c.mu.Unlock()
	if repo == nil && moved != nil && c.maySee(moved) {
		rest := strings.SplitN(c.r.URL.Path, "/", 5)
		location := fmt.Sprintf("%s/repositories/%d", c.base, moved.id)
		if len(rest) == 5 {
			location += "/" + rest[4]
		}
		status, message := http.StatusMovedPermanently, "Moved Permanently"
		if c.r.Method != http.MethodGet {
			status, message = http.StatusTemporaryRedirect, "Temporary Redirect"
		}
		c.w.Header().Set("Location", location)
		c.answer(status, map[string]string{"message": message, "url": location, "documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"})
		return nil
	}
	return c.allow(repo, may)
}

func (c *call) allow(repo *repository, may func(*repository) bool) *repository {
	if repo == nil {
		c.notFound()
		return nil
	}
	if message, header := c.forbidden(c.caller, repo.owner); message != "" {
		for name, values := range header {
			c.w.Header()[name] = values
		}
		c.refuse(http.StatusForbidden, message, "/rest")
		return nil
	}
	switch {
	case may(repo):
		return repo
	case c.known && c.token.fine() && c.maySee(repo):
		c.inaccessible()
	default:
		c.notFound()
	}
	return nil
}

// inaccessible is the answer to a token that lacks a permission.
func (c *call) inaccessible() {
	by := "personal access token"
	if c.token.installation() || strings.HasPrefix(c.token.Value, "ghu_") {
		by = "integration"
	}
	c.refuse(http.StatusForbidden, "Resource not accessible by "+by, "/rest")
}

// page returns which part of a list of total entries is asked for, and says
// where the others are.
func (c *call) page(total, most int) (from, to int) {
	q := c.r.URL.Query()
	size, err := strconv.Atoi(q.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	if size = min(size, most); c.paging > 0 {
		size = min(size, c.paging)
	}
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	last := max(1, (total+size-1)/size)
	link := func(rel string, page int) string {
		q.Set("page", strconv.Itoa(page))
		return "<" + c.base + c.r.URL.Path + "?" + q.Encode() + `>; rel="` + rel + `"`
	}
	if page < last {
		c.w.Header().Add("Link", link("next", page+1)+", "+link("last", last))
	} else if page > 1 {
		c.w.Header().Add("Link", link("prev", page-1)+", "+link("first", 1))
	}
	return min(total, (page-1)*size), min(total, page*size)
}
