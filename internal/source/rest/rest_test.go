package rest

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
)

const token = "ghp_hunter2hunter2hunter2/+x"

// plain is a dialect without opinions.
func plain() Dialect {
	return Dialect{
		Name:      "Forge",
		Authorize: func(r *http.Request, by source.Login) { r.Header.Set("Authorization", "Bearer "+by.Token.Reveal()) },
		Limited: func(a *Answer) (time.Duration, bool) {
			after, _ := RetryAfter(a.Header, time.Now())
			return after, a.Status == http.StatusTooManyRequests
		},
		Explain: func(*Answer, *source.Refusal, Call) {},
		Words: func(a *Answer) string {
			var said struct{ Message string }
			_ = json.Unmarshal(a.Body, &said)
			return said.Message
		},
		Keep: []string{"X-Request-Id"},
	}
}

// A waiter counts the waits between tries and does not wait.
type waiter struct{ waits []time.Duration }

func (w *waiter) pause(_ context.Context, d time.Duration) error {
	w.waits = append(w.waits, d)
	return nil
}

func site(base string) source.Site { return source.Site{APIBase: base + "/api", WebBase: base} }

func login() source.Login { return source.Login{Token: secret.New(token)} }

// answers serves these answers, one after the other, the last for ever.
func answers(t *testing.T, all ...func(http.ResponseWriter, *http.Request)) (url string, calls *atomic.Int64) {
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1)) - 1
		all[min(n, len(all)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, calls
}

func status(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func TestWhatIsTriedAgain(t *testing.T) {
	ok := status(200, `{}`)
	tests := []struct {
		name    string
		method  string
		again   bool // Call.Repeatable
		answers []func(http.ResponseWriter, *http.Request)
		calls   int64
		cause   slipway.FailureCause // "" means success
		after   time.Duration
	}{
		{"a reading call, when the provider is overloaded", "GET", false, []func(http.ResponseWriter, *http.Request){status(503, ""), status(502, ""), ok}, 3, "", 0},
		{"a reading call, five times and no more", "GET", false, []func(http.ResponseWriter, *http.Request){status(500, "")}, 5, slipway.FailureCauseProviderError, 0},
		{"a reading call that is limited for a moment", "GET", false, []func(http.ResponseWriter, *http.Request){status(429, "", "Retry-After", "3"), ok}, 2, "", 0},
		{"not one that is limited for long", "GET", false, []func(http.ResponseWriter, *http.Request){status(429, "", "Retry-After", "600")}, 1, slipway.FailureCauseRateLimited, 10 * time.Minute},
		{"not one that is limited for who knows how long", "GET", false, []func(http.ResponseWriter, *http.Request){status(429, "Retry later")}, 1, slipway.FailureCauseRateLimited, time.Minute},
		{"not one that is refused", "GET", false, []func(http.ResponseWriter, *http.Request){status(403, `{"message":"no"}`)}, 1, slipway.FailureCauseMissingScope, 0},
		{"not one that is not implemented", "GET", false, []func(http.ResponseWriter, *http.Request){status(501, "")}, 1, slipway.FailureCauseProviderError, 0},
		{"no writing call", "POST", false, []func(http.ResponseWriter, *http.Request){status(503, "")}, 1, slipway.FailureCauseProviderError, 0},
		{"but a writing one that says so", "POST", true, []func(http.ResponseWriter, *http.Request){status(503, ""), ok}, 2, "", 0},
		{"a reading call whose connection breaks", "GET", false, []func(http.ResponseWriter, *http.Request){func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ok}, 2, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, calls := answers(t, tt.answers...)
			w := &waiter{}
			_, err := New(plain(), Options{Pause: w.pause}).Do(t.Context(), Call{Method: tt.method, URL: url + "/api/x", At: site(url), By: login(), Body: struct{}{}, Repeatable: tt.again})
			if calls.Load() != tt.calls {
				t.Errorf("%d calls, want %d", calls.Load(), tt.calls)
			}
			if len(w.waits) != int(tt.calls)-1 {
				t.Errorf("waited %d times between %d calls", len(w.waits), tt.calls)
			}
			refusal, _ := errors.AsType[*source.Refusal](err)
			switch {
			case tt.cause == "" && err != nil:
				t.Errorf("got %v, want success", err)
			case tt.cause != "" && (refusal == nil || refusal.Cause != tt.cause || refusal.After != tt.after):
				t.Errorf("got %+v, want cause %s after %v", err, tt.cause, tt.after)
			}
		})
	}
}

func TestTheTokenStaysOnItsHost(t *testing.T) {
	thief, stolen := answers(t, status(200, `{}`))
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		url    func(base string) string
		cause  slipway.FailureCause
	}{
		{"a redirect to another host is not followed", status(301, "", "Location", thief+"/api/x"), nil, slipway.FailureCauseMoved},
		{"nor one that keeps the method", status(307, "", "Location", thief+"/api/x"), nil, slipway.FailureCauseMoved},
		{"nor one to another scheme", status(301, "", "Location", strings.Replace(thief, "http://", "https://", 1)+"/x"), nil, slipway.FailureCauseMoved},
		{"nor one that leads nowhere", status(302, ""), nil, slipway.FailureCauseMoved},
		{"an address elsewhere is not called", status(200, ""), func(string) string { return thief + "/api/x" }, slipway.FailureCauseRejected},
		{"nor one with a login in it", status(200, ""), func(base string) string { return strings.Replace(base, "://", "://u:p@", 1) }, slipway.FailureCauseRejected},
		{"nor one that is no web address", status(200, ""), func(string) string { return "file:///etc/passwd" }, slipway.FailureCauseRejected},
		{"nor one that is no address", status(200, ""), func(string) string { return "http://%zz" }, slipway.FailureCauseRejected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := answers(t, tt.answer)
			to := url + "/api/x"
			if tt.url != nil {
				to = tt.url(url)
			}
			_, err := New(plain(), Options{}).Do(t.Context(), Call{URL: to, At: site(url), By: login()})
			refusal, ok := errors.AsType[*source.Refusal](err)
			if !ok || refusal.Cause != tt.cause {
				t.Errorf("got %v, want cause %s", err, tt.cause)
			}
		})
	}
	if stolen.Load() > 0 {
		t.Errorf("the other host was called %d times", stolen.Load())
	}
}

