package awsjson

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/secretsmanager"
	"slipway/internal/api/ssm"
	"slipway/internal/fault"
	"slipway/internal/sigv4"
)

var codeBuild = api.CodeBuild

// answer is what came back, as it was on the wire.
type answer struct {
	status int
	header http.Header
	body   string
}

// post sends a body to an operation, signed by alice unless header says otherwise.
func (r running) post(t testing.TB, target, body string, change func(*http.Request)) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", r.URL+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	sigv4.Sign(request, []byte(body), alice, "us-east-1", "codebuild", time.Now())
	if change != nil {
		change(request)
	}
	got, err := r.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(text)}
}

func TestAnswersOnTheWire(t *testing.T) {
	const prefix = "CodeBuild_20161006."
	body := func(name, message string) string {
		text, _ := json.Marshal(message)
		return `{"__type":"` + name + `","message":` + string(text) + `}`
	}
	tests := []struct {
		name, target, send string
		change             func(*http.Request)
		status             int
		want               string
	}{
		{name: "an output", target: prefix + "BatchGetProjects", send: `{"names":["a"]}`, status: 200,
			want: `{"projects":[{"arn":"arn:aws:codebuild:us-east-1:123456789012:project/a","created":1472848787.882,"description":"<&>","name":"a"}]}`},
		{name: "an empty output is {}", target: prefix + "DeleteProject", send: `{"name":"a"}`, status: 200, want: `{}`},
		{name: "no output is {}", target: prefix + "StopBuild", send: `{"id":"project:nil"}`, status: 200, want: `{}`},
		{name: "an unknown member is ignored", target: prefix + "DeleteProject", send: `{"name":"a","colour":{"b":[1]}}`, status: 200, want: `{}`},
		{name: "null is absent", target: prefix + "BatchGetProjects", send: `{"names":null}`, status: 400,
			want: body("ValidationException", "1 validation error detected: Value null at 'names' failed to satisfy constraint: Member must not be null")},
		{name: "an empty body is an empty object", target: prefix + "BatchGetProjects", status: 400,
			want: body("ValidationException", "1 validation error detected: Value null at 'names' failed to satisfy constraint: Member must not be null")},
		{name: "a broken constraint", target: prefix + "BatchGetProjects", send: `{"names":[]}`, status: 400,
			want: body("ValidationException", "1 validation error detected: Value '[0 elements]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1")},

		{name: "not JSON", target: prefix + "BatchGetProjects", send: `{"names":[ghp_secret]}`, status: 400, want: body("SerializationException", "The request's body is not valid JSON.")},
		{name: "two values", target: prefix + "DeleteProject", send: `{"name":"a"}{}`, status: 400, want: body("SerializationException", "The request's body is not valid JSON.")},
		{name: "a body that ends early", target: prefix + "BatchGetProjects", send: `{"names":[`, status: 400, want: body("SerializationException", "The request's body is not valid JSON.")},
		{name: "a list for a body", target: prefix + "BatchGetProjects", send: `[]`, status: 400, want: body("SerializationException", "The request's body must be a JSON object.")},
		{name: "a string for a list", target: prefix + "BatchGetProjects", send: `{"names":"ghp_secret"}`, status: 400, want: body("SerializationException", "Member 'names' has a value that is not a list.")},
		{name: "a number too large", target: prefix + "StartBuild", send: `{"projectName":"a","timeoutInMinutesOverride":1e400}`, status: 400,
			want: body("SerializationException", "Member 'timeoutInMinutesOverride' has a value that is not a whole number.")},
		{name: "a wrong type far inside", target: prefix + "CreateProject", send: `{"name":"a","environment":{"environmentVariables":[{"name":7}]}}`, status: 400,
			want: body("SerializationException", "Member 'environment.environmentVariables.name' has a value that is not a string.")},
		{name: "a token that is no string", target: prefix + "ImportSourceCredentials", send: `{"token":["ghp_secret"]}`, status: 400,
			want: body("SerializationException", "A member of the request has a value of the wrong type.")},
		{name: "a body over the limit", target: prefix + "DeleteProject", send: `{"name":"` + strings.Repeat("a", 2000) + `"}`, status: 413,
			want: body("RequestEntityTooLargeException", "The request's body is longer than 2000 bytes.")},
		{name: "a body over the limit of unknown length", target: prefix + "DeleteProject", send: `{"name":"` + strings.Repeat("a", 2000) + `"}`, status: 413,
			change: func(r *http.Request) { r.ContentLength = -1 }, want: body("RequestEntityTooLargeException", "The request's body is longer than 2000 bytes.")},

		{name: "no target", status: 400, want: body("UnknownOperationException", unknownOperation.message)},
		{name: "an unknown operation", target: prefix + "MakeCoffee", status: 400, want: body("UnknownOperationException", unknownOperation.message)},
		{name: "an unknown service", target: "Coffee_1.MakeCoffee", status: 400, want: body("UnknownOperationException", unknownOperation.message)},
		{name: "another method", target: prefix + "ListProjects", change: func(r *http.Request) { r.Method = "PUT" }, status: 400, want: body("UnknownOperationException", unknownOperation.message)},
		{name: "an operation that is not built", target: prefix + "ListFleets", send: `{}`, status: 501, want: body("NotImplementedException", "Slipway does not implement ListFleets yet.")},

		{name: "no signature", target: prefix + "ListProjects", send: `{}`, status: 400, change: func(r *http.Request) { r.Header.Del("Authorization") },
			want: body("MissingAuthenticationTokenException", "Missing Authentication Token")},
		{name: "half a signature", target: prefix + "ListProjects", send: `{}`, status: 400, change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Signature=00") },
			want: body("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.")},
		{name: "a signature for another service", target: "Logs_20140328.GetLogEvents", send: `{}`, status: 400,
			want: body("InvalidSignatureException", "Credential should be scoped to correct service: 'logs'.")},

		{name: "an internal failure", target: prefix + "StopBuild", send: `{"id":"project:internal"}`, status: 500, want: body("InternalFailure", "internal failure")},
		{name: "a panic", target: prefix + "StopBuild", send: `{"id":"project:panic"}`, status: 500, want: body("InternalFailure", "internal failure")},
		{name: "we are stopping", target: prefix + "StopBuild", send: `{"id":"project:unavailable"}`, status: 503, want: body("ServiceUnavailableException", "Stopping")},
		{name: "a denial", target: prefix + "StopBuild", send: `{"id":"project:denied"}`, status: 400, want: body("AccessDeniedException", "No")},
	}
	s := start(t, Options{MaxBody: 2000})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := s.post(t, test.target, test.send, test.change)
			if got.status != test.status || got.body != test.want {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, test.status, test.want)
			}
			if kind := got.header.Get("Content-Type"); kind != "application/x-amz-json-1.1" {
				t.Errorf("Content-Type = %s", kind)
			}
			if id := got.header.Get("x-amzn-RequestId"); !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("x-amzn-RequestId = %q", id)
			}
			var e struct {
				Type string `json:"__type"`
			}
			if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.header.Get("x-amzn-ErrorType") != e.Type {
				t.Errorf("x-amzn-ErrorType = %q, want %q (%v)", got.header.Get("x-amzn-ErrorType"), e.Type, err)
			}
		})
	}
	if log := s.log.String(); strings.Contains(log, "ghp_secret") || !strings.Contains(log, "disk /var/lib/slipway is full") {
		t.Errorf("log:\n%s", log)
	}
}

