package awsjson

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/sigv4"
)

// BenchmarkRead is a signed BatchGetProjects over HTTP, and beside it the floor
// that it is held against: the same call to a handler that verifies the
// signature, reads the JSON and sends it back.
func BenchmarkRead(b *testing.B) {
	keys := keyring{alice.ID: alice}
	verifier := sigv4.NewVerifier(keys, nil)
	handlers := map[string]http.Handler{
		"awsjson": NewServer(Options{Keys: keys}, Service{api.CodeBuild, tiny{}}),
		"echo": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				_, err = verifier.Verify(r, body, "codebuild")
			}
			var v any
			if err == nil {
				err = json.Unmarshal(body, &v)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			text, _ := json.Marshal(v)
			_, _ = w.Write(text)
		}),
	}
	for _, name := range []string{"echo", "awsjson"} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(handlers[name])
			defer s.Close()
			s.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
			client := &Client{Endpoint: s.URL, Key: alice, Region: "us-east-1", HTTP: s.Client()}
			in := &api.BatchGetProjectsInput{Names: []string{"shop"}}
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := client.Call(b.Context(), api.CodeBuild, "BatchGetProjects", in, nil); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkServe is the server's part of a signed read alone.
func BenchmarkServe(b *testing.B) {
	body := []byte(`{"names":["shop"]}`)
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "CodeBuild_20161006.BatchGetProjects")
	sigv4.Sign(r, body, alice, "us-east-1", "codebuild", time.Now())
	s := NewServer(Options{Keys: keyring{alice.ID: alice}}, Service{api.CodeBuild, tiny{}})
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(bytes.NewReader(body))
		w := nowhere{}
		if s.ServeHTTP(w, r); w.Header().Get("Content-Type") == "" {
			b.Fatal("no answer")
		}
	}
}

// nowhere is a ResponseWriter that keeps its header.
type nowhere http.Header

func (n nowhere) Header() http.Header         { return http.Header(n) }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
