package webhook_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

const sha = "0123456789abcdef0123456789abcdef01234567"

// actors is how each provider names the same person.
var actors = map[api.ServerType]string{"GITHUB": "12345", "GITHUB_ENTERPRISE": "12345", "BITBUCKET": "70121:5cf8", "GITLAB": "4", "GITLAB_SELF_MANAGED": "4"}

// delivery is what a provider says with one event of a repository acme/app.
func delivery(e event.Event) event.Delivery {
	return event.Delivery{
		ID: "1", Name: "push", Sender: "GitHub-Hookshot/fc9e274", Events: []event.Event{e},
		Repository: event.Repository{ID: "7", FullName: "acme/app", Name: "app", Organization: "acme", CloneURL: "https://github.com/acme/app.git"},
	}
}

// events returns the events of the corpus as a provider tells them.
func events(server api.ServerType) map[string]event.Event {
	files := []string{"docs/readme.md", "src/a.go"}
	pull := func(t event.Type) event.Event {
		return event.Event{
			Type: t, ActorID: actors[server], HeadRef: "refs/heads/feature/x", BaseRef: "refs/heads/main", Commit: sha,
			Message: new("second try\n"), Files: files, PullRequest: &event.PullRequest{Number: 7, AuthorID: actors[server], AuthorName: "mona"},
		}
	}
	release := func(t event.Type) event.Event {
		e := event.Event{Type: t, ActorID: actors[server], HeadRef: "refs/tags/v1.0", Tag: "v1.0", ReleaseName: "First light"}
		if strings.HasPrefix(string(server), "GITLAB") {
			e.ActorID = "" // its payload has no user
		}
		return e
	}
	all := map[string]event.Event{
		"push":       {Type: event.Push, ActorID: actors[server], HeadRef: "refs/heads/main", Commit: sha, Before: strings.Repeat("1", 40), Message: new("fix: all [ci]"), Files: files},
		"tag":        {Type: event.Push, ActorID: actors[server], HeadRef: "refs/tags/v1.0", Commit: sha, Message: new(""), Files: []string{}},
		"deleted":    {Type: event.Push, ActorID: actors[server], HeadRef: "refs/heads/main", Before: sha, Deleted: true},
		"untold":     {Type: event.Push, ActorID: actors[server], HeadRef: "refs/heads/main", Commit: sha},
		"pull":       pull(event.PullRequestCreated),
		"updated":    pull(event.PullRequestUpdated),
		"reopened":   pull(event.PullRequestReopened),
		"merged":     pull(event.PullRequestMerged),
		"closed":     pull(event.PullRequestClosed),
		"release":    release(event.Released),
		"prerelease": release(event.Prereleased),
		"job":        {Type: event.WorkflowJobQueued, ActorID: actors[server], HeadRef: "refs/heads/main", Commit: sha, Job: &event.Job{ID: 1, RunID: 2, Workflow: "CI"}},
	}
	return all
}

// hook reads the filters of a line of the corpus.
func hook(t testing.TB, text string) *api.Webhook {
	w := &api.Webhook{}
	for prefix, scope := range map[string]api.WebhookScopeType{"org:": "GITHUB_ORGANIZATION", "global:": "GITHUB_GLOBAL", "group:": "GITLAB_GROUP"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			text, w.ScopeConfiguration = rest, &api.ScopeConfiguration{Name: "acme", Scope: scope, Domain: new("git.example.com")}
		}
	}
	if text == "-" {
		return w
	}
	if pattern, ok := strings.CutPrefix(text, "branch="); ok {
		w.BranchFilter = &pattern
		return w
	}
	for group := range strings.SplitSeq(text, " or ") {
		var filters []api.WebhookFilter
		for _, word := range strings.Fields(group) {
			kind, pattern, ok := strings.Cut(word, "=")
			if !ok {
				t.Fatalf("no filter: %q", word)
			}
			kind, excluding := strings.CutSuffix(kind, "!")
			filters = append(filters, api.WebhookFilter{Type: api.WebhookFilterType(kind), Pattern: pattern, ExcludeMatchedPattern: &excluding})
		}
		w.FilterGroups = append(w.FilterGroups, filters)
	}
	return w
}

