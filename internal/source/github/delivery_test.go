package github

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/webhook/event"
)

// GitHub's own vector, of its page on validating deliveries.
func TestSignedAsGitHubPublishes(t *testing.T) {
	const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	key := secret.New("It's a Secret to Everybody")

	for _, c := range []struct {
		name    string
		header  http.Header
		body    string
		secrets []secret.Text
		want    slipway.SignatureVerdict
		which   int
	}{
		{"the published vector", http.Header{"X-Hub-Signature-256": {signature}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictValid, 0},
		{"the secret before", http.Header{"X-Hub-Signature-256": {signature}}, "Hello, World!", []secret.Text{secret.New("new"), key}, slipway.SignatureVerdictValidOldSecret, 1},
		{"another body", http.Header{"X-Hub-Signature-256": {signature}}, "Hello, World?", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"SHA-1 alone", http.Header{"X-Hub-Signature": {"sha1=4d8a7f6e0c5b1a2d3e4f5a6b7c8d9e0f1a2b3c4d"}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictMissing, -1},
		{"no prefix", http.Header{"X-Hub-Signature-256": {signature[7:]}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"no hexadecimal", http.Header{"X-Hub-Signature-256": {"sha256=zz"}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"half a signature", http.Header{"X-Hub-Signature-256": {signature[:39]}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"an empty one", http.Header{"X-Hub-Signature-256": {"sha256="}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"two signatures", http.Header{"X-Hub-Signature-256": {signature, signature}}, "Hello, World!", []secret.Text{key}, slipway.SignatureVerdictInvalid, -1},
		{"no secrets", http.Header{"X-Hub-Signature-256": {signature}}, "Hello, World!", nil, slipway.SignatureVerdictInvalid, -1},
		{"an empty secret", http.Header{"X-Hub-Signature-256": {"sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}}, "", []secret.Text{secret.New("")}, slipway.SignatureVerdictInvalid, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, which := impatient().Signed(c.header, []byte(c.body), c.secrets, time.Now()); got != c.want || which != c.which {
				t.Errorf("Signed = %s, %d, want %s, %d", got, which, c.want, c.which)
			}
		})
	}

}

const zeros = "0000000000000000000000000000000000000000"

func headers(name string) http.Header {
	return http.Header{"X-Github-Event": {name}, "X-Github-Delivery": {"72d3162e"}, "User-Agent": {"GitHub-Hookshot/fc9e274"}, "Content-Type": {"application/json"}}
}

const around = `"repository":{"id":17,"name":"app","full_name":"octo/app","private":true,"clone_url":"https://github.com/octo/app.git","owner":{"login":"octo","type":"Organization"},"pushed_at":1790000000},"organization":{"login":"octo"},"sender":{"id":42,"login":"ada"}`

func TestReadPush(t *testing.T) {
	base := event.Event{Type: event.Push, ActorID: "42", ActorName: "ada", HeadRef: "refs/heads/main", At: time.Unix(1790000000, 0).UTC()}
	with := func(change func(*event.Event)) event.Event {
		e := base
		change(&e)
		return e
	}
	many := strings.TrimSuffix(strings.Repeat(`{"added":["a"]},`, maxCommits), ",")
	wide := strings.TrimSuffix(strings.Repeat(`"a",`, maxFiles), ",")
	for _, c := range []struct {
		name, body string
		want       event.Event
	}{
		{"to a branch", `"ref":"refs/heads/main","before":"` + commit + `","after":"` + commit + `","head_commit":{"id":"` + commit + `","message":"M"},"commits":[{"added":["a"],"modified":["b"]},{"removed":["a","c"]}]`,
			with(func(e *event.Event) {
				e.Before, e.Commit, e.Message, e.Files = commit, commit, new("M"), []string{"a", "b", "c"}
			})},
		{"of a new branch", `"ref":"refs/heads/main","before":"` + zeros + `","after":"` + commit + `","created":true,"head_commit":{"id":"` + commit + `","message":""},"commits":[]`,
			with(func(e *event.Event) { e.Commit, e.Message, e.Files = commit, new(""), []string{} })},
		{"of a deletion", `"ref":"refs/heads/main","before":"` + commit + `","after":"` + zeros + `","deleted":true,"head_commit":null,"commits":[]`,
			with(func(e *event.Event) { e.Before, e.Deleted, e.Files = commit, true, []string{} })},
		{"of an annotated tag, whose commit is not after", `"ref":"refs/tags/v1","before":"` + zeros + `","after":"` + strings.Repeat("a", 40) + `","head_commit":{"id":"` + commit + `","message":"M"}`,
			with(func(e *event.Event) {
				e.HeadRef, e.Commit, e.Message, e.Files = "refs/tags/v1", commit, new("M"), []string{}
			})},
		{"of more commits than a payload holds", `"ref":"refs/heads/main","before":"` + commit + `","after":"` + commit + `","commits":[` + many + `]`,
			with(func(e *event.Event) { e.Before, e.Commit = commit, commit })},
		{"of more files than a payload holds", `"ref":"refs/heads/main","before":"` + commit + `","after":"` + commit + `","commits":[{"modified":[` + wide + `]}]`,
			with(func(e *event.Event) { e.Before, e.Commit = commit, commit })},
	} {
		body := "{" + c.body + "," + around + "}"
		form := headers("push")
		form.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		for kind, in := range map[string]struct {
			header http.Header
			body   string
		}{"JSON": {headers("push"), body}, "a form": {form, url.Values{"payload": {body}}.Encode()}} {
			t.Run(c.name+" as "+kind, func(t *testing.T) {
				got, err := impatient().Read(in.header, []byte(in.body))
				if err != nil {
					t.Fatal(err)
				}
				want := event.Delivery{ID: "72d3162e", Name: "push", Sender: "GitHub-Hookshot/fc9e274", Events: []event.Event{c.want},
					Repository: event.Repository{ID: "17", FullName: "octo/app", Name: "app", Organization: "octo", CloneURL: "https://github.com/octo/app.git", Private: true}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("Read (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestReadWhatIsNoBuild(t *testing.T) {
	for _, c := range []struct{ name, event, body, note string }{
		{"a ping", "ping", `{"zen":"x","hook_id":1}`, "GitHub tries whether the webhook is reached: it is."},
		{"an event that builds nothing", "fork", `{` + around + `}`, "Nothing is built for fork."},
		{"a label", "pull_request", `{"action":"labeled",` + around + `}`, "Nothing is built when a pull request is labeled."},
		{"a review", "pull_request", `{"action":"review_requested",` + around + `}`, "Nothing is built when a pull request is review requested."},
		{"a release that is only published", "release", `{"action":"published",` + around + `}`, "Nothing is built when a release is published: GitHub also tells that it is released or prereleased."},
		{"a job that runs", "workflow_job", `{"action":"in_progress",` + around + `}`, "Nothing is built when a workflow job is in progress."},
		{"a comment on an issue", "issue_comment", `{"action":"created","issue":{"number":1},"comment":{"body":"x"},` + around + `}`, "The comment is on an issue, not on a pull request."},
		{"a comment that is edited", "issue_comment", `{"action":"edited",` + around + `}`, "Nothing is built when a comment is edited."},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := impatient().Read(headers(c.event), []byte(c.body))
			if err != nil || d.Note != c.note || len(d.Events) > 0 || d.Comment != nil {
				t.Errorf("Read = %+v, %v, want the note %q", d, err, c.note)
			}
		})
	}
}

func TestReadWhatGitHubDoesNotSend(t *testing.T) {
	for name, c := range map[string]struct{ event, body, want string }{
		"no JSON":                          {"push", "<html>", "not JSON"},
		"a list":                           {"push", "[]", "not what GitHub sends"},
		"a number for a ref":               {"push", `{"ref":1}`, "ref of the delivery is not what GitHub sends"},
		"a push of nothing":                {"push", `{` + around + `}`, "lacks the ref"},
		"a push of no repository":          {"push", `{"ref":"refs/heads/x"}`, "names no repository"},
		"a commit that is none":            {"push", `{"ref":"refs/heads/x","before":"../..","after":"--upload-pack",` + around + `}`, "lacks the ref or the commits"},
		"a pull request without a head":    {"pull_request", `{"action":"opened","pull_request":{"number":1},` + around + `}`, "lacks the number"},
		"an opened nothing":                {"pull_request", `{"action":"opened",` + around + `}`, "holds no pull request"},
		"a release without a tag":          {"release", `{"action":"released","release":{},` + around + `}`, "lacks the tag"},
		"a job without a commit":           {"workflow_job", `{"action":"queued","workflow_job":{"id":1},` + around + `}`, "lacks the job"},
		"a comment without its issue":      {"issue_comment", `{"action":"created",` + around + `}`, "lacks the comment"},
		"a delivery that names no event":   {"", `{}`, "no X-GitHub-Event"},
		"an id that no number can be":      {"push", `{"repository":{"id":1e400}}`, "not what GitHub sends"},
		"a hundred thousand open brackets": {"push", strings.Repeat("[", 100_000), "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			h := headers(c.event)
			if c.event == "" {
				h.Del("X-GitHub-Event")
			}
			if d, err := impatient().Read(h, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read = %+v, %v, want an error with %q", d, err, c.want)
			}
		})
	}
}

func TestReadLongComment(t *testing.T) {
	text := strings.Repeat("x", maxComment-1) + "é" + strings.Repeat("y", 100)
	d, err := impatient().Read(headers("issue_comment"), []byte(`{"action":"created","issue":{"number":7,"pull_request":{"url":"x"}},"comment":{"body":"`+text+`","user":{"id":5,"login":"eve"}},`+around+`}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &event.Comment{PullRequest: 7, AuthorID: "5", AuthorName: "eve", Text: strings.Repeat("x", maxComment-1)}
	if diff := cmp.Diff(want, d.Comment); diff != "" {
		t.Errorf("comment (-want +got):\n%s", diff[:min(len(diff), 300)])
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []struct{ event, body string }{
		{"push", `{"ref":"refs/heads/main","before":"` + zeros + `","after":"` + commit + `","commits":[{"added":["a"]}],` + around + `}`},
		{"pull_request", `{"action":"closed","pull_request":{"number":1,"merged":true,"merge_commit_sha":"` + commit + `","head":{"ref":"a","sha":"` + commit + `","repo":null},"base":{"ref":"b"}},` + around + `}`},
		{"release", `{"action":"released","release":{"tag_name":"v1","name":null},` + around + `}`},
		{"workflow_job", `{"action":"queued","workflow_job":{"id":1,"run_id":2,"head_sha":"` + commit + `","labels":["x"]},` + around + `}`},
		{"issue_comment", `{"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"body":"x"},` + around + `}`},
		{"ping", `{}`},
	} {
		f.Add(seed.event, seed.body, false)
		f.Add(seed.event, url.Values{"payload": {seed.body}}.Encode(), true)
	}
	p := impatient()
	f.Fuzz(func(t *testing.T, name, body string, form bool) {
		h := headers(name)
		if form {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		d, err := p.Read(h, []byte(body))
		if err != nil {
			return
		}
		if len(d.Events) == 0 && d.Comment == nil && d.Note == "" {
			t.Errorf("a delivery says nothing: %+v", d)
		}
		for _, e := range d.Events {
			if !strings.HasPrefix(e.HeadRef, "refs/") && e.Job == nil || e.Commit != "" && !commitID.MatchString(e.Commit) {
				t.Errorf("an event of %q at %q", e.HeadRef, e.Commit)
			}
			if e.Commit == "" && !e.Deleted && e.Tag == "" {
				t.Errorf("an event with nothing to build: %+v", e)
			}
		}
		if d.Comment != nil && (len(d.Comment.Text) > maxComment || !utf8.ValidString(d.Comment.Text)) {
			t.Errorf("a comment of %d bytes", len(d.Comment.Text))
		}
	})
}
