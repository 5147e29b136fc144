package github_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// published is what scripts/test-packages installs.
const published = "testdata/published/node_modules/@octokit"

// open reads a file of what GitHub publishes.
func open(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(published, path))
	if err != nil {
		t.Fatalf("%v: run 'make test', which installs what GitHub publishes, or scripts/test-packages alone", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// An example is one published payload.
type example struct {
	of, event string
	number    int
	body      json.RawMessage
}

// examples returns the payloads of events that concern us, of github.com and of
// GitHub Enterprise Server.
func examples(t *testing.T) []example {
	t.Helper()
	var out []example
	for _, of := range []string{"api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"} {
		var list []struct {
			Name     string            `json:"name"`
			Examples []json.RawMessage `json:"examples"`
		}
		open(t, "webhooks-examples/"+of+"/index.json", &list)
		for _, e := range list {
			if !slices.Contains([]string{"push", "pull_request", "release", "workflow_job", "ping", "issue_comment", "create", "delete"}, e.Name) {
				continue
			}
			for i, body := range e.Examples {
				out = append(out, example{of, e.Name, i + 1, body})
			}
		}
	}
	return out
}

// Every published payload is read without an error, and says what it should.
func TestReadPublishedPayloads(t *testing.T) {
	const golden = "testdata/published.golden"
	b := newBench(t, api.ServerTypeGithub)
	var got bytes.Buffer
	count := map[string]int{}
	for _, e := range examples(t) {
		d, err := b.Read(http.Header{"X-Github-Event": {e.event}, "X-Github-Delivery": {"1"}, "Content-Type": {"application/json"}}, e.body)
		if err != nil {
			t.Errorf("%s %s %d: %v", e.of, e.event, e.number, err)
			continue
		}
		count[e.event]++
		fmt.Fprintf(&got, "%s %s %d: %s\n", e.of, e.event, e.number, summary(d))
	}
	for name, least := range map[string]int{"push": 14, "pull_request": 40, "release": 20, "workflow_job": 11, "ping": 11, "issue_comment": 20} {
		if count[name] < least {
			t.Errorf("%d payloads of %s were read, want at least %d", count[name], name, least)
		}
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s is another; run 'go test ./internal/source/github -update' and read what changes (-golden +read):\n%s", golden, diff)
	}
}

// summary is a delivery in one line.
func summary(d event.Delivery) string {
	var out []string
	add := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "false" && text != "0" && text != "[]" {
			out = append(out, name+"="+text)
		}
	}
	for _, e := range d.Events {
		out = append(out, string(e.Type))
		add("head", e.HeadRef)
		add("base", e.BaseRef)
		add("commit", e.Commit)
		add("before", e.Before)
		add("merge", e.Merge)
		add("deleted", e.Deleted)
		add("actor", strings.TrimSpace(e.ActorID+" "+e.ActorName))
		add("files", e.Files)
		if e.Message != nil {
			add("message", *e.Message)
		}
		if pr := e.PullRequest; pr != nil {
			add("number", pr.Number)
			add("author", pr.AuthorID)
			add("fork", pr.Fork)
			add("from", pr.Head.FullName)
		}
		add("tag", e.Tag)
		add("release", e.ReleaseName)
		if e.Job != nil {
			add("job", e.Job.ID)
			add("run", e.Job.RunID)
			add("workflow", e.Job.Workflow)
			add("labels", e.Job.Labels)
		}
		if !e.At.IsZero() {
			add("at", e.At.Format("2006-01-02T15:04:05Z"))
		}
	}
	if d.Comment != nil {
		add("comment on", d.Comment.PullRequest)
		add("author", d.Comment.AuthorID)
		add("text", d.Comment.Text)
	}
	add("note", d.Note)
	add("repository", strings.TrimSpace(d.Repository.ID+" "+d.Repository.FullName))
	add("organization", d.Repository.Organization)
	return strings.ReplaceAll(strings.Join(out, " "), "\n", " ")
}

// What sourcetest delivers has no member, and no type of one, that no published
// payload of the same event has.
func TestDeliveriesAreShapedAsPublished(t *testing.T) {
	known := map[string]*shape{}
	for _, e := range examples(t) {
		if known[e.event] == nil {
			known[e.event] = &shape{}
		}
		var v any
		if err := json.Unmarshal(e.body, &v); err != nil {
			t.Fatal(err)
		}
		known[e.event].learn(v)
	}
	b := newBench(t, api.ServerTypeGithub)
	deliverAll(b)
	told := map[string]bool{}
	for _, sent := range b.Sent() {
		var v any
		if err := json.Unmarshal(sent.Body, &v); err != nil {
			t.Fatal(err)
		}
		told[sent.Event] = true
		for _, problem := range known[sent.Event].odd(sent.Event, v) {
			if place, _, _ := strings.Cut(problem, " is nowhere"); !slices.Contains(unpublished, place) {
				t.Error(problem)
			}
		}
	}
	if len(told) < 6 {
		t.Errorf("only %v was delivered", told)
	}
}

// unpublished is what GitHub delivers and no published payload happens to have:
// none of them is of a release in an organization, or of a comment on a pull
// request.
var unpublished = []string{"release.organization", "issue_comment.issue.pull_request"}

// deliverAll has everything delivered once to a hook that wants all.
func deliverAll(b *bench) {
	b.Helper()
	to := receiver(b.T)
	by := b.login(sourcetest.Token{Value: "ghp_all", Login: "mona", Scopes: []string{"repo"}})
	if code := post(b, by.Token.Reveal(), b.repo.APIBase+"/repos/octo/app/hooks", `{"events":["*"],"config":{"url":"`+to+`","content_type":"json","secret":"x"}}`); code != http.StatusCreated {
		b.Fatalf("the hook was answered %d", code)
	}
	pushed, err := b.Push("octo", "app", "main", map[string]string{"b": "2"}, "second", "ada")
	b.must(err)
	b.must(b.DeliverTag("octo", "app", "v1", pushed, "ada"))
	b.must(b.DeliverDelete("octo", "app", "refs/tags/v1", "ada"))
	b.must(b.Fork("octo", "app", "eve"))
	_, err = b.Commit("eve", "app", "topic", map[string]string{"c": "3"}, "third")
	b.must(err)
	n, err := b.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadOwner: "eve", HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	for _, action := range []string{"opened", "updated", "closed", "reopened", "merged"} {
		b.must(b.DeliverPullRequest("octo", "app", n, action, "eve"))
	}
	b.must(b.DeliverComment("octo", "app", n, "hello", "eve"))
	b.must(b.DeliverRelease("octo", "app", "v2", "Two", "ada", true))
	b.must(b.DeliverWorkflowJob("octo", "app", sourcetest.WorkflowJob{ID: 1, RunID: 2, Workflow: "CI", Branch: "main", Commit: pushed, Labels: []string{"x"}}, "ada"))
}

// A shape is which JSON has been seen in one place.
type shape struct {
	types   []string
	members map[string]*shape
	element *shape
}

func (s *shape) learn(v any) {
	if kind := jsonType(v); !slices.Contains(s.types, kind) {
		s.types = append(s.types, kind)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.members == nil {
			s.members = map[string]*shape{}
		}
		for name, member := range v {
			if s.members[name] == nil {
				s.members[name] = &shape{}
			}
			s.members[name].learn(member)
		}
	case []any:
		if s.element == nil {
			s.element = &shape{}
		}
		for _, element := range v {
			s.element.learn(element)
		}
	}
}

// odd returns what of v has not been seen. A place where nothing but null was
// seen may hold anything.
func (s *shape) odd(path string, v any) []string {
	if v == nil || s == nil {
		return nil
	}
	if kind := jsonType(v); !slices.Contains(s.types, kind) && !slices.Equal(s.types, []string{"null"}) {
		return []string{fmt.Sprintf("%s is a %s, published is %v", path, kind, s.types)}
	}
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if s.members[name] == nil && s.members != nil {
				out = append(out, path+"."+name+" is nowhere published")
				continue
			}
			out = append(out, s.members[name].odd(path+"."+name, member)...)
		}
	case []any:
		for _, element := range v {
			if s.element != nil && len(s.element.types) > 0 {
				out = append(out, s.element.odd(path+"[]", element)...)
			}
		}
	}
	return out
}

func jsonType(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
