package agentapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A Backend answers agents. Every method checks token first: a fault of kind
// Denied is a bad token, of kind Gone a build this attempt no longer holds.
// Methods may be called from several goroutines and may be repeated.
type Backend interface {
	// Begin records that the agent lives and returns its work.
	Begin(ctx context.Context, buildID string, token secret.Text) (*Work, error)
	// Credential returns the login to one source, or to a submodule of it,
	// while the fetch lasts.
	Credential(ctx context.Context, buildID string, token secret.Text, in CredentialRequest) (*Credential, error)
	// Report applies events, durably, and prolongs the agent's lease.
	Report(ctx context.Context, buildID string, token secret.Text, in Report) (*Answer, error)
	// Log appends one frame to the build's log; seq counts frames from 0. The
	// frame is the caller's again when Log returns.
	Log(ctx context.Context, buildID string, token secret.Text, seq uint64, frame []byte) error
	// Secrets returns the values of references while sources are downloaded.
	Secrets(ctx context.Context, buildID string, token secret.Text, in SecretsRequest) (*Secrets, error)
	// PutReport keeps a report of the build.
	PutReport(ctx context.Context, buildID string, token secret.Text, in ReportUpload) (*ReportStored, error)
	// Get opens an object, which the caller closes; NotFound if there is none.
	Get(ctx context.Context, buildID string, token secret.Text, o Object) (io.ReadCloser, ObjectInfo, error)
	// List returns the paths of the objects below o, which is a folder.
	List(ctx context.Context, buildID string, token secret.Text, o Object) ([]string, error)
	// Put stores all of body, or nothing if it fails.
	Put(ctx context.Context, buildID string, token secret.Text, o Object, body io.Reader) (ObjectInfo, error)
}

// Path is where a server mounts the handler.
const Path = "/agent/v1/builds/"

// How much of a body is read, and how long it may take to arrive.
const (
	maxCredentialRequest = 16 << 10 // JSON may write a URL's bytes as six
	maxReport            = 2 << 20
	maxSecrets           = 4 << 20
	maxUpload            = 64 << 20 // a report: coverage has an entry for each file
	bodyTime             = time.Minute
)

// NewHandler returns the server's side over b, for requests under Path. Faults
// of b reach the agent with their message, anything else is logged to log and
// answered 500 without a word of it.
func NewHandler(b Backend, log *slog.Logger) http.Handler {
	h := &handler{backend: b, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path+"{id}/begin", h.begin)
	mux.HandleFunc("POST "+Path+"{id}/credential", h.credential)
	mux.HandleFunc("POST "+Path+"{id}/report", h.report)
	mux.HandleFunc("POST "+Path+"{id}/log", h.frame)
	mux.HandleFunc("POST "+Path+"{id}/secrets", h.secrets)
	mux.HandleFunc("POST "+Path+"{id}/reports", h.upload)
	mux.HandleFunc("POST "+Path+"{id}/object/get", h.getObject)
	mux.HandleFunc("POST "+Path+"{id}/object/list", h.listObjects)
	mux.HandleFunc("PUT "+Path+"{id}/object", h.putObject)
	return mux
}

type handler struct {
	backend Backend
	log     *slog.Logger
	buffers sync.Pool // of *bytes.Buffer: logs are the bulk of what agents send
}

func (h *handler) begin(w http.ResponseWriter, r *http.Request) {
	token, ok := h.token(w, r)
	if !ok {
		return
	}
	work, err := h.backend.Begin(r.Context(), r.PathValue("id"), token)
	h.answer(w, r, work, err)
}

func (h *handler) credential(w http.ResponseWriter, r *http.Request) {
	h.withBody(w, r, maxCredentialRequest, func(token secret.Text, body []byte) (any, error) {
		var in CredentialRequest
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return h.backend.Credential(r.Context(), r.PathValue("id"), token, in)
	})
}