type row struct {
	line, server, event, filters, outcome string
}

func corpus(t testing.TB) []row {
	text, err := os.ReadFile("testdata/filters.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) < 4 {
			t.Fatalf("no row: %s", line)
		}
		last := len(words) - 1
		rows = append(rows, row{strings.Join(words, " "), words[0], words[1], strings.Join(words[2:last], " "), words[last]})
	}
	if len(rows) < 60 {
		t.Fatalf("the corpus has %d rows", len(rows))
	}
	return rows
}

func TestFilterCorpus(t *testing.T) {
	type seen struct {
		filter  string
		exclude bool
	}
	covered := map[seen]bool{}
	for _, r := range corpus(t) {
		t.Run(r.line, func(t *testing.T) {
			w := hook(t, r.filters)
			e, ok := events(api.ServerType(r.server))[r.event]
			if !ok {
				t.Fatalf("there is no event %q", r.event)
			}
			v := webhook.Evaluate(w, delivery(e), e)
			if string(v.Outcome) != r.outcome {
				t.Errorf("the outcome is %s (%s), want %s\n%+v", v.Outcome, v.Reason, r.outcome, v.Groups)
			}
			if v.Reason == "" {
				t.Error("nothing says why")
			}
			for _, g := range v.Groups {
				for _, f := range g.Filters {
					covered[seen{f.Type, f.ExcludeMatchedPattern}] = true
				}
			}
		})
	}
	for _, f := range []string{"EVENT", "ACTOR_ACCOUNT_ID", "HEAD_REF", "BASE_REF", "FILE_PATH", "COMMIT_MESSAGE", "WORKFLOW_NAME", "TAG_NAME", "RELEASE_NAME", "REPOSITORY_NAME", "ORGANIZATION_NAME"} {
		for _, exclude := range []bool{false, true} {
			if !covered[seen{f, exclude}] {
				t.Errorf("no row has a filter of type %s with excludeMatchedPattern %t", f, exclude)
			}
		}
	}
}

