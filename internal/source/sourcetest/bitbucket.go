package sourcetest

import (
	"crypto/sha1" //nolint:gosec // makes stable ids, protects nothing
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// bitbucket is Bitbucket Cloud: its REST API below /2.0, git at the root.
type bitbucket struct {
	*Server
	routes http.Handler
}

func (s *Server) newBitbucket() *bitbucket {
	b := &bitbucket{Server: s}
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(*bitbucketCall)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := w.(bitbucketWriter).call
			c.r = r // with the pattern's values
			answer(c)
		})
	}
	handle("/", func(c *bitbucketCall) { c.refuse(http.StatusNotFound, "Resource not found") })
	handle("GET /2.0/hook_events/{subject}", (*bitbucketCall).hookEvents)
	handle("GET /2.0/user", (*bitbucketCall).user)
	handle("GET /2.0/user/workspaces", (*bitbucketCall).workspaces)
	for _, gone := range []string{"repositories", "workspaces", "user/permissions/repositories", "user/permissions/workspaces"} {
		handle("GET /2.0/"+gone, (*bitbucketCall).gone)
	}
	handle("GET /2.0/repositories/{workspace}", (*bitbucketCall).repositories)
	handle("GET /2.0/workspaces/{workspace}/permissions/repositories/{slug}", (*bitbucketCall).permissions)
	handle("GET /2.0/workspaces/{workspace}/hooks", (*bitbucketCall).listHooks)
	handle("POST /2.0/workspaces/{workspace}/hooks", (*bitbucketCall).createHook)
	handle("GET /2.0/workspaces/{workspace}/hooks/{uid}", (*bitbucketCall).readHook)
	handle("PUT /2.0/workspaces/{workspace}/hooks/{uid}", (*bitbucketCall).updateHook)
	handle("DELETE /2.0/workspaces/{workspace}/hooks/{uid}", (*bitbucketCall).deleteHook)
	repository := "/2.0/repositories/{workspace}/{slug}"
	handle("GET "+repository, (*bitbucketCall).repository)
	handle("GET "+repository+"/permissions-config/users/{user}", (*bitbucketCall).permissionConfig)
	handle("GET "+repository+"/commit/{rev}", (*bitbucketCall).commit)
	handle("GET "+repository+"/commit/{rev}/statuses", (*bitbucketCall).listStatuses)
	handle("POST "+repository+"/commit/{rev}/statuses/build", (*bitbucketCall).createStatus)
	handle("GET "+repository+"/commit/{rev}/statuses/build/{key}", (*bitbucketCall).readStatus)
	handle("PUT "+repository+"/commit/{rev}/statuses/build/{key}", (*bitbucketCall).updateStatus)
	handle("GET "+repository+"/refs/branches/{name...}", (*bitbucketCall).branch)
	handle("GET "+repository+"/refs/tags/{name...}", (*bitbucketCall).tag)
	handle("GET "+repository+"/diffstat/{spec...}", (*bitbucketCall).diffstat)
	handle("GET "+repository+"/pullrequests", (*bitbucketCall).pulls)
	handle("GET "+repository+"/pullrequests/{id}", (*bitbucketCall).pull)
	handle("GET "+repository+"/pullrequests/{id}/commits", (*bitbucketCall).pullCommits)
	handle("GET "+repository+"/pullrequests/{id}/diffstat", (*bitbucketCall).pullDiffstat)
	handle("GET "+repository+"/hooks", (*bitbucketCall).listHooks)
	handle("POST "+repository+"/hooks", (*bitbucketCall).createHook)
	handle("GET "+repository+"/hooks/{uid}", (*bitbucketCall).readHook)
	handle("PUT "+repository+"/hooks/{uid}", (*bitbucketCall).updateHook)
	handle("DELETE "+repository+"/hooks/{uid}", (*bitbucketCall).deleteHook)
	b.routes = mux
	return b
}

// A bitbucketCall is one request of the REST API.
type bitbucketCall struct {
	*bitbucket
	caller
	w    http.ResponseWriter
	r    *http.Request
	site string // our address, for URLs in answers
}

// bitbucketWriter carries the call to the route that answers it.
type bitbucketWriter struct {
	http.ResponseWriter
	call *bitbucketCall
}

