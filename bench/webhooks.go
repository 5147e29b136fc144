package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// webhooks measures signed deliveries as a provider sends them, at 64
// connections. Each is verified, held against those before, and on disk before
// it is answered; meanwhile the server evaluates them. The filter wants another
// branch, so that no builds run beside. The floor is a server that verifies the
// same signatures and keeps nothing.
func (b *bench) webhooks() error {
	const connections = 64
	length := time.Duration(b.pick(10_000, 1000)) * time.Millisecond
	secret := strings.Repeat("s", 40)
	floorURL, stop, err := startSignedFloor(secret)
	if err != nil {
		return err
	}
	floor, err := b.deliver(floorURL, secret, connections, length/4)
	stop()
	if err != nil {
		return err
	}
	s, hook, err := b.hooked()
	if err != nil {
		return err
	}
	defer s.stop()
	idle := s.memory("VmRSS")
	s.forgetPeak()
	got, err := b.deliver(*hook.PayloadURL, *hook.Secret, connections, length)
	if err != nil {
		return err
	}
	drained, err := s.evaluated(b, len(got.latency))
	if err != nil {
		return err
	}
	b.table.add(fmt.Sprintf("signed deliveries kept, c=%d", connections), got.String(), fmt.Sprintf("verified only %.0f/s", floor.rate), times(got.rate, floor.rate), "≥ 1500/s, none refused")
	b.table.add("the last of them evaluated after", ms(drained), "", "", "")
	b.table.add("server memory while they come", fmt.Sprintf("%.0f MB", s.memory("VmHWM")), fmt.Sprintf("idle %.0f MB", idle), "", "")
	return nil
}

// hooked starts a server with one project and its webhook, made by hand: there
// is no provider.
func (b *bench) hooked() (*server, *api.Webhook, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, nil, err
	}
	s, err := b.serve(b.dir, "--runner", "none", "--listen", addr, "--public-url", "http://"+addr)
	if err != nil {
		return nil, nil, err
	}
	location := "https://github.com/team/recipes.git"
	in := &api.CreateProjectInput{
		Name: "app", Source: &api.ProjectSource{Type: api.SourceTypeGithub, Location: &location},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	}
	err = s.call(b.ctx, "CreateProject", in, new(api.CreateProjectOutput))
	var out api.CreateWebhookOutput
	if err == nil {
		err = s.call(b.ctx, "CreateWebhook", &api.CreateWebhookInput{
			ProjectName: "app", ManualCreation: new(true),
			FilterGroups: [][]api.WebhookFilter{{
				{Type: api.WebhookFilterTypeEvent, Pattern: "PUSH"},
				{Type: api.WebhookFilterTypeHeadRef, Pattern: "^refs/heads/another$"},
			}},
		}, &out)
	}
	if err == nil && (out.Webhook == nil || out.Webhook.PayloadURL == nil || out.Webhook.Secret == nil) {
		err = errors.New("CreateWebhook answered no payload URL or no secret")
	}
	if err != nil {
		s.stop()
		return nil, nil, err
	}
	return s, out.Webhook, nil
}

// evaluated waits until the newest of n deliveries has been evaluated, and
// fails if fewer are kept.
func (s *server) evaluated(b *bench, n int) (time.Duration, error) {
	began := time.Now()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		var last slipway.DescribeWebhookDeliveryOutput
		if err := s.client.Call(b.ctx, slipway.Definition, "DescribeWebhookDelivery", &slipway.DescribeWebhookDeliveryInput{ID: fmt.Sprintf("d-%d", n)}, &last); err != nil {
			return 0, fmt.Errorf("%d deliveries were answered 200, and the last is not there: %w", n, err)
		}
		if last.Delivery.State == slipway.DeliveryStateDone {
			return time.Since(began), nil
		}
		select {
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		case <-poll.C:
		}
	}
}

// deliver keeps connections busy with pushes, each delivered once.
func (b *bench) deliver(url, secret string, connections int, length time.Duration) (result, error) {
	var mu sync.Mutex // guards all and failure
	var all sample
	var failure error
	var number atomic.Int64
	var workers sync.WaitGroup
	began := time.Now()
	for range connections {
		workers.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			var mine sample
			var err error
			for err == nil && time.Since(began) < length {
				n := number.Add(1)
				body := pushBody(n)
				sent := time.Now()
				err = post(b, client, url, body, signed(secret, body), n)
				mine = append(mine, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			failure = errors.Join(failure, err)
		})
	}
	workers.Wait()
	return result{float64(len(all)) / time.Since(began).Seconds(), all}, failure
}

func post(b *bench, client *http.Client, url string, body []byte, signature string, n int64) error {
	r, err := http.NewRequestWithContext(b.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "GitHub-Hookshot/abcdef0")
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-GitHub-Delivery", fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
	r.Header.Set("X-Hub-Signature-256", signature)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("a delivery was answered %d: %s", answer.StatusCode, text)
	}
	return err
}

func signed(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// pushBody is a push of three commits, about as long as GitHub's.
func pushBody(n int64) []byte {
	person := map[string]any{"name": "octocat", "email": "octocat@example.com", "username": "octocat"}
	var commits []map[string]any
	for i := range 3 {
		commits = append(commits, map[string]any{
			"id": fmt.Sprintf("%040x", n*3+int64(i)), "message": "Change the recipe\n\n" + strings.Repeat("Because it tastes better so. ", 20),
			"timestamp": "2026-11-27T03:00:00Z", "author": person, "committer": person,
			"added": []string{"new/file.txt"}, "removed": []string{}, "modified": []string{"recipe.txt", "docs/index.md"},
			"url": "https://github.com/team/recipes/commit/0", "tree_id": fmt.Sprintf("%040x", n), "distinct": true,
		})
	}
	urls := map[string]string{}
	for i := range 40 { // a repository has as many addresses
		urls[fmt.Sprintf("address_%d_url", i)] = "https://api.github.com/repos/team/recipes/something{/sha}"
	}
	text, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": fmt.Sprintf("%040x", n), "after": commits[2]["id"], "created": false, "deleted": false, "forced": false,
		"repository": map[string]any{"id": 7, "name": "recipes", "full_name": "team/recipes", "clone_url": "https://github.com/team/recipes.git", "urls": urls},
		"sender":     map[string]any{"login": "octocat", "id": 583231, "type": "User"}, "pusher": person, "commits": commits, "head_commit": commits[2],
	})
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}

// startSignedFloor starts a server that reads a delivery, verifies it, and
// answers.
func startSignedFloor(secret string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !hmac.Equal([]byte(signed(secret, body)), []byte(r.Header.Get("X-Hub-Signature-256"))) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}
