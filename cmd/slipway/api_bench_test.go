package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/sigv4"
)

// BenchmarkAPI is the server's part of a call, from a signed request to its
// answer, over the real database on disk and eight callers at a time. It is
// made for profiles, such as
//
//	go test ./cmd/slipway -run - -bench API/StartBuild -cpuprofile cpu.out
//
// bench/ measures the same calls from outside.
func BenchmarkAPI(b *testing.B) {
	s, err := start(b.Context(), serveOptions{
		data: dataFolder(b.TempDir()), listen: "127.0.0.1:0", account: "000000000000", region: "us-east-1",
		runner: "none", log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.close() })
	keys, err := s.o.data.keyset("")
	if err != nil {
		b.Fatal(err)
	}
	key, err := ownerKey(b.Context(), s.db, keys, s.o.account)
	if err != nil {
		b.Fatal(err)
	}
	const project = `{"name":"%s-%d","source":{"type":"NO_SOURCE","buildspec":"version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n"},` +
		`"artifacts":{"type":"NO_ARTIFACTS"},"environment":{"type":"LINUX_CONTAINER","image":"local","computeType":"BUILD_GENERAL1_SMALL",` +
		`"environmentVariables":[{"name":"STAGE","value":"test"}]},"serviceRole":"arn:aws:iam::000000000000:role/build"}`
	for n := range 100 {
		called(b, s.handler, key, "CreateProject", fmt.Sprintf(project, "app", n))
	}
	var made atomic.Int64
	for _, call := range []struct{ operation, body string }{
		{"ImportSourceCredentials", `{"serverType":"GITHUB","authType":"PERSONAL_ACCESS_TOKEN","token":"ghp_0123456789abcdefghijklmnopqrstuvwxyz"}`},
		{"CreateProject", project},
		{"StartBuild", `{"projectName":"app-0"}`},
		{"BatchGetProjects", `{"names":["app-0"]}`},
		{"ListProjects", `{"sortBy":"NAME"}`},
	} {
		b.Run(call.operation, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					body := call.body
					if strings.Contains(body, "%") {
						body = fmt.Sprintf(body, "made", made.Add(1))
					}
					called(b, s.handler, key, call.operation, body)
				}
			})
		})
	}
}

// called has h answer one call, which must succeed.
func called(b *testing.B, h http.Handler, key accesskey.Key, operation, body string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "CodeBuild_20161006."+operation)
	sigv4.Sign(r, []byte(body), key, "us-east-1", "codebuild", time.Now())
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		text, _ := io.ReadAll(w.Body)
		b.Errorf("%s answered %d: %s", operation, w.Code, bytes.TrimSpace(text))
	}
}
