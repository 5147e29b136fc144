package github_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"slipway/internal/api"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/github"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

// Every request of the Provider, and every answer of sourcetest, is one of the
// API that GitHub publishes.
func TestOpenAPI(t *testing.T) {
	for server, document := range map[api.ServerType]string{api.ServerTypeGithub: "api.github.com", api.ServerTypeGithubEnterprise: "ghes-3.19"} {
		t.Run(string(server), func(t *testing.T) {
			b := newBench(t, server)
			seen := &exchanges{}
			b.Provider = github.New(rest.Options{Transport: seen})
			askAll(b)
			d := &openAPI{}
			open(t, "openapi/generated/"+document+".json", &d.root)
			asked := map[string]bool{}
			for _, e := range seen.all {
				name, problems := d.check(e)
				asked[name] = true
				for _, problem := range problems {
					t.Errorf("%s %s = %d: %s", e.method, e.url, e.status, problem)
				}
			}
			if len(asked) < 18 {
				t.Errorf("only %d operations were asked: %v", len(asked), asked)
			}
		})
	}
}

// askAll asks everything that a Provider can ask, with good and bad tokens.
func askAll(b *bench) {
	b.Helper()
	ctx := b.Context()
	classic := b.login(sourcetest.Token{Value: "ghp_all", Login: "mona", Scopes: []string{"repo", "admin:org_hook", "site_admin"}})
	logins := []source.Login{
		classic,
		b.login(sourcetest.Token{Value: "github_pat_all", Login: "mona", Permissions: all}),
		b.login(sourcetest.Token{Value: "github_pat_read", Login: "mona", Permissions: map[string]string{"contents": "read"}}),
		b.login(sourcetest.Token{Value: "ghs_app", Permissions: all}),
		b.login(sourcetest.Token{Value: "ghp_none", Login: "mona"}),
	}
	commit, err := b.Commit("octo", "app", "topic", map[string]string{"b": "1"}, "topic")
	b.must(err)
	n, err := b.OpenPullRequest("octo", "app", sourcetest.PullRequest{Author: "eve", HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	for _, by := range append(logins, source.NewLogin(b.repo.Server, "", secret.New("ghp_unknown"))) {
		for _, r := range []*source.Repository{nil, &b.repo} {
			_, err := b.Check(ctx, b.repo.Site, r, by)
			b.must(err)
		}
		_, _ = b.Resolve(ctx, b.repo, "main", by)
		_ = b.ReportStatus(ctx, b.repo, commit, source.Status{State: source.Success, Context: "c", Description: "d", TargetURL: "https://ci.example"}, by)
		_, _, _, _ = b.Repositories(ctx, b.repo.Site, "", "", by)
	}
	for _, version := range []string{"refs/heads/topic", "none", "refs/pull/1/head"} {
		_, _ = b.Resolve(ctx, b.repo, version, classic)
	}
	targets := []source.Target{{Repository: b.repo}, {Repository: source.Repository{Site: b.repo.Site}, Scope: api.WebhookScopeTypeGithubOrganization, ScopeName: "octo"}}
	if b.repo.Server == api.ServerTypeGithubEnterprise {
		targets = append(targets, source.Target{Repository: source.Repository{Site: b.repo.Site}, Scope: api.WebhookScopeTypeGithubGlobal, ScopeName: "corp"})
	}
	settings := source.HookSettings{PayloadURL: receiver(b.T), Secret: secret.New("s3cret"), Events: []event.Type{event.Push, event.PullRequestCreated}, Comments: true}
	for _, target := range targets {
		made, err := b.CreateHook(ctx, target, settings, classic)
		b.must(err)
		_, err = b.CreateHook(ctx, target, settings, classic)
		refused(b.T, err)
		_, err = b.Provider.Hooks(ctx, target, settings.PayloadURL, classic)
		b.must(err)
		_, err = b.UpdateHook(ctx, target, made.ID, settings, classic)
		b.must(err)
		b.must(b.DeleteHook(ctx, target, made.ID, classic))
		b.must(b.DeleteHook(ctx, target, made.ID, classic))
	}
	pull, err := b.PullRequest(ctx, b.repo, int64(n), classic)
	b.must(err)
	_, err = b.OpenPullRequests(ctx, b.repo, classic)
	b.must(err)
	_, err = b.Files(ctx, b.repo, pull, classic)
	b.must(err)
	files := map[string]string{}
	for i := range 301 {
		files["many/"+strconv.Itoa(i)] = "x"
	}
	many, err := b.Commit("octo", "app", "many", files, "many")
	b.must(err)
	_, err = b.Files(ctx, b.repo, event.Event{Type: event.Push, HeadRef: "refs/heads/many", Commit: many}, classic)
	b.must(err)
	_, err = b.Message(ctx, b.repo, commit, classic)
	b.must(err)
	_, err = b.Role(ctx, b.repo, "eve", classic)
	b.must(err)
}

// receiver returns an address that takes every delivery.
func receiver(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	return s.URL + "/hook"
}

func post(b *bench, token, target, body string) int {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, target, strings.NewReader(body))
	b.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("User-Agent", "test")
	resp, err := http.DefaultClient.Do(r)
	b.must(err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// An exchange is a request of the API and its answer.
type exchange struct {
	method   string
	url      *url.URL
	in, out  []byte
	status   int
	isNoJSON bool // the answer is something else
}

// exchanges is a transport that remembers what it carried.
type exchanges struct {
	mu  sync.Mutex // guards all
	all []exchange
}

func (x *exchanges) RoundTrip(r *http.Request) (*http.Response, error) {
	var in []byte
	if r.Body != nil {
		var err error
		if in, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(in))
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(out))
	if strings.HasPrefix(r.URL.Path, "/api/v3/") {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.all = append(x.all, exchange{r.Method, r.URL, in, out, resp.StatusCode, !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")})
	}
	return resp, nil
}

// openAPI is a published document.
type openAPI struct{ root map[string]any }

// check holds an exchange against the document. It returns the operation.
func (d *openAPI) check(e exchange) (operation string, problems []string) {
	template, item := d.path(strings.TrimPrefix(e.url.Path, "/api/v3"))
	op, ok := item[strings.ToLower(e.method)].(map[string]any)
	operation = e.method + " " + template
	if !ok {
		return operation, []string{"there is no such operation"}
	}
	known := []string{}
	for _, list := range []any{item["parameters"], op["parameters"]} {
		parameters, _ := list.([]any)
		for _, p := range parameters {
			if p := d.resolve(p); p["in"] == "query" {
				known = append(known, fmt.Sprint(p["name"]))
			}
		}
	}
	for name := range e.url.Query() {
		if !slices.Contains(known, name) {
			problems = append(problems, "there is no query "+name)
		}
	}
	if len(e.in) > 0 {
		problems = append(problems, d.body("the request", op["requestBody"], e.in, true)...)
	}
	out := e.out
	if e.status >= 400 && !e.isNoJSON {
		out = withoutStatus(out)
	}
	responses, _ := op["responses"].(map[string]any)
	response, documented := responses[strconv.Itoa(e.status)]
	switch {
	case e.isNoJSON:
	case documented:
		problems = append(problems, d.body("the answer", response, out, false)...)
	case e.status < 400:
		problems = append(problems, "no such status is documented")
	default:
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			return operation, append(problems, err.Error())
		}
		errorSchema := map[string]any{"$ref": "#/components/schemas/validation-error"}
		problems = append(problems, d.value("the answer", errorSchema, v, false)...)
	}
	return operation, problems
}

// withoutStatus removes the status that GitHub writes into every refusal, and
// documents for some of them only.
func withoutStatus(text []byte) []byte {
	var v map[string]any
	if json.Unmarshal(text, &v) != nil {
		return text
	}
	delete(v, "status")
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return out
}

// path finds the template of a path; the last parameter may hold slashes.
func (d *openAPI) path(path string) (string, map[string]any) {
	paths, _ := d.root["paths"].(map[string]any)
	best, literals := "", -1
	for template := range paths {
		if n := matches(strings.Split(template, "/"), strings.Split(path, "/")); n > literals {
			best, literals = template, n
		}
	}
	item, _ := paths[best].(map[string]any)
	return best, item
}

// matches returns how many elements of a template are a path's own, or -1 if
// the path is another.
func matches(template, path []string) int {
	last := strings.HasPrefix(template[len(template)-1], "{")
	if len(template) != len(path) && !(last && len(path) > len(template)) {
		return -1
	}
	n := 0
	for i, element := range template {
		switch {
		case element == path[i]:
			n++
		case !strings.HasPrefix(element, "{"):
			return -1
		}
	}
	if len(template) != len(path) {
		return n - 1 // the same with an element for each is better
	}
	return n
}

// resolve follows references.
func (d *openAPI) resolve(v any) map[string]any {
	m, _ := v.(map[string]any)
	for m["$ref"] != nil {
		at := any(d.root)
		for element := range strings.SplitSeq(strings.TrimPrefix(fmt.Sprint(m["$ref"]), "#/"), "/") {
			part, _ := at.(map[string]any)
			at = part[strings.NewReplacer("~1", "/", "~0", "~").Replace(element)]
		}
		m, _ = at.(map[string]any)
	}
	return m
}

// body holds JSON against a request body or a response of the document.
func (d *openAPI) body(what string, of any, text []byte, strict bool) []string {
	content, _ := d.resolve(of)["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	if media == nil {
		if len(text) == 0 || content == nil && !strict {
			return nil
		}
		return []string{what + " has a body, where none is documented"}
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return []string{what + ": " + err.Error()}
	}
	return d.value(what, media["schema"], v, strict)
}

// value holds a value against a schema: its members are known and of the right
// type and, if strict, those required are there.
func (d *openAPI) value(path string, of, v any, strict bool) []string {
	s := d.resolve(of)
	if v == nil {
		if s["nullable"] == true || s["type"] == nil || s["type"] == "null" {
			return nil
		}
		return []string{path + " is null"}
	}
	for _, word := range []string{"oneOf", "anyOf"} {
		options, _ := s[word].([]any)
		if len(options) == 0 {
			continue
		}
		var least []string
		for i, option := range options {
			problems := d.value(path, option, v, strict)
			if len(problems) == 0 {
				return nil
			}
			if i == 0 || len(problems) < len(least) {
				least = problems
			}
		}
		if s["properties"] == nil {
			return least
		}
	}
	if kind := jsonType(v); s["type"] != nil && s["type"] != kind && !(s["type"] == "number" && kind == "integer") {
		return []string{fmt.Sprintf("%s is a %s, not a %v", path, kind, s["type"])}
	}
	if allowed, ok := s["enum"].([]any); ok && !slices.Contains(allowed, v) {
		return []string{fmt.Sprintf("%s is %v, not one of %v", path, v, allowed)}
	}
	var problems []string
	switch v := v.(type) {
	case map[string]any:
		properties, open := d.properties(s)
		for name, member := range v {
			schema, known := properties[name]
			switch {
			case known:
				problems = append(problems, d.value(path+"."+name, schema, member, strict)...)
			case !open:
				problems = append(problems, path+"."+name+" is not documented")
			}
		}
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, there := v[fmt.Sprint(name)]; strict && !there {
				problems = append(problems, fmt.Sprintf("%s lacks %v", path, name))
			}
		}
	case []any:
		for _, element := range v {
			if s["items"] != nil {
				problems = append(problems, d.value(path+"[]", s["items"], element, strict)...)
			}
		}
	}
	return problems
}

// properties returns an object's members, and whether others may stand beside
// them: an object without any says nothing of what is in it.
func (d *openAPI) properties(s map[string]any) (all map[string]any, open bool) {
	all = map[string]any{}
	for _, part := range append([]any{s}, list(s["allOf"])...) {
		part := d.resolve(part)
		own, _ := part["properties"].(map[string]any)
		for name, schema := range own {
			all[name] = schema
		}
		if more, ok := part["additionalProperties"]; ok && more != false {
			open = true
		}
	}
	return all, open || len(all) == 0
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func TestTheDocumentIsHeldAgainst(t *testing.T) {
	d := &openAPI{}
	if err := json.Unmarshal([]byte(`{"paths":{"/repos/{owner}/{repo}/statuses/{sha}":{"post":{
		"parameters":[{"in":"query","name":"page"}],
		"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["state"],"properties":{"state":{"type":"string","enum":["success"]},"n":{"type":"integer","nullable":true}}}}}},
		"responses":{"201":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/status"}}}}}}}},
		"components":{"schemas":{"status":{"type":"object","properties":{"id":{"type":"integer"},"creator":{"oneOf":[{"type":"object","properties":{"login":{"type":"string"}}}]}}}}}}`), &d.root); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v3/repos/o/r/statuses/1"
	for _, c := range []struct{ name, method, url, in, out, want string }{
		{"as it is documented", "POST", path, `{"state":"success","n":null}`, `{"id":1,"creator":{"login":"a"}}`, ""},
		{"another path", "POST", "/api/v3/repos/o/r/status", `{}`, `{}`, "no such operation"},
		{"another method", "GET", path, ``, `{}`, "no such operation"},
		{"an unknown query", "POST", path + "?x=1", `{"state":"success"}`, `{}`, "no query x"},
		{"an unknown member of the request", "POST", path, `{"state":"success","x":1}`, `{}`, "the request.x is not documented"},
		{"a missing member of the request", "POST", path, `{}`, `{}`, "the request lacks state"},
		{"a word that is none of those allowed", "POST", path, `{"state":"stopped"}`, `{}`, "not one of"},
		{"null where it may not be", "POST", path, `{"state":null}`, `{}`, "the request.state is null"},
		{"an unknown member of the answer", "POST", path, `{"state":"success"}`, `{"creator":{"x":1}}`, "the answer.creator.x is not documented"},
		{"another type in the answer", "POST", path, `{"state":"success"}`, `{"id":"1"}`, "the answer.id is a string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := d.check(exchange{method: c.method, url: u, in: []byte(c.in), out: []byte(c.out), status: 201})
			if got := strings.Join(problems, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("check = %q, want %q", got, c.want)
			}
		})
	}
}
