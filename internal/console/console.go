// Package console serves the web console that is built into this program: an
// ordinary client of the API, whose source is in web/.
package console

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var built embed.FS

// Handler serves the console below /console/. Its pages have the headers that
// keep a browser from running or fetching anything that is not ours. A program
// that was built without the console says so, and how to build one with it.
func Handler() http.Handler {
	app, err := fs.Sub(built, "dist/app")
	if err != nil { // the path is valid, so this cannot be
		panic(err)
	}
	return newHandler(app)
}

// marker is the element of the built page that says where the console's root
// is; the server puts the right one in its place.
const marker = `<base href="/console/" />`

type handler struct {
	app           fs.FS
	before, after string // of the page, around the marker; empty if there is no console
}

// newHandler serves the build in app.
func newHandler(app fs.FS) http.Handler {
	h := &handler{app: app}
	page, err := fs.ReadFile(app, "index.html")
	if err == nil {
		h.before, h.after, _ = strings.Cut(string(page), marker)
	}
	return h
}

// policy lets pages load from where they came and from nowhere else. Pictures
// of the design system are inside its style sheets.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The console is read only: requests to the API go to /", http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	name, inside := strings.CutPrefix(r.URL.Path, "/console/")
	switch {
	case !inside:
		header.Set("Location", "console/") // relative: a proxy may have taken a prefix off
		w.WriteHeader(http.StatusMovedPermanently)
	case strings.HasPrefix(name, "assets/"):
		h.asset(w, r, name)
	default:
		h.page(w, r)
	}
}

// page sends the one page that there is: which of the console's pages it shows
// is decided in the browser, from the address.
func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if h.before == "" {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, absent)
		return
	}
	_, _ = io.WriteString(w, h.before+`<base href="`+rootOf(r)+`" />`+h.after) // a reader who left needs no page
}

// rootOf is the way from the address of the page up to the console's root. It
// is relative, since the server does not know what stands before it at a proxy.
func rootOf(r *http.Request) string {
	depth := strings.Count(strings.TrimPrefix(r.URL.EscapedPath(), "/console/"), "/")
	if depth == 0 {
		return "./"
	}
	return strings.Repeat("../", depth)
}

const absent = `<!doctype html>
<html lang="en"><title>No console</title>
<h1>This slipway was built without its console</h1>
<p>To add it, install Node 20.19 or later (with npm) and run <code>make build</code> in the source folder again.
<p>Everything the console does, the AWS CLI and <code>slipway --help</code> do too.
`

// An encoding is a form in which an asset is embedded.
type encoding struct{ name, suffix string }

var encodings = []encoding{{"br", ".br"}, {"gzip", ".gz"}}

// asset sends a file whose name says its content, in the smallest form that the
// browser takes.
func (h *handler) asset(w http.ResponseWriter, r *http.Request, name string) {
	if !fs.ValidPath(name) {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType(name))
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Vary", "Accept-Encoding")
	for _, e := range encodings {
		if !accepts(r, e.name) {
			continue
		}
		if body, err := fs.ReadFile(h.app, name+e.suffix); err == nil {
			header.Set("Content-Encoding", e.name)
			send(w, r, body)
			return
		}
	}
	body, err := h.plain(name)
	if err != nil {
		header.Del("Cache-Control") // the next version may have it
		http.NotFound(w, r)
		return
	}
	send(w, r, body)
}

// plain returns a file for who takes no compression, which no browser is.
func (h *handler) plain(name string) ([]byte, error) {
	body, err := fs.ReadFile(h.app, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return body, err
	}
	packed, err := fs.ReadFile(h.app, name+".gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func send(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a reader who left needs no file
}

// accepts reports whether a request takes an encoding.
func accepts(r *http.Request, encoding string) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for _, one := range strings.Split(line, ",") {
			name, weight, _ := strings.Cut(one, ";")
			weight = strings.ReplaceAll(weight, " ", "")
			if strings.EqualFold(strings.TrimSpace(name), encoding) && weight != "q=0" && !strings.HasPrefix(weight, "q=0.0") {
				return true
			}
		}
	}
	return false
}

// contentType is decided here, since the system's table differs between machines.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	case ".woff2":
		return "font/woff2"
	case ".png":
		return "image/png"
	}
	return "application/octet-stream"
}
