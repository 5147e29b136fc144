package agentapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

const (
	buildID = "web:11111111-2222-3333-4444-555555555555"
	token   = "a-token"
)

// backend is a small working Backend for one build.
type backend struct {
	agentapi.Backend // for what no test asks of it

	mu      sync.Mutex
	objects map[string][]byte
	err     error // what every method answers, when set
	events  []event.Event
	frames  [][]byte
}

func (b *backend) check(id string, t secret.Text) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id != buildID || t.Reveal() != token {
		return fault.New(fault.Denied, "the token is not good for this build")
	}
	return b.err
}

func (b *backend) Begin(_ context.Context, id string, t secret.Text) (*agentapi.Work, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	return work(), nil
}

func (b *backend) Credential(_ context.Context, id string, t secret.Text, in agentapi.CredentialRequest) (*agentapi.Credential, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	return &agentapi.Credential{Username: "x-access-token", Password: agentapi.Bearer{Text: secret.New("ghp_" + in.Identifier)}, Host: "github.com", CA: in.URL}, nil
}

func (b *backend) Report(_ context.Context, id string, t secret.Text, in agentapi.Report) (*agentapi.Answer, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, in.Events...)
	return &agentapi.Answer{End: api.StatusTypeStopped}, nil
}

func (b *backend) Log(_ context.Context, id string, t secret.Text, seq uint64, frame []byte) error {
	if err := b.check(id, t); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if seq != uint64(len(b.frames)) {
		return fault.New(fault.Invalid, "frame %d comes next", len(b.frames))
	}
	b.frames = append(b.frames, bytes.Clone(frame))
	return nil
}

func (b *backend) Secrets(_ context.Context, id string, t secret.Text, in agentapi.SecretsRequest) (*agentapi.Secrets, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	out := &agentapi.Secrets{}
	for _, r := range in.References {
		out.Values = append(out.Values, agentapi.Bearer{Text: secret.New("value of " + r.Value)})
	}
	return out, nil
}

func (b *backend) PutReport(_ context.Context, id string, t secret.Text, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	return &agentapi.ReportStored{ARN: in.Group + ":" + *in.Cases[0].Name}, nil
}

func (b *backend) Get(_ context.Context, id string, t secret.Text, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	if err := b.check(id, t); err != nil {
		return nil, agentapi.ObjectInfo{}, err
	}
	body, ok := b.objects[o.Path]
	if !ok {
		return nil, agentapi.ObjectInfo{}, fault.New(fault.NotFound, "there is no %s", o.Path)
	}
	var r io.Reader = bytes.NewReader(body)
	if o.Path == "torn" {
		r = io.MultiReader(r, iotest.ErrReader(errors.New("disk on fire")))
	}
	return io.NopCloser(r), agentapi.ObjectInfo{Size: int64(len(body)), Key: o.Key}, nil
}

func (b *backend) List(_ context.Context, id string, t secret.Text, _ agentapi.Object) ([]string, error) {
	if err := b.check(id, t); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(b.objects)), nil
}

func (b *backend) Put(_ context.Context, id string, t secret.Text, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	if err := b.check(id, t); err != nil {
		return agentapi.ObjectInfo{}, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return agentapi.ObjectInfo{}, err
	}
	b.objects[o.Path] = text
	return agentapi.ObjectInfo{Size: int64(len(text)), Location: "arn:aws:s3:::bucket/" + o.Path}, nil
}

func work() *agentapi.Work {
	return &agentapi.Work{
		BuildID:   buildID,
		Source:    agentapi.Source{Type: api.SourceTypeGithub, URL: "https://github.com/o/r", Depth: 1},
		Variables: []agentapi.Variable{{Name: "A", Value: "b"}},
		Deadline:  time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Mask:      []agentapi.Bearer{{Text: secret.New("hush")}},
	}
}

func launch(server string) agentapi.Launch {
	return agentapi.Launch{Server: server, BuildID: buildID, Token: agentapi.Bearer{Text: secret.New(token)}}
}

// serve serves b on a Unix socket and over TCP and returns both addresses.
func serve(t *testing.T, b agentapi.Backend, log io.Writer) (unix, tcp string) {
	h := agentapi.NewHandler(b, slog.New(slog.NewTextHandler(log, nil)))
	// Deep enough that the socket's path does not fit into an address.
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "agent.sock")
	l, err := agentapi.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	hs := httptest.NewServer(h)
	t.Cleanup(hs.Close)
	return "unix://" + path, hs.URL
}