func TestAnInternalFailureCanBeFoundInTheLog(t *testing.T) {
	s := start(t, Options{})
	for id, want := range map[string]string{"internal": "disk /var/lib/slipway is full", "panic": "tiny.StopBuild", "provider": "HTTP 401 from api.github.com"} {
		got := s.post(t, "CodeBuild_20161006.StopBuild", `{"id":"project:`+id+`"}`, nil)
		found := false
		for line := range strings.Lines(s.log.String()) {
			found = found || strings.Contains(line, "requestId="+got.header.Get("x-amzn-RequestId")) && strings.Contains(line, want) && strings.Contains(line, "operation=StopBuild")
		}
		if !found || strings.Contains(got.body, want) {
			t.Errorf("%s: answered %s, logged\n%s", id, got.body, s.log.String())
		}
	}
}

func TestAFailingKeyLookUpIsOurFailure(t *testing.T) {
	s := start(t, Options{})
	key := alice
	key.ID = "AKIABROKEN"
	err := s.client(key).Call(t.Context(), codeBuild, "ListProjects", nil, nil)
	if e, ok := err.(*Error); !ok || e.Name != "InternalFailure" || e.Status != 500 {
		t.Errorf("ListProjects: %v, want InternalFailure", err)
	}
	if !strings.Contains(s.log.String(), "disk /var/lib/slipway is full") {
		t.Errorf("log:\n%s", s.log.String())
	}
}