func TestRedirectsOnTheSameHostAreFollowed(t *testing.T) {
	url, calls := answers(t, status(301, "", "Location", "/api/new"), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/new" || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	if _, err := New(plain(), Options{}).Do(t.Context(), Call{URL: url + "/api/old", At: site(url), By: login()}); err != nil {
		t.Error(err)
	}
	round, _ := answers(t, status(302, "", "Location", "/api/x"))
	if _, err := New(plain(), Options{Pause: (&waiter{}).pause}).Do(t.Context(), Call{URL: round + "/api/x", At: site(round)}); err == nil || calls.Load() != 2 {
		t.Errorf("a redirect in a circle ended with %v", err)
	}
}

func TestRefusalsAreFitToShow(t *testing.T) {
	url, _ := answers(t, status(403, `{"message":"bad\n\u001b[31m `+token+` ghp_hunter2hunter2hunter2%2F%2Bx`+strings.Repeat("!", 500)+`"}`, "X-Request-Id", "r-1", "Set-Cookie", "session=1"))
	_, err := New(plain(), Options{}).Do(t.Context(), Call{URL: url + "/api/x", At: site(url), By: login()})
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		t.Fatalf("got %v, want a Refusal", err)
	}
	if said := fmt.Sprintf("%v %+v", err, *refusal); strings.Contains(said, "hunter2") || strings.ContainsAny(refusal.Message, "\n\x1b") || len(refusal.Message) > 400 {
		t.Errorf("the refusal says %q", said)
	}
	if refusal.Header.Get("X-Request-Id") != "r-1" || len(refusal.Header) != 1 {
		t.Errorf("kept headers %v, want the request id alone", refusal.Header)
	}
}

func TestPages(t *testing.T) {
	var base string
	base, _ = answers(t, func(w http.ResponseWriter, r *http.Request) {
		if page := r.URL.Query().Get("page"); page != "3" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/api/x?page=%d>; rel="next", <%s/api/x?page=3>; rel="last"`, base, len(page)+1+map[string]int{"": 1, "2": 1}[page], base))
		}
		_, _ = w.Write([]byte(`{"page":"` + r.URL.Query().Get("page") + `"}`))
	})
	var seen []string
	err := New(plain(), Options{}).Pages(t.Context(), Call{URL: base + "/api/x", At: site(base), By: login()}, NextLink, func(a *Answer) (bool, error) {
		var v struct{ Page string }
		seen = append(seen, "")
		return true, a.JSON(&v)
	})
	if err != nil || len(seen) != 3 {
		t.Errorf("read %d pages, %v, want 3", len(seen), err)
	}
	elsewhere, _ := answers(t, status(200, "{}", "Link", `<https://evil.example/x>; rel="next"`))
	err = New(plain(), Options{}).Pages(t.Context(), Call{URL: elsewhere + "/api/x", At: site(elsewhere), By: login()}, NextLink, func(*Answer) (bool, error) { return true, nil })
	if err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("a next page elsewhere: %v, want a refusal", err)
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(status(200, "{}")))
	defer s.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	c := New(plain(), Options{Pause: (&waiter{}).pause})
	call := func(change func(*source.Site)) error {
		at := site(s.URL)
		change(&at)
		_, err := c.Do(t.Context(), Call{URL: s.URL + "/api/x", At: at, By: login()})
		return err
	}
	err := call(func(*source.Site) {})
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok || refusal.Cause != slipway.FailureCauseCertificate || !strings.Contains(refusal.NextStep, "--ca-file") {
		t.Errorf("an unknown authority: %+v, want cause CERTIFICATE and what to do", err)
	}
	if err := call(func(at *source.Site) { at.CA = ca }); err != nil {
		t.Errorf("with its authority: %v", err)
	}
	if err := call(func(at *source.Site) { at.Insecure = true }); err != nil {
		t.Errorf("without a check: %v", err)
	}
	if err := call(func(*source.Site) {}); err == nil {
		t.Error("what one site trusts is trusted for others")
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(status(200, "")))
	url := s.URL
	s.Close()
	_, err := New(plain(), Options{Pause: (&waiter{}).pause}).Do(t.Context(), Call{URL: url + "/api/x", At: site(url), By: login()})
	refusal, ok := errors.AsType[*source.Refusal](err)
	if !ok || refusal.Cause != slipway.FailureCauseUnreachable || !refusal.Again {
		t.Errorf("got %+v, want UNREACHABLE and worth another try", err)
	}
}
