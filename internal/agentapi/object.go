package agentapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"slipway/internal/secret"
)

// An ObjectKind says what an Object is to its build.
type ObjectKind string

// The kinds. Which bucket and key one is at, the server takes from the build's
// own record: an agent can name nothing else.
const (
	SourceObject      ObjectKind = "source"      // a source of type S3
	BuildspecObject   ObjectKind = "buildspec"   // a buildspec that the project names by its ARN in S3
	CertificateObject ObjectKind = "certificate" // of the authorities that the project's environment trusts
	ArtifactObject    ObjectKind = "artifact"
	CacheObject       ObjectKind = "cache"
	ReportObject      ObjectKind = "report" // the raw files of a report whose group exports them
)

// An Object names something that is kept outside of the build.
type Object struct {
	Kind       ObjectKind `json:"kind"`
	Identifier string     `json:"identifier,omitzero"` // of the source or the artifact, empty for the primary one; the report's ARN
	Path       string     `json:"path,omitzero"`       // one file, with slashes, below a source or artifact that is a folder; empty for one that is a single object

	// What the buildspec says of an artifact, variables expanded.
	Name     string `json:"name,omitzero"`
	S3Prefix string `json:"s3Prefix,omitzero"`

	Mode fs.FileMode `json:"mode,omitzero"` // of one file of an artifact: its permission bits, for a store that keeps them

	// Of a cache. Without Key there is one for the project.
	Key       string   `json:"key,omitzero"`
	Fallbacks []string `json:"fallbacks,omitzero"` // beginnings of keys that Get also takes, in order
	Version   string   `json:"version,omitzero"`   // hash of the paths: caches of other paths are others

	// Hexadecimal sums of what Put sends, to be kept with it; empty for none.
	MD5    string `json:"md5,omitzero"`
	SHA256 string `json:"sha256,omitzero"`
}

// An ObjectInfo is what is known of a stored Object.
type ObjectInfo struct {
	Size     int64  `json:"size"`              // bytes
	Location string `json:"location,omitzero"` // its S3 ARN
	Key      string `json:"key,omitzero"`      // of a cache: the key it was saved under
	Version  string `json:"version,omitzero"`  // of a source: its version in the bucket, if that keeps any
	Exists   bool   `json:"exists,omitzero"`   // Put stored nothing: a cache with this key is never changed
}

// objectHeader carries the JSON of an Object beside a body, or of an
// ObjectInfo beside an answer's.
const objectHeader = "Slipway-Object"

// maxObject bounds the JSON of an Object, in bytes.
const maxObject = 32 << 10

// stall is how long a body may stand still.
const stall = time.Minute

// getObject answers POST object/get: the object's bytes.
func (h *handler) getObject(w http.ResponseWriter, r *http.Request) {
	token, o, ok := h.object(w, r)
	if !ok {
		return
	}
	body, info, err := h.backend.Get(r.Context(), r.PathValue("id"), token, o)
	if err != nil {
		h.answer(w, r, nil, err)
		return
	}
	defer body.Close()
	text, err := json.Marshal(info)
	if err != nil {
		h.answer(w, r, nil, err)
		return
	}
	w.Header().Set(objectHeader, string(text))
	w.Header().Set("Content-Type", "application/octet-stream")
	control := http.NewResponseController(w)
	_, err = io.Copy(&paced{w: w, before: func() { _ = control.SetWriteDeadline(time.Now().Add(stall)) }}, body)
	if err != nil {
		if r.Context().Err() == nil {
			h.log.Error("object not sent", "buildId", r.PathValue("id"), "kind", string(o.Kind), "error", err)
		}
		panic(http.ErrAbortHandler) // the answer has begun: only cutting it off tells that it is not whole
	}
}

// listObjects answers POST object/list: the paths below a folder.
func (h *handler) listObjects(w http.ResponseWriter, r *http.Request) {
	token, o, ok := h.object(w, r)
	if !ok {
		return
	}
	paths, err := h.backend.List(r.Context(), r.PathValue("id"), token, o)
	h.answer(w, r, paths, err)
}

// object reads the Object in a body.
func (h *handler) object(w http.ResponseWriter, r *http.Request) (secret.Text, Object, bool) {
	var o Object
	token, ok := h.token(w, r)
	if !ok {
		return token, o, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxObject))
	if err == nil {
		err = decode(body, &o)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the request does not name an object")
		return token, o, false
	}
	return token, o, true
}

// putObject answers PUT object: the body becomes the object named in a header.
func (h *handler) putObject(w http.ResponseWriter, r *http.Request) {
	token, ok := h.token(w, r)
	if !ok {
		return
	}
	var o Object
	if err := decode([]byte(r.Header.Get(objectHeader)), &o); err != nil {
		refuse(w, http.StatusBadRequest, "the request does not name an object")
		return
	}
	control := http.NewResponseController(w)
	body := &paced{r: r.Body, before: func() { _ = control.SetReadDeadline(time.Now().Add(stall)) }}
	info, err := h.backend.Put(r.Context(), r.PathValue("id"), token, o, body)
	if err != nil && body.err != nil { // what failed is the agent's to know
		refuse(w, http.StatusBadRequest, "the body breaks off")
		return
	}
	h.answer(w, r, info, err)
}

// A paced reader or writer does something before each part.
type paced struct {
	r      io.Reader
	w      io.Writer
	before func()
	err    error // of reading, but for io.EOF
}

func (p *paced) Read(b []byte) (int, error) {
	p.before()
	n, err := p.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
	}
	return n, err
}

func (p *paced) Write(b []byte) (int, error) {
	p.before()
	return p.w.Write(b)
}

// Get opens an object; whoever gets it closes it. There being none is a fault
// of kind NotFound. ctx bounds the reading too.
func (c *Client) Get(ctx context.Context, o Object) (io.ReadCloser, ObjectInfo, error) {
	var info ObjectInfo
	text, err := json.Marshal(o)
	if err != nil {
		return nil, info, fmt.Errorf("encode object: %w", err)
	}
	resp, err := c.send(ctx, c.patient, http.MethodPost, "object/get", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(string(text)))
	if err != nil {
		return nil, info, err
	}
	if err := json.Unmarshal([]byte(resp.Header.Get(objectHeader)), &info); err != nil {
		resp.Body.Close()
		return nil, info, errors.New("object: the server's answer is not understood")
	}
	return resp.Body, info, nil
}

// List returns the paths of all objects below one that is a folder.
func (c *Client) List(ctx context.Context, o Object) ([]string, error) {
	paths, err := call[[]string](ctx, c, "object/list", o)
	if err != nil {
		return nil, err
	}
	return *paths, nil
}

// Put stores what body holds, all of it or nothing. ctx bounds it. The body of a
// cache is read only once the server wants it: of one that exists it does not.
func (c *Client) Put(ctx context.Context, o Object, body io.Reader) (ObjectInfo, error) {
	var info ObjectInfo
	text, err := json.Marshal(o)
	if err != nil {
		return info, fmt.Errorf("encode object: %w", err)
	}
	header := http.Header{objectHeader: {string(text)}, "Content-Type": {"application/octet-stream"}}
	if o.Kind == CacheObject {
		header.Set("Expect", "100-continue")
	}
	resp, err := c.send(ctx, c.patient, http.MethodPut, "object", header, body)
	if err != nil {
		return info, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxObject))
	if err != nil {
		return info, fmt.Errorf("object: %w", err)
	}
	if err := json.Unmarshal(answer, &info); err != nil {
		return info, errors.New("object: the server's answer is not understood")
	}
	return info, nil
}