func TestEveryKindAndEveryRefusalHasAName(t *testing.T) {
	for service, e := range exceptions {
		for kind := fault.Internal; kind <= fault.Gone; kind++ {
			if e.kinds[kind] == "" {
				t.Errorf("%s: kind %d has no name", service, kind)
			}
		}
	}
	for reason := sigv4.Missing; reason <= sigv4.Mismatch; reason++ {
		if e := refusals[reason]; e.json == "" || e.query == "" || e.queryStatus < 400 {
			t.Errorf("reason %d has %+v", reason, e)
		}
	}
}

// Clients branch on names: one that no operation declares helps nobody.
func TestReasonsHaveNamesThatTheModelsDeclare(t *testing.T) {
	for _, d := range []*api.Definition{ssm.Definition, secretsmanager.Definition} {
		declared := map[string]bool{}
		for _, op := range d.Operations {
			for _, name := range op.Errors {
				declared[name] = true
			}
		}
		e := exceptions[d.Name]
		for reason, name := range e.reasons {
			if !declared[name] {
				t.Errorf("%s: %q is %s, which no operation declares", d.Name, reason, name)
			}
			err := fmt.Errorf("put: %w", fault.Because(reason, fault.Invalid, "no"))
			if got := e.of(err); got != name {
				t.Errorf("%s: %v is %s, want %s", d.Name, err, got, name)
			}
		}
		if plain := fault.New(fault.Invalid, "no"); e.of(plain) != e.kinds[fault.Invalid] {
			t.Errorf("%s: %v is %s", d.Name, plain, e.of(plain))
		}
	}
}