func TestVerdictsShowWhatWasSeen(t *testing.T) {
	tests := []struct {
		name, event, filters string
		want                 slipway.FilterVerdict // of the last filter
	}{
		{"the ref, and that it is a full one", "push", "EVENT=PUSH HEAD_REF=^main$", slipway.FilterVerdict{Type: "HEAD_REF", Pattern: "^main$", Value: "refs/heads/main", Note: "HEAD_REF holds full refs: 'main' would match, 'refs/heads/main' does not"}},
		{"the path that matched", "push", "EVENT=PUSH FILE_PATH=go$", slipway.FilterVerdict{Type: "FILE_PATH", Pattern: "go$", Value: "src/a.go", Matched: true, Note: "1 of 2 paths that changed"}},
		{"how many paths did not", "push", "EVENT=PUSH FILE_PATH=^lib", slipway.FilterVerdict{Type: "FILE_PATH", Pattern: "^lib", Value: "docs/readme.md", Note: "none of the 2 paths that changed matches"}},
		{"the path that is excluded", "push", "EVENT=PUSH FILE_PATH!=^src", slipway.FilterVerdict{Type: "FILE_PATH", Pattern: "^src", Value: "src/a.go", ExcludeMatchedPattern: true, Note: "this path is excluded; 2 paths changed"}},
		{"that nothing changed", "tag", "EVENT=PUSH FILE_PATH=x", slipway.FilterVerdict{Type: "FILE_PATH", Pattern: "x", Note: "no path changed"}},
		{"that a branch filter sees the short name", "pull", "branch=^main$", slipway.FilterVerdict{Type: "BRANCH_FILTER", Pattern: "^main$", Value: "feature/x"}},
		{"that an event has no such value", "push", "EVENT=PUSH BASE_REF=x", slipway.FilterVerdict{Type: "BASE_REF", Pattern: "x", Note: "an event of type PUSH has no BASE_REF"}},
		{"the event", "push", "EVENT=PULL_REQUEST_CREATED", slipway.FilterVerdict{Type: "EVENT", Pattern: "PULL_REQUEST_CREATED", Value: "PUSH"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := events("GITHUB")[tt.event]
			v := webhook.Evaluate(hook(t, tt.filters), delivery(e), e)
			filters := v.Groups[len(v.Groups)-1].Filters
			if got := filters[len(filters)-1]; got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
	t.Run("long values are cut", func(t *testing.T) {
		e := events("GITHUB")["push"]
		e.Message = new(strings.Repeat("ä", 10000))
		v := webhook.Evaluate(hook(t, "EVENT=PUSH COMMIT_MESSAGE=x"), delivery(e), e)
		if got := []rune(v.Groups[0].Filters[1].Value); len(got) != 201 {
			t.Errorf("%d characters are shown", len(got))
		}
	})
}

func TestNeeds(t *testing.T) {
	tests := []struct {
		name, filters  string
		files, message bool
	}{
		{"no filter needs anything", "-", false, false},
		{"a path", "EVENT=PUSH FILE_PATH=x", true, false},
		{"a message", "EVENT=PUSH COMMIT_MESSAGE!=x", false, true},
		{"both", "EVENT=PUSH COMMIT_MESSAGE=x FILE_PATH=x", true, true},
		{"not if another filter fails anyway", "EVENT=PUSH HEAD_REF=^refs/heads/dev$ FILE_PATH=x", false, false},
		{"not for another event", "EVENT=PULL_REQUEST_CREATED FILE_PATH=x", false, false},
		{"not if another group matches anyway", "EVENT=PUSH FILE_PATH=x or EVENT=PUSH", false, false},
		{"what any group needs", "EVENT=PUSH FILE_PATH=x or EVENT=PUSH COMMIT_MESSAGE=x", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := events("GITHUB")["untold"]
			if f, m := webhook.Needs(hook(t, tt.filters), delivery(e), e); f != tt.files || m != tt.message {
				t.Errorf("Needs = %t, %t, want %t, %t", f, m, tt.files, tt.message)
			}
			e = events("GITHUB")["push"]
			if f, m := webhook.Needs(hook(t, tt.filters), delivery(e), e); f || m {
				t.Errorf("with all there, Needs = %t, %t", f, m)
			}
			e = events("GITHUB")["deleted"]
			if f, m := webhook.Needs(hook(t, tt.filters), delivery(e), e); f || m {
				t.Errorf("for a deletion, Needs = %t, %t", f, m)
			}
		})
	}
}

func TestSubscriptions(t *testing.T) {
	all := func(texts ...string) (hooks []api.Webhook) {
		for _, text := range texts {
			w := *hook(t, text)
			if rest, ok := strings.CutPrefix(text, "EVENT=PULL"); ok && rest != "" {
				w.PullRequestBuildPolicy = &api.PullRequestBuildPolicy{RequiresCommentApproval: "FORK_PULL_REQUESTS"}
			}
			hooks = append(hooks, w)
		}
		return hooks
	}
	tests := []struct {
		name     string
		server   api.ServerType
		hooks    []api.Webhook
		want     string
		comments bool
	}{
		{"nobody listens", "GITHUB", nil, "", false},
		{"no filters", "GITHUB", all("-"), "PUSH PULL_REQUEST_CREATED PULL_REQUEST_UPDATED PULL_REQUEST_REOPENED PULL_REQUEST_MERGED PULL_REQUEST_CLOSED", false},
		{"a branch filter, at Bitbucket", "BITBUCKET", all("branch=x"), "PUSH PULL_REQUEST_CREATED PULL_REQUEST_UPDATED PULL_REQUEST_MERGED PULL_REQUEST_CLOSED", false},
		{"what any project hears", "GITLAB", all("EVENT=RELEASED", "EVENT=PUSH,RELEASED", "EVENT=WORKFLOW_JOB_QUEUED"), "PUSH RELEASED WORKFLOW_JOB_QUEUED", false},
		{"all but", "GITLAB", all("EVENT!=PUSH,RELEASED,WORKFLOW_JOB_QUEUED,PULL_REQUEST_CLOSED"), "PULL_REQUEST_CREATED PULL_REQUEST_UPDATED PULL_REQUEST_REOPENED PULL_REQUEST_MERGED", false},
		{"comments, if they approve", "GITHUB", all("EVENT=PUSH", "EVENT=PULL_REQUEST_CREATED"), "PUSH PULL_REQUEST_CREATED", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			types, comments := webhook.Subscriptions(tt.server, tt.hooks)
			var names []string
			for _, n := range types {
				names = append(names, string(n))
			}
			if got := strings.Join(names, " "); got != tt.want || comments != tt.comments {
				t.Errorf("Subscriptions = %q, %t, want %q, %t", got, comments, tt.want, tt.comments)
			}
		})
	}
}

// FuzzEvaluate holds that whatever filters and payloads say, evaluating never
// panics, a filter that saw a value is inverted by excluding, one that saw none
// never passes, and a group is all of its filters.
func FuzzEvaluate(f *testing.F) {
	f.Add("HEAD_REF", "^refs/heads/main$", "refs/heads/main", "a\nb", "PUSH")
	f.Add("FILE_PATH", "(a|b)+", "x", "src/a.go", "PULL_REQUEST_CREATED")
	f.Add("EVENT", "PUSH, RELEASED", "", "", "RELEASED")
	f.Add("ACTOR_ACCOUNT_ID", "(?!x", "1", "", "PUSH")
	f.Fuzz(func(t *testing.T, kind, pattern, value, files, name string) {
		e := event.Event{Type: event.Type(name), ActorID: value, HeadRef: value, BaseRef: value, Tag: value, ReleaseName: value, Message: &value, Job: &event.Job{Workflow: value}}
		if files != "" {
			e.Files = strings.Split(files, "\n")
		}
		verdict := func(exclude bool) slipway.ProjectVerdict {
			w := &api.Webhook{FilterGroups: [][]api.WebhookFilter{{{Type: api.WebhookFilterType(kind), Pattern: pattern, ExcludeMatchedPattern: &exclude}, {Type: "EVENT", Pattern: name}}}}
			_ = webhook.Check("GITHUB", w)
			webhook.Warnings("GITHUB", w)
			webhook.Needs(w, delivery(e), e)
			return webhook.Evaluate(w, delivery(e), e)
		}
		with, without := verdict(false), verdict(true)
		a, b := with.Groups[0].Filters[0], without.Groups[0].Filters[0]
		saw := a.Value != "" || kind == "COMMIT_MESSAGE" && a.Note == "" || kind == "FILE_PATH" && a.Matched != b.Matched || kind == "EVENT"
		if saw && a.Matched == b.Matched {
			t.Errorf("%s %q on %q: %+v and excluding %+v", kind, pattern, value, a, b)
		}
		if !saw && (a.Matched || b.Matched) {
			t.Errorf("%s %q matched nothing: %+v, %+v", kind, pattern, a, b)
		}
		for _, v := range []slipway.ProjectVerdict{with, without} {
			all := !slices.ContainsFunc(v.Groups[0].Filters, func(f slipway.FilterVerdict) bool { return !f.Matched })
			if v.Groups[0].Matched != all || (v.Outcome == slipway.VerdictOutcomeBuild) != all {
				t.Errorf("the group is %t and the outcome %s with %+v", v.Groups[0].Matched, v.Outcome, v.Groups[0].Filters)
			}
		}
	})
}
