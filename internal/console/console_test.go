package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func get(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func build(t *testing.T) http.Handler {
	return newHandler(fstest.MapFS{
		"index.html":          {Data: []byte("<head>" + marker + "<title>Slipway</title>")},
		"assets/app-1.js.br":  {Data: []byte("brotli")},
		"assets/app-1.js.gz":  {Data: packed(t, "plain")},
		"assets/sans-1.woff2": {Data: []byte("font")},
	})
}

func TestEveryAddressIsAPageThatKnowsItsRoot(t *testing.T) {
	h := build(t)
	for path, root := range map[string]string{
		"/console/":                  "./",
		"/console/projects":          "./",
		"/console/projects/app":      "../",
		"/console/builds/app%3A1":    "../",
		"/console/builds/a%2Fb/log":  "../../",
		"/console/assets":            "./",
		"/console/projects/app/":     "../../",
		"/console/../console/../etc": "../../../",
	} {
		w := get(h, path, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `<head><base href="`+root+`" /><title>`) {
			t.Errorf("GET %s = %d, %q; want a page with base %q", path, w.Code, w.Body, root)
		}
		if w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("GET %s may be cached, and so show an old version", path)
		}
	}
}

func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	for _, h := range []http.Handler{build(t), newHandler(fstest.MapFS{})} {
		for _, path := range []string{"/console/", "/console/assets/app-1.js", "/console/assets/none.js", "/console"} {
			header := get(h, path, "").Header()
			policy := header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") ||
				header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-Frame-Options") != "DENY" || header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("GET %s: headers %v", path, header)
			}
		}
	}
}

func TestAssetsComeInTheSmallestFormThatIsTaken(t *testing.T) {
	h := build(t)
	for _, c := range []struct{ accept, encoding, body string }{
		{"gzip, deflate, br, zstd", "br", "brotli"},
		{"gzip, br;q=0", "gzip", ""},
		{"gzip;q=0.000, br ; q = 0.5", "br", "brotli"},
		{"GZIP", "gzip", ""},
		{"", "", "plain"},
		{"identity", "", "plain"},
	} {
		w := get(h, "/console/assets/app-1.js", c.accept)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != c.encoding || (c.body != "" && w.Body.String() != c.body) {
			t.Errorf("with Accept-Encoding %q: %d %v %q, want %q %q", c.accept, w.Code, w.Header(), w.Body, c.encoding, c.body)
		}
		if w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("with Accept-Encoding %q: headers %v", c.accept, w.Header())
		}
	}
	if w := get(h, "/console/assets/sans-1.woff2", "br"); w.Body.String() != "font" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a font is %q, %v", w.Body, w.Header())
	}
	for _, path := range []string{"/console/assets/other.js", "/console/assets/", "/console/assets/../index.html", "/console/assets/app-1.js.br/x"} {
		if w := get(h, path, "br"); w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("GET %s = %d, %v; want a 404 that is not kept", path, w.Code, w.Header())
		}
	}
}

func TestConsoleIsReadOnly(t *testing.T) {
	w := httptest.NewRecorder()
	build(t).ServeHTTP(w, httptest.NewRequest("POST", "/console/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", w.Code)
	}
	w = httptest.NewRecorder()
	build(t).ServeHTTP(w, httptest.NewRequest("HEAD", "/console/assets/sans-1.woff2", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "4" {
		t.Errorf("HEAD = %d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestTheWayInIsRelative(t *testing.T) {
	w := get(build(t), "/console", "")
	if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "console/" {
		t.Errorf("GET /console = %d %q", w.Code, w.Header().Get("Location"))
	}
}

func TestAProgramWithoutConsoleSaysHowToAddIt(t *testing.T) {
	w := get(newHandler(fstest.MapFS{}), "/console/projects/app", "")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make build") || !strings.Contains(w.Body.String(), "Node") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