func TestQueryAnswersOnTheWire(t *testing.T) {
	s := start(t, Options{AcceptAny: true})
	form := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	got := s.post(t, "", "Action=GetCallerIdentity&Version=2011-06-15", form)
	caller := accesskey.Caller{User: "local"}
	caller.Scope.Account = "000000000000"
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/local</Arn><UserId>` +
		caller.UserID() + `</UserId><Account>000000000000</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>` + got.header.Get("x-amzn-RequestId") +
		`</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "text/xml" {
		t.Errorf("got %d %s\nwant %s", got.status, got.body, want)
	}
	for _, body := range []string{"Action=AssumeRole&Version=2011-06-15", "Action=GetCallerIdentity&Version=2006-01-01", "Action=%zz", "", "Action=<b>"} {
		got := s.post(t, "", body, form)
		if got.status != 400 || !strings.Contains(got.body, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>`) {
			t.Errorf("%q: got %d %s", body, got.status, got.body)
		}
	}
}

func TestAPageOfAReboundNameIsRefused(t *testing.T) {
	s := start(t, Options{AcceptAny: true})
	tests := []struct {
		host, origin string
		ok           bool
	}{
		{"evil.example:4680", "http://evil.example:4680", false},
		{"localhost.evil.example", "http://localhost.evil.example", false},
		{"evil.example:4680", "", true}, // no browser: a name of the bench's own
		{"localhost:4680", "http://localhost:4680", true},
		{"slipway.localhost", "http://slipway.localhost", true},
		{"127.0.0.1:4680", "http://127.0.0.1:4680", true},
		{"[::1]:4680", "http://[::1]:4680", true},
		{"[::1]", "http://[::1]", true},
	}
	for _, test := range tests {
		got := s.post(t, "CodeBuild_20161006.DeleteProject", `{"name":"a"}`, func(r *http.Request) {
			r.Host = test.host
			r.Header.Set("Origin", test.origin)
		})
		if ok := got.status == 200; ok != test.ok {
			t.Errorf("host %s, origin %s: %d %s", test.host, test.origin, got.status, got.body)
		}
	}
}

func TestAnUnsignedOperationIsForWhoeverAsks(t *testing.T) {
	const target = "Slipway_20261123.SignIn"
	signIn := `{"code":"` + token + `"}`
	unsigned := func(r *http.Request) { r.Header.Del("Authorization") }
	from := func(host, origin string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("Origin", origin)
			r.Host = host
		}
	}
	tests := []struct {
		name, send string
		change     func(*http.Request)
		status     int
		exception  string
	}{
		{"without a signature", signIn, unsigned, 200, ""},
		{"what signature there is says nothing", signIn, nil, 200, ""},
		{"a wrong signature says nothing", signIn, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x") }, 200, ""},
		{"what a proxy says is cut", signIn, func(r *http.Request) { r.Header.Set("X-Forwarded-For", strings.Repeat("1.2.3.4, \u00e4", 500)) }, 200, ""},
		{"the operation has the last word", `{"code":"x"}`, unsigned, 400, "InvalidInputException"},
		{"the limit of bodies holds", `{"code":"` + strings.Repeat("x", 3000) + `"}`, unsigned, 413, "RequestEntityTooLargeException"},
		{"our own page", signIn, from("ci.lan:4680", "http://ci.lan:4680"), 200, ""},
		{"our own page behind TLS", signIn, from("ci.lan", "https://ci.lan"), 200, ""},
		{"our own page on its scheme's port", signIn, from("ci.lan:443", "https://CI.lan"), 200, ""},
		{"our own page behind a proxy that changes the host", signIn, from("127.0.0.1:4680", "https://ci.example.com"), 200, ""},
		{"a page of another host", signIn, from("ci.lan:4680", "http://evil.example"), 400, "AccessDeniedException"},
		{"a page of another port", signIn, from("ci.lan:4680", "http://ci.lan:4681"), 400, "AccessDeniedException"},
		{"a page without an origin of its own", signIn, from("ci.lan:4680", "null"), 400, "AccessDeniedException"},
		{"an origin that is none", signIn, from("ci.lan:4680", "%zz"), 400, "AccessDeniedException"},
	}
	s := start(t, Options{MaxBody: 2000, PublicURL: "https://ci.example.com:443/slipway"})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := s.post(t, target, test.send, test.change)
			if got.status != test.status || got.header.Get("X-Amzn-Errortype") != test.exception {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, test.status, test.exception)
			}
		})
	}
	t.Run("signed operations stay signed", func(t *testing.T) {
		if got := s.post(t, "Slipway_20261123.ListSessions", `{}`, unsigned); got.header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("a bench refuses pages of rebound names", func(t *testing.T) {
		bench := start(t, Options{AcceptAny: true})
		if got := bench.post(t, target, signIn, from("evil.example:4680", "http://evil.example:4680")); got.status != 400 {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got := bench.post(t, target, signIn, from("127.0.0.1:4680", "http://127.0.0.1:4680")); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

func TestAServerWithoutKeysDoesNotStart(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewServer without keys returned")
		}
	}()
	NewServer(Options{})
}

// FuzzBody holds that whatever the body is, the answer is JSON of a known
// status, and that nothing but the operations fails internally.
func FuzzBody(f *testing.F) {
	operations := []string{"BatchGetProjects", "ImportSourceCredentials", "CreateProject", "StartBuild", "StopBuild"}
	for i, body := range []string{`{"names":["a"]}`, `{"token":"x","authType":"BASIC_AUTH"}`, `{"name":"a","source":{"type":"GITHUB"}}`, `{"projectName":[]}`, `{"id":"project:invalid"}`} {
		f.Add(i, []byte(body))
	}
	s := NewServer(Options{AcceptAny: true}, Service{codeBuild, tiny{}})
	f.Fuzz(func(t *testing.T, i int, body []byte) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
		r.Header.Set("X-Amz-Target", "CodeBuild_20161006."+operations[uint(i)%uint(len(operations))])
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("answer is not JSON: %q", w.Body)
		}
		switch w.Code {
		case 200, 400, 413, 501, 503:
		case 500:
			if !strings.Contains(string(body), "project:") {
				t.Errorf("%s: %s", body, w.Body)
			}
		default:
			t.Errorf("status = %d", w.Code)
		}
	})
}
