package rest_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

func client() *rest.Client {
	return rest.New(rest.Dialect{
		Name:      "Forge",
		Authorize: func(*http.Request, source.Login) { panic("git does not log in like REST") },
		Limited:   func(*rest.Answer) (time.Duration, bool) { return 0, false },
		Explain:   func(*rest.Answer, *source.Refusal, rest.Call) {},
		Words:     func(a *rest.Answer) string { return string(a.Body) },
	}, rest.Options{})
}

// Refs sees what git itself would, and needs the same login.
func TestRefs(t *testing.T) {
	s, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CreateRepository("o", "r", true))
	s.AddToken(sourcetest.Token{Value: "ghp_good", Login: "ann", Scopes: []string{"repo"}})
	r := source.Repository{Site: source.Site{Server: "GITHUB_ENTERPRISE", APIBase: url + "/api/v3", WebBase: url}, Owner: "o", Name: "r"}
	by := source.NewLogin("GITHUB_ENTERPRISE", "", secret.New("ghp_good"))

	empty, err := client().Refs(t.Context(), r, by)
	if err != nil || len(empty) != 0 {
		t.Errorf("an empty repository has refs %v, %v, want none", empty, err)
	}
	if byDefault, branches, err := client().Branches(t.Context(), r, by); err != nil || byDefault != "" || len(branches) != 0 {
		t.Errorf("an empty repository has branches %q, %v, %v", byDefault, branches, err)
	}
	main, err := s.Commit("o", "r", "main", map[string]string{"a": "1"}, "one")
	must(err)
	next, err := s.Commit("o", "r", "feature/x", map[string]string{"a": "2"}, "two")
	must(err)
	must(s.Tag("o", "r", "v1", main, ""))
	must(s.Tag("o", "r", "v2", next, "annotated"))
	must(s.SetRef("o", "r", "refs/pull/7/head", next))
	got, err := client().Refs(t.Context(), r, by)
	must(err)
	want := map[string]string{"HEAD": main, "refs/heads/main": main, "refs/heads/feature/x": next, "refs/tags/v1": main, "refs/tags/v2": next, "refs/pull/7/head": next}
	if !maps.Equal(got, want) {
		t.Errorf("Refs = %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	byDefault, branches, err := client().Branches(t.Context(), r, by)
	must(err)
	if byDefault != "main" || !maps.Equal(branches, map[string]string{"main": main, "feature/x": next}) {
		t.Errorf("Branches = %q, %v", byDefault, branches)
	}
	for name, by := range map[string]source.Login{"a wrong token": source.NewLogin("GITHUB", "", secret.New("ghp_wrong")), "no token": {}} {
		if refs, err := client().Refs(t.Context(), r, by); err == nil {
			t.Errorf("with %s a private repository shows %v", name, refs)
		}
	}
}

func TestRefsOfWhatIsNoGitServer(t *testing.T) {
	for name, body := range map[string]string{
		"a login page": "<html>", "nothing": "", "a short packet": "00", "a long packet": "ffff# service=git-upload-pack\n", "another service": "001f# service=git-receive-pack\n0000",
		"a broken line": "001e# service=git-upload-pack\n00000008oops",
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
				_, _ = w.Write([]byte(body))
			}))
			defer s.Close()
			r := source.Repository{Site: source.Site{APIBase: s.URL, WebBase: s.URL}, Owner: "o", Name: "r"}
			if refs, err := client().Refs(t.Context(), r, source.Login{}); err == nil {
				t.Errorf("read refs %v, want an error", refs)
			}
		})
	}
}

// Old servers do not say what HEAD leads to.
func TestTheDefaultBranchOfAServerThatDoesNotTell(t *testing.T) {
	const a, b = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	packet := func(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }
	for _, c := range []struct{ name, head, more, want string }{
		{"one branch is where HEAD is", b, "", "main"},
		{"two are", a, "", ""},
		{"it tells of one that is not there", b, "symref=HEAD:refs/heads/gone", ""},
		{"it tells of none", b, "symref=HEAD:refs/tags/main", ""},
		{"it tells", a, "multi_ack symref=HEAD:refs/heads/other agent=x", "other"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = w.Write([]byte(packet("# service=git-upload-pack\n") + "0000" + packet(c.head+" HEAD\x00"+c.more+"\n") +
				packet(a+" refs/heads/a\n") + packet(b+" refs/heads/main\n") + packet(a+" refs/heads/other\n") + "0000"))
		}))
		r := source.Repository{Site: source.Site{APIBase: s.URL, WebBase: s.URL}, Owner: "o", Name: "r"}
		if got, all, err := client().Branches(t.Context(), r, source.Login{}); err != nil || got != c.want || len(all) != 3 {
			t.Errorf("%s: %q, %v, %v, want %q", c.name, got, all, err, c.want)
		}
		s.Close()
	}
}