func isBitbucketREST(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/2.0/") }

// identify finds the token of a request. It depends on the token's kind how it
// must be sent, and for REST it is another way than for git.
func (b *bitbucket) identify(r *http.Request) caller {
	header := r.Header.Get("Authorization")
	if header == "" {
		return caller{}
	}
	scheme, value, _ := strings.Cut(header, " ")
	user, password, basic := r.BasicAuth()
	if basic {
		value = password
	}
	b.mu.Lock()
	t, known := b.tokens[value]
	b.mu.Unlock()
	switch {
	case !known || value == "" || b.expired(t) || strings.HasPrefix(value, "ATBB"): // app passwords are gone
		known = false
	case t.bitbucketUser() && len(t.Scopes) == 0: // made as "API token" without scopes: never for Bitbucket
		known = false
	case isBitbucketREST(r) && t.bitbucketUser():
		known = basic && strings.EqualFold(user, t.Email)
	case isBitbucketREST(r):
		known = !basic && strings.EqualFold(scheme, "Bearer")
	case t.bitbucketUser():
		known = basic && (user == "x-bitbucket-api-token-auth" || strings.EqualFold(user, t.Login))
	default:
		known = basic && user == "x-token-auth" || !basic && strings.EqualFold(scheme, "Bearer")
	}
	if !known {
		return caller{sent: true}
	}
	return caller{sent: true, known: true, token: t}
}

// bitbucketUser reports whether a token is a user's, not a repository's,
// project's or workspace's.
func (t Token) bitbucketUser() bool {
	return strings.HasPrefix(t.Value, "ATAT") || !strings.HasPrefix(t.Value, "ATCT") && t.Email != ""
}

func (b *bitbucket) answerAll(w http.ResponseWriter, r *http.Request, who caller) {
	if g, ok := gitPath(r.URL.Path); ok && !isBitbucketREST(r) {
		b.answerGit(w, r, who, g)
		return
	}
	c := &bitbucketCall{bitbucket: b, caller: who, w: w, r: r, site: address(r)}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if who.known {
		w.Header().Set("X-Oauth-Scopes", strings.Join(who.token.Scopes, ", "))
		w.Header().Set("X-Credential-Type", who.token.credentialType())
	}
	switch _, _, basic := r.BasicAuth(); {
	case who.sent && !who.known && basic:
		w.Header().Set("Www-Authenticate", `Basic realm="Bitbucket.org HTTP"`)
		w.WriteHeader(http.StatusUnauthorized)
	case who.sent && !who.known:
		c.refuse(http.StatusUnauthorized, "Token is invalid, expired, or not supported for this endpoint.")
	default:
		b.routes.ServeHTTP(bitbucketWriter{w, c}, r)
	}
}

func (t Token) credentialType() string {
	switch {
	case t.bitbucketUser():
		return "api_token"
	case t.CredentialType != "":
		return t.CredentialType
	}
	return "repo_access_token"
}

// answerGit answers git over smart HTTP.
func (b *bitbucket) answerGit(w http.ResponseWriter, r *http.Request, who caller, g gitRequest) {
	full := key(g.owner, g.name)
	b.mu.Lock()
	repo, to := b.Server.repositories[full], b.moved[full]
	moved := b.Server.repositories[strings.ToLower(to)]
	b.mu.Unlock()
	if strings.Contains(to, "://") {
		redirectGit(w, r, to+"/"+g.what)
		return
	}
	if repo == nil {
		repo = moved
	}
	push := g.what == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	challenge := func(text string) {
		w.Header().Set("Www-Authenticate", `Basic realm="Bitbucket.org HTTP"`)
		say(w, http.StatusUnauthorized, text)
	}
	switch {
	case who.sent && !who.known:
		challenge("Invalid credentials\n")
	case !who.known && (push || repo == nil || repo.private):
		challenge("Authentication required\n")
	case who.known && !who.token.hasScopes(readRepository):
		say(w, http.StatusForbidden, "Your credentials lack one or more required privilege scopes.\n")
	case repo == nil || !who.bitbucketMay(repo, "read"):
		say(w, http.StatusNotFound, "Repository not found\n")
	case push && !(who.bitbucketMay(repo, "write") && who.token.hasScopes(writeRepository)):
		say(w, http.StatusForbidden, "You do not have write access to this repository.\n")
	case repo == moved:
		redirectGit(w, r, address(r)+"/"+repo.fullName()+".git/"+g.what)
	default:
		b.backend(w, r, who, repo, g.what)
	}
}

// bitbucketMay reports whether the caller has a role on a repository.
func (c caller) bitbucketMay(repo *repository, role string) bool {
	if role == "read" && !repo.private {
		return true
	}
	return c.known && c.token.reaches(repo) && atLeast(repo.role(c.token.Login, "admin"), role)
}

// A bitbucketScope is what an endpoint asks for: of access tokens by classic
// names, of API tokens by granular ones, which do not imply each other.
type bitbucketScope struct{ classic, granular []string }

var (
	readUser        = bitbucketScope{[]string{"account"}, []string{"read:user:bitbucket"}}
	readWorkspace   = bitbucketScope{[]string{"account"}, []string{"read:workspace:bitbucket"}}
	readRepository  = bitbucketScope{[]string{"repository"}, []string{"read:repository:bitbucket"}}
	writeRepository = bitbucketScope{[]string{"repository:write"}, []string{"write:repository:bitbucket"}}
	adminRepository = bitbucketScope{[]string{"repository:admin"}, []string{"admin:repository:bitbucket"}}
	readPull        = bitbucketScope{[]string{"pullrequest"}, []string{"read:pullrequest:bitbucket"}}
	readWebhook     = bitbucketScope{[]string{"webhook"}, []string{"read:webhook:bitbucket"}}
	writeWebhook    = bitbucketScope{[]string{"webhook"}, []string{"read:webhook:bitbucket", "write:webhook:bitbucket"}}
	deleteWebhook   = bitbucketScope{[]string{"webhook"}, []string{"delete:webhook:bitbucket"}}
)

// implied is what classic scopes hold beside themselves.
var implied = map[string][]string{
	"repository:write":  {"repository"},
	"pullrequest":       {"repository"},
	"pullrequest:write": {"pullrequest", "repository", "repository:write"},
	"account:write":     {"account"},
}

func (want bitbucketScope) of(t Token) []string {
	if t.bitbucketUser() {
		return want.granular
	}
	return want.classic
}

func (t Token) hasScopes(want bitbucketScope) bool {
	return !slices.ContainsFunc(want.of(t), func(scope string) bool {
		return !slices.ContainsFunc(t.Scopes, func(have string) bool {
			return have == scope || !t.bitbucketUser() && slices.Contains(implied[have], scope)
		})
	})
}

// allowed reports whether the caller's token has the scopes, and refuses
// otherwise. Without a token, what is public can be read.
func (c *bitbucketCall) allowed(want ...bitbucketScope) bool {
	if !c.known {
		return true
	}
	var all bitbucketScope
	for _, w := range want {
		all.classic, all.granular = append(all.classic, w.classic...), append(all.granular, w.granular...)
	}
	c.w.Header().Set("X-Accepted-Oauth-Scopes", strings.Join(all.of(c.token), ", "))
	if c.token.hasScopes(all) {
		return true
	}
	c.answer(http.StatusForbidden, map[string]any{"type": "error", "error": map[string]any{
		"message": "Your credentials lack one or more required privilege scopes.",
		"detail":  map[string]any{"required": all.of(c.token), "granted": append([]string{}, c.token.Scopes...)},
	}})
	return false
}

// find returns the repository that a request names if the caller has a role
// there. Otherwise it has answered: 404 where the caller may not know of it.
func (c *bitbucketCall) find(role string) *repository {
	workspace, slug := c.r.PathValue("workspace"), c.r.PathValue("slug")
	c.mu.Lock()
	repo, to := c.Server.repositories[key(workspace, slug)], c.moved[key(workspace, slug)]
	for _, r := range c.Server.repositories {
		if strings.HasPrefix(slug, "{") && r.uuid() == slug {
			repo = r
		}
	}
	moved := c.Server.repositories[strings.ToLower(to)]
	c.mu.Unlock()
	if repo == nil && moved != nil && c.bitbucketMay(moved, "read") {
		rest := strings.SplitN(c.r.URL.EscapedPath(), "/", 6)
		location := c.self(moved)
		if len(rest) == 6 {
			location += "/" + rest[5]
		}
		if c.r.URL.RawQuery != "" {
			location += "?" + c.r.URL.RawQuery
		}
		status := http.StatusMovedPermanently
		if c.r.Method != http.MethodGet {
			status = http.StatusTemporaryRedirect
		}
		c.w.Header().Set("Location", location)
		c.w.WriteHeader(status)
		return nil
	}
	switch {
	case repo == nil || !c.bitbucketMay(repo, "read"):
		c.refuse(http.StatusNotFound, "You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated.")
	case !c.bitbucketMay(repo, role):
		c.refuse(http.StatusForbidden, "Forbidden")
	default:
		return repo
	}
	return nil
}

func (c *bitbucketCall) answer(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"type":"error"}`)
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text)
}

func (c *bitbucketCall) refuse(status int, message string) {
	c.answer(status, map[string]any{"type": "error", "error": map[string]any{"message": message}})
}

// invalid refuses a field of a body.
func (c *bitbucketCall) invalid(field, message string) {
	c.answer(http.StatusBadRequest, map[string]any{"type": "error", "error": map[string]any{
		"message": "Bad request", "fields": map[string][]string{field: {message}},
	}})
}

func (c *bitbucketCall) gone() {
	where := map[string]string{"announcement_url": "https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"}
	c.answer(http.StatusGone, map[string]any{"type": "error", "data": where, "error": map[string]any{
		"message": "CHANGE-2770 - Functionality has been deprecated", "detail": "Please read the changelog entry for more details.", "data": where,
	}})
}

// page answers with a page of values, as many as the request asks for: usual
// ones if it does not say, most at most.
func page[T any](c *bitbucketCall, values []T, usual, most int) {
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(c.r.URL.Query().Get(name))
		if c.r.URL.Query().Get(name) == "" {
			return otherwise
		}
		if err != nil {
			return -1
		}
		return n
	}
	at, size := number("page", 1), number("pagelen", usual)
	if at < 1 || size < 1 || size > most {
		c.refuse(http.StatusBadRequest, "Invalid pagelen")
		return
	}
	if c.paging > 0 {
		size = min(size, c.paging)
	}
	from := min(len(values), (at-1)*size)
	to := min(len(values), from+size)
	body := map[string]any{"values": append([]T{}, values[from:to]...), "page": at, "pagelen": size, "size": len(values)}
	if to < len(values) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(at+1))
		body["next"] = c.site + c.r.URL.EscapedPath() + "?" + q.Encode()
	}
	c.answer(http.StatusOK, body)
}

// bitbucketUUID is a stable id in the form of Bitbucket's.
func bitbucketUUID(of string) string {
	sum := sha1.Sum([]byte(of)) //nolint:gosec // see the import
	return fmt.Sprintf("{%x-%x-%x-%x-%x}", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (r *repository) uuid() string { return bitbucketUUID("repository " + strconv.Itoa(r.id)) }

// AccountID returns the id by which Bitbucket knows a user.
func (s *Server) AccountID(login string) string {
	return fmt.Sprintf("5c%x", sha1.Sum([]byte("account "+strings.ToLower(login))))[:24] //nolint:gosec // see the import
}

// person is a user as it appears inside other answers. One whose name ends in
// -bot is an access token's, which has no account.
func (c *bitbucket) person(login string) map[string]any {
	who := map[string]any{
		"type": "user", "uuid": bitbucketUUID("user " + strings.ToLower(login)), "display_name": strings.ToUpper(login[:1]) + login[1:],
		"nickname": login, "account_id": c.AccountID(login),
	}
	if strings.HasSuffix(login, "-bot") {
		who["type"] = "app_user"
		delete(who, "account_id")
	}
	return who
}

func (c *bitbucketCall) self(repo *repository) string {
	return c.site + "/2.0/repositories/" + url.PathEscape(repo.owner) + "/" + url.PathEscape(repo.name)
}

// short is how pull requests name commits.
func (c *bitbucket) short(commit string) string { return commit[:min(len(commit), 12)] }