func TestConversation(t *testing.T) {
	b := &backend{}
	unix, tcp := serve(t, b, io.Discard)
	for _, server := range []string{unix, tcp, tcp + "/"} {
		b.events, b.frames = nil, nil
		c := agentapi.NewClient(launch(server))
		defer c.Close()
		got, err := c.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(work(), got, cmp.Comparer(func(a, b agentapi.Bearer) bool { return a.Reveal() == b.Reveal() })); diff != "" {
			t.Errorf("Begin over %s (-want +got):\n%s", server, diff)
		}
		login, err := c.Credential(t.Context(), agentapi.CredentialRequest{Identifier: "lib", URL: "https://github.com/o/r"})
		if err != nil || login.Password.Reveal() != "ghp_lib" || login.CA != "https://github.com/o/r" {
			t.Errorf("Credential = %q, %v, want ghp_lib", login.Password.Reveal(), err)
		}
		events := []event.Event{{Time: time.Unix(1, 0).UTC(), Enter: api.BuildPhaseTypeBuild}, {Leave: &event.PhaseEnd{Status: api.StatusTypeSucceeded}}}
		answer, err := c.Report(t.Context(), agentapi.Report{Events: events})
		if err != nil || answer.End != api.StatusTypeStopped {
			t.Errorf("Report = %v, %v, want the answer STOPPED", answer, err)
		}
		if diff := cmp.Diff(events, b.events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		frame := bytes.Repeat([]byte{0, 1, 2, 255}, 100_000)
		for seq := range uint64(3) {
			if err := c.Log(t.Context(), seq, frame); err != nil {
				t.Fatal(err)
			}
		}
		if len(b.frames) != 3 || !bytes.Equal(b.frames[2], frame) {
			t.Errorf("the frames did not arrive as they were sent")
		}
	}
}

func TestObjects(t *testing.T) {
	b := &backend{objects: map[string][]byte{}}
	unix, tcp := serve(t, b, io.Discard)
	whole := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
	for _, server := range []string{unix, tcp} {
		clear(b.objects)
		c := agentapi.NewClient(launch(server))
		defer c.Close()
		name := "dir/ü \"quoted\"\n.zip"
		info, err := c.Put(t.Context(), agentapi.Object{Kind: agentapi.ArtifactObject, Path: name}, bytes.NewReader(whole))
		if err != nil || info.Size != int64(len(whole)) || info.Location != "arn:aws:s3:::bucket/"+name {
			t.Fatalf("Put over %s = %+v, %v", server, info, err)
		}
		if _, err := c.Put(t.Context(), agentapi.Object{Path: "half"}, io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(errors.New("gone")))); err == nil || b.objects["half"] != nil {
			t.Errorf("half an object was stored: %v", err)
		}
		body, info, err := c.Get(t.Context(), agentapi.Object{Kind: agentapi.CacheObject, Path: name, Key: "k"})
		if err != nil || info.Key != "k" || info.Size != int64(len(whole)) {
			t.Fatalf("Get over %s = %+v, %v", server, info, err)
		}
		got, err := io.ReadAll(body)
		body.Close()
		if err != nil || !bytes.Equal(got, whole) {
			t.Errorf("the object came back as %d bytes, %v", len(got), err)
		}
		if _, _, err := c.Get(t.Context(), agentapi.Object{Path: "none"}); fault.KindOf(err) != fault.NotFound || fault.Message(err) != "there is no none" {
			t.Errorf("Get of what is not there = %v, want NotFound", err)
		}
		b.objects["torn"] = whole
		if body, _, err = c.Get(t.Context(), agentapi.Object{Path: "torn"}); err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		if err == nil {
			t.Error("an object that broke off looks whole")
		}
		paths, err := c.List(t.Context(), agentapi.Object{Kind: agentapi.SourceObject})
		if diff := cmp.Diff([]string{name, "torn"}, paths); err != nil || diff != "" {
			t.Errorf("List: %v\n%s", err, diff)
		}
		secrets, err := c.Secrets(t.Context(), agentapi.SecretsRequest{References: []agentapi.Reference{{Type: "PARAMETER_STORE", Value: "/a"}}})
		if err != nil || len(secrets.Values) != 1 || secrets.Values[0].Reveal() != "value of /a" {
			t.Errorf("Secrets = %v, %v", secrets, err)
		}
		stored, err := c.PutReport(t.Context(), agentapi.ReportUpload{Group: "unit", Cases: []api.TestCase{{Name: new("adds")}}})
		if err != nil || stored.ARN != "unit:adds" {
			t.Errorf("PutReport = %v, %v", stored, err)
		}
	}
}

func TestClientTellsFailuresApart(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		gone    bool
		invalid string
	}{
		{name: "a bad token ends the build", err: fault.New(fault.Denied, "no"), gone: true},
		{name: "a build held by another attempt ends", err: fault.New(fault.Gone, "no"), gone: true},
		{name: "a refusal says why", err: fault.New(fault.Invalid, "this kind cannot be used"), invalid: "this kind cannot be used"},
		{name: "a starting server is tried again", err: fault.New(fault.Unavailable, "starting")},
		{name: "an internal failure is tried again", err: errors.New("disk full at /secret/path")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			_, server := serve(t, &backend{err: tt.err}, &log)
			_, err := agentapi.NewClient(launch(server)).Report(t.Context(), agentapi.Report{})
			if err == nil || errors.Is(err, agentapi.ErrGone) != tt.gone {
				t.Errorf("Report: %v; ErrGone is %v, want %v", err, errors.Is(err, agentapi.ErrGone), tt.gone)
			}
			if got := fault.Message(err); got != tt.invalid {
				t.Errorf("message %q, want %q", got, tt.invalid)
			}
			if strings.Contains(fmt.Sprint(err), "/secret/path") {
				t.Errorf("the agent was told %v", err)
			}
		})
	}
}

