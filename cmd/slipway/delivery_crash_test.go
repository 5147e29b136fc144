package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// TestNoDeliveryIsLost kills the server without warning, 20 times, while signed
// deliveries come in: every one that was answered 200 is kept and evaluated,
// and every push of main has exactly one build.
func TestNoDeliveryIsLost(t *testing.T) {
	const rounds = 20
	address := freeAddress(t)
	s := serve(t, "--listen", address, "--public-url", "http://"+address, "--runner", "none", "--credential-check", "off")
	location := "https://github.com/team/recipes.git"
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name:        "app",
		Source:      &api.ProjectSource{Type: api.SourceTypeGithub, Location: &location},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
	hook := call[api.CreateWebhookOutput](s, "CreateWebhook", &api.CreateWebhookInput{
		ProjectName: "app", ManualCreation: new(true),
		FilterGroups: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "^refs/heads/main$"}}},
	}).Webhook

	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	var mu sync.Mutex               // guards answered
	answered := map[string]string{} // by delivery id: the commit that was pushed
	for round := range rounds {
		var load sync.WaitGroup
		stop := make(chan struct{})
		heard := make(chan struct{}, 1000)
		for worker := range 4 {
			load.Go(func() {
				client := &http.Client{Timeout: 10 * time.Second}
				defer client.CloseIdleConnections()
				for n := 0; n < 250; n++ {
					select {
					case <-stop:
						return
					default:
					}
					id := fmt.Sprintf("%08d-0000-4000-8000-%04d%08d", round, worker, n)
					commit := fmt.Sprintf("%040x", sha256.Sum256([]byte(id)))[:40]
					branch := "main"
					if n%4 != 0 { // a build each would be too many to count
						branch = "side"
					}
					if sendPush(t, client, *hook.PayloadURL, *hook.Secret, id, branch, commit) {
						mu.Lock()
						answered[id] = commit
						if branch != "main" {
							answered[id] = ""
						}
						mu.Unlock()
						heard <- struct{}{}
					}
				}
			})
		}
		for range 5 + random.IntN(60) { // until the axe falls, however slow the machine is
			<-heard
		}
		s.kill()
		close(stop)
		load.Wait()
		s.start()
	}

	if len(answered) < 5*rounds {
		t.Fatalf("only %d deliveries were answered in %d rounds: the load was not real", len(answered), rounds)
	}
	kept := map[string]slipway.WebhookDeliverySummary{}
	f := &forge{server: s}
	f.wait(t, "evaluated every delivery", func() bool {
		clear(kept)
		for in := (slipway.ListWebhookDeliveriesInput{MaxResults: new(100)}); ; {
			var page slipway.ListWebhookDeliveriesOutput
			if err := s.client.Call(t.Context(), slipway.Definition, "ListWebhookDeliveries", &in, &page); err != nil {
				t.Fatal(err)
			}
			for _, d := range page.Deliveries {
				if d.State == slipway.DeliveryStatePending {
					return false
				}
				kept[d.ProviderDeliveryID] = d
			}
			if in.NextToken = page.NextToken; page.NextToken == "" {
				return true
			}
		}
	})
	builds := map[string]int{} // by commit
	for in := (&api.ListBuildsForProjectInput{ProjectName: "app"}); ; {
		page := call[api.ListBuildsForProjectOutput](s, "ListBuildsForProject", in)
		if len(page.IDs) > 0 {
			for _, b := range call[api.BatchGetBuildsOutput](s, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: page.IDs}).Builds {
				builds[value(b.SourceVersion)]++
			}
		}
		if in.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	pushes := 0
	for id, commit := range answered {
		d, ok := kept[id]
		switch {
		case !ok:
			t.Errorf("delivery %s was answered 200 and is lost", id)
		case commit == "":
		case builds[commit] != 1 || len(d.BuildIDs) != 1:
			t.Errorf("delivery %s of %s has %d builds and shows %v, want one", id, commit, builds[commit], d.BuildIDs)
		default:
			pushes++
		}
	}
	for commit, n := range builds {
		if n != 1 {
			t.Errorf("commit %s has %d builds", commit, n)
		}
	}
	t.Logf("%d deliveries were answered in %d rounds, %d kept, %d of them built once each", len(answered), rounds, len(kept), pushes)
}

// sendPush delivers a push as GitHub does, and reports whether it was answered 200.
func sendPush(t *testing.T, client *http.Client, url, secret, id, branch, commit string) bool {
	body := fmt.Sprintf(`{"ref":"refs/heads/%s","before":"%040d","after":"%s","repository":{"id":7,"full_name":"team/recipes","name":"recipes","clone_url":"https://github.com/team/recipes.git"},`+
		`"sender":{"login":"ada","id":1},"head_commit":{"id":"%s","message":"Change the recipe"},"commits":[{"id":"%s","added":[],"removed":[],"modified":["recipe.txt"]}]}`,
		branch, 1, commit, commit, commit)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/abcdef0"}, "X-Github-Event": {"push"},
		"X-Github-Delivery": {id}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}
	answer, err := client.Do(r)
	if err != nil {
		return false // the server is down
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Errorf("a signed delivery was answered %d: %s", answer.StatusCode, text)
		return false
	}
	return err == nil
}
