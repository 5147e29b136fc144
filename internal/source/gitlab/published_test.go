package gitlab_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/go-playground/webhooks/v6/gitlab"
	_ "gitlab.com/gitlab-org/api/client-go/v2"

	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// collections are payloads that others publish, in their modules' test data.
// The modules are required for these alone: nothing of them is in a binary.
var collections = []struct{ module, dir string }{
	{"github.com/go-playground/webhooks/v6", "testdata/gitlab"},
	{"gitlab.com/gitlab-org/api/client-go/v2", "testdata/webhooks"},
}

// hookName is the header that comes with a payload, which nobody publishes.
func hookName(file string) string {
	if strings.HasPrefix(file, "system-") {
		return "System Hook"
	}
	return strings.TrimSuffix(file, ".json")
}

// Every published payload is read, and what it says is in testdata/published.txt.
func TestPublishedPayloadsAreRead(t *testing.T) {
	p := gitlab.New(rest.Options{})
	var got strings.Builder
	for _, c := range collections {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", c.module).Output()
		must(t, err)
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), c.dir, "*.json"))
		must(t, err)
		if len(files) < 25 {
			t.Fatalf("%d payloads in %s: where are they?", len(files), c.module)
		}
		fmt.Fprintf(&got, "# %s\n", c.module)
		for _, file := range files {
			body, err := os.ReadFile(file)
			must(t, err)
			name := filepath.Base(file)
			if name == "group_merge_request.json" { // its keys were printed with a blank at the end, which GitLab does not do
				body = bytes.ReplaceAll(body, []byte(` ":`), []byte(`":`))
			}
			h := http.Header{"X-Gitlab-Event": {hookName(name)}}
			d, err := p.Read(h, body)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			fmt.Fprintf(&got, "%s of %s\n", d.Name, cmp.Or(d.Repository.FullName, "nothing"))
			if d.Note != "" {
				fmt.Fprintf(&got, "\t%s\n", d.Note)
			}
			if d.Comment != nil {
				fmt.Fprintf(&got, "\tcomment on %d by %s %s: %q\n", d.Comment.PullRequest, d.Comment.AuthorID, d.Comment.AuthorName, d.Comment.Text)
			}
			for _, e := range d.Events {
				fmt.Fprintf(&got, "\t%s by %q %q, head %s, base %q, commit %s, before %q, merge %q\n", e.Type, e.ActorID, e.ActorName, e.HeadRef, e.BaseRef, e.Commit, e.Before, e.Merge)
				if e.Message != nil {
					fmt.Fprintf(&got, "\tmessage %q\n", *e.Message)
				}
				if e.Files != nil {
					fmt.Fprintf(&got, "\tfiles %q\n", e.Files)
				}
				if pr := e.PullRequest; pr != nil {
					fmt.Fprintf(&got, "\tmerge request %d of %s, fork %t, from %s\n", pr.Number, pr.AuthorID, pr.Fork, pr.Head.FullName)
				}
				if e.Tag != "" {
					fmt.Fprintf(&got, "\trelease %q of tag %s\n", e.ReleaseName, e.Tag)
				}
				if e.Job != nil {
					fmt.Fprintf(&got, "\tjob %d of %d in %q for %q\n", e.Job.ID, e.Job.RunID, e.Job.Workflow, e.Job.Labels)
				}
			}
		}
	}
	golden := filepath.Join("testdata", "published.txt")
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if got.String() != string(want) {
		t.Errorf("what is read has changed; look at it and rewrite %s with -update:\n%s", golden, got.String())
	}
}