func TestWrongTokenAndWrongBuild(t *testing.T) {
	_, server := serve(t, &backend{}, io.Discard)
	wrongToken := launch(server)
	wrongToken.Token = agentapi.Bearer{Text: secret.New("another")}
	wrongBuild := launch(server)
	wrongBuild.BuildID = "web:../../../../x?y#z"
	for _, l := range []agentapi.Launch{wrongToken, wrongBuild} {
		if _, err := agentapi.NewClient(l).Begin(t.Context()); !errors.Is(err, agentapi.ErrGone) {
			t.Errorf("Begin for %s: %v, want ErrGone", l.BuildID, err)
		}
	}
}

func TestHostileRequests(t *testing.T) {
	tests := []struct {
		name, path, body, token string
		method                  string
		want                    int
	}{
		{name: "no token", path: "report", body: "{}", want: 401},
		{name: "no token and a large body", path: "log?seq=0", body: strings.Repeat("x", 6<<20), want: 401},
		{name: "a report that is no JSON", path: "report", body: "<xml/>", token: token, want: 400},
		{name: "an empty report", path: "report", token: token, want: 400},
		{name: "a report of another shape", path: "report", body: `{"events": 7}`, token: token, want: 400},
		{name: "two reports in one", path: "report", body: `{}{}`, token: token, want: 400},
		{name: "a report nested without end", path: "report", body: strings.Repeat(`{"events":[`, 100_000), token: token, want: 400},
		{name: "a report beyond the bound", path: "report", body: `{"x":"` + strings.Repeat("x", 3<<20) + `"}`, token: token, want: 413},
		{name: "a credential request beyond the bound", path: "credential", body: `{"identifier":"` + strings.Repeat("x", 17<<10) + `"}`, token: token, want: 413},
		{name: "a frame beyond the bound", path: "log?seq=0", body: strings.Repeat("x", agentapi.MaxFrame+1), token: token, want: 413},
		{name: "a frame without a number", path: "log", body: "x", token: token, want: 400},
		{name: "a frame with a negative number", path: "log?seq=-1", body: "x", token: token, want: 400},
		{name: "a frame out of order", path: "log?seq=18446744073709551615", body: "x", token: token, want: 400},
		{name: "an unknown question", path: "shell", token: token, want: 404},
		{name: "a question by GET", method: "GET", path: "begin", token: token, want: 405},
	}
	_, server := serve(t, &backend{}, io.Discard)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "POST"
			}
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server+agentapi.Path+buildID+"/"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("answered %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the token went to another server: %v", r.Header["Authorization"])
	}))
	defer elsewhere.Close()
	tests := []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }},
		{"an endless answer", func(w http.ResponseWriter, _ *http.Request) {
			for chunk := bytes.Repeat([]byte("x"), 1<<20); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(tt.answer)
			defer s.Close()
			if _, err := agentapi.NewClient(launch(s.URL)).Begin(t.Context()); err == nil {
				t.Error("Begin succeeded, want an error")
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	for _, server := range []string{"unix://" + t.TempDir() + "/none", "http://127.0.0.1:1", "::nonsense"} {
		if _, err := agentapi.NewClient(launch(server)).Begin(t.Context()); err == nil || errors.Is(err, agentapi.ErrGone) {
			t.Errorf("Begin at %s: %v, want an error that is not ErrGone", server, err)
		}
	}
}

func TestALaunchCrossesAPipeButDoesNotPrint(t *testing.T) {
	text, err := json.Marshal(launch("unix:///s"))
	if err != nil {
		t.Fatal(err)
	}
	var back agentapi.Launch
	if err := json.Unmarshal(text, &back); err != nil || back.Token.Reveal() != token {
		t.Errorf("token %q, %v after the pipe, want %q", back.Token.Reveal(), err, token)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("launch", "token", back.Token)
	for _, printed := range []string{fmt.Sprintf("%v %+v %#v", back, back, back), log.String()} {
		if strings.Contains(printed, token) {
			t.Errorf("printed %s", printed)
		}
	}
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 2 { // the second replaces what the first left behind
		l, err := agentapi.ListenUnix(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	dir := t.TempDir()
	if _, err := agentapi.ListenUnix(t.Context(), dir); err == nil {
		t.Error("ListenUnix replaced a directory")
	}
}