func (h *handler) report(w http.ResponseWriter, r *http.Request) {
	h.withBody(w, r, maxReport, func(token secret.Text, body []byte) (any, error) {
		var in Report
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return h.backend.Report(r.Context(), r.PathValue("id"), token, in)
	})
}

func (h *handler) secrets(w http.ResponseWriter, r *http.Request) {
	h.withBody(w, r, maxSecrets, func(token secret.Text, body []byte) (any, error) {
		var in SecretsRequest
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return h.backend.Secrets(r.Context(), r.PathValue("id"), token, in)
	})
}

func (h *handler) upload(w http.ResponseWriter, r *http.Request) {
	h.withBody(w, r, maxUpload, func(token secret.Text, body []byte) (any, error) {
		var in ReportUpload
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return h.backend.PutReport(r.Context(), r.PathValue("id"), token, in)
	})
}

func (h *handler) frame(w http.ResponseWriter, r *http.Request) {
	h.withBody(w, r, MaxFrame, func(token secret.Text, body []byte) (any, error) {
		seq, err := strconv.ParseUint(r.URL.Query().Get("seq"), 10, 64)
		if err != nil {
			return nil, fault.New(fault.Invalid, "seq must be the number of the frame")
		}
		return struct{}{}, h.backend.Log(r.Context(), r.PathValue("id"), token, seq, body)
	})
}

// withBody calls do with the request's token and body, which is do's until it
// returns, and answers what do returns.
func (h *handler) withBody(w http.ResponseWriter, r *http.Request, limit int64, do func(secret.Text, []byte) (any, error)) {
	token, ok := h.token(w, r)
	if !ok {
		return
	}
	buf, _ := h.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	defer func() {
		if buf.Cap() <= 2*MaxFrame { // a report's is rare, and would stay
			buf.Reset()
			h.buffers.Put(buf)
		}
	}()
	// Not every writer knows deadlines; the server's own limits hold then.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit)); err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			refuse(w, http.StatusRequestEntityTooLarge, "the request has more than "+strconv.FormatInt(limit, 10)+" bytes")
			return
		}
		refuse(w, http.StatusBadRequest, "the request ended early")
		return
	}
	out, err := do(token, buf.Bytes())
	h.answer(w, r, out, err)
}

// token returns the request's bearer token. Without one it answers 401, before
// anything of the body is read.
func (h *handler) token(w http.ResponseWriter, r *http.Request) (secret.Text, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		refuse(w, http.StatusUnauthorized, "a bearer token is needed")
		return secret.Text{}, false
	}
	return secret.New(token), true
}

// statuses is what a kind of failure is on the wire; others are 500.
var statuses = map[fault.Kind]int{
	fault.Invalid:     http.StatusBadRequest,
	fault.Constraint:  http.StatusBadRequest,
	fault.Denied:      http.StatusUnauthorized,
	fault.NotFound:    http.StatusNotFound,
	fault.Gone:        http.StatusGone,
	fault.Limit:       http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, out any, err error) {
	if err != nil {
		status, known := statuses[fault.KindOf(err)]
		if !known {
			if r.Context().Err() == nil { // or else it is the agent who went away
				h.log.Error("agent request failed", "buildId", r.PathValue("id"), "path", r.URL.Path, "error", err)
			}
			refuse(w, http.StatusInternalServerError, "internal failure")
			return
		}
		refuse(w, status, fault.Message(err))
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		h.log.Error("agent answer not encoded", "buildId", r.PathValue("id"), "error", err)
		refuse(w, http.StatusInternalServerError, "internal failure")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // answers hold tokens
	_, _ = w.Write(body)
}

// A refusal is the body of every answer that is not 200.
type refusal struct {
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(refusal{message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// decode reads one JSON value. What is wrong with it is not repeated to the
// sender: it wrote it.
func decode(body []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(out); err != nil {
		return &fault.Error{Kind: fault.Invalid, Message: "the request is not the JSON it should be", Err: err}
	}
	if _, err := d.Token(); err != io.EOF {
		return fault.New(fault.Invalid, "the request goes on after its JSON")
	}
	return nil
}
