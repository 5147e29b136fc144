package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
)

func TestProjects(t *testing.T) {
	store := open(t, t.TempDir()).Projects()
	ctx := t.Context()
	app := newProject("app", noon)
	must(t, store.Create(ctx, app))
	wantFault(t, store.Create(ctx, app), fault.Exists, "Project already exists: arn:aws:codebuild:us-east-1:000000000000:project/app")
	elsewhere := newProject("app", noon)
	elsewhere.Scope = other
	must(t, store.Create(ctx, elsewhere))

	got, err := store.Get(ctx, scope, "app")
	must(t, err)
	if d := cmp.Diff(app, got); d != "" {
		t.Errorf("the project comes back changed (an empty list stays one): %s", d)
	}
	_, err = store.Get(ctx, scope, "lib")
	wantFault(t, err, fault.NotFound, "Project cannot be found: arn:aws:codebuild:us-east-1:000000000000:project/lib")

	must(t, store.Create(ctx, newProject("lib", noon)))
	many, err := store.GetMany(ctx, scope, []string{"lib", "none", `"`, "app", "app"})
	must(t, err)
	if d := cmp.Diff([]project.Project{app, newProject("lib", noon)}, many); d != "" {
		t.Error(d)
	}
	if none, err := store.GetMany(ctx, scope, nil); len(none) != 0 || err != nil {
		t.Errorf("GetMany of nothing = %v, %v", none, err)
	}

	must(t, store.Delete(ctx, scope, "app"))
	must(t, store.Delete(ctx, scope, "app"))
	if _, err := store.Get(ctx, other, "app"); err != nil {
		t.Errorf("deleting reached into another region: %v", err)
	}
	must(t, store.Create(ctx, app))
}

func TestUpdateProject(t *testing.T) {
	store := open(t, t.TempDir()).Projects()
	ctx := t.Context()
	must(t, store.Create(ctx, newProject("app", noon)))
	want := newProject("app", noon)
	want.Public.Description, want.Public.LastModified = new("new"), api.At(noon.Add(time.Hour))
	got, err := store.Update(ctx, scope, "app", func(p project.Project) (project.Project, error) {
		p.Public.Description, p.Public.LastModified = want.Public.Description, want.Public.LastModified
		return p, nil
	})
	must(t, err)
	kept, err := store.Get(ctx, scope, "app")
	must(t, err)
	if d := cmp.Diff([]project.Project{want, want}, []project.Project{got, kept}); d != "" {
		t.Error(d)
	}

	if _, err := store.Update(ctx, scope, "app", func(p project.Project) (project.Project, error) { return p, errNo }); !errors.Is(err, errNo) {
		t.Errorf("Update = %v, want the change's error", err)
	}
	if _, err := store.Update(ctx, scope, "app", func(project.Project) (project.Project, error) { return newProject("lib", noon), nil }); err == nil {
		t.Error("a change could rename a project")
	}
	_, err = store.Update(ctx, scope, "lib", func(p project.Project) (project.Project, error) { return p, nil })
	wantFault(t, err, fault.NotFound, "Project cannot be found: arn:aws:codebuild:us-east-1:000000000000:project/lib")
	if kept, _ = store.Get(ctx, scope, "app"); !cmp.Equal(want, kept) {
		t.Errorf("a failed update changed the project: %s", cmp.Diff(want, kept))
	}
}

func TestUpdatesOfOneProjectDoNotLoseEachOther(t *testing.T) {
	store := open(t, t.TempDir()).Projects()
	must(t, store.Create(t.Context(), newProject("app", noon)))
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			_, err := store.Update(t.Context(), scope, "app", func(p project.Project) (project.Project, error) {
				p.Public.Tags = append(p.Public.Tags, api.Tag{Key: new(fmt.Sprint(i))})
				return p, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	p, err := store.Get(t.Context(), scope, "app")
	if must(t, err); len(p.Public.Tags) != 50 {
		t.Errorf("%d of 50 updates are kept", len(p.Public.Tags))
	}
}

// In every order, the pages together are the whole list, sorted, though others
// create projects in between: each that was there from the start comes once.
func TestProjectPages(t *testing.T) {
	for _, by := range []api.ProjectSortByType{"", api.ProjectSortByTypeName, api.ProjectSortByTypeCreatedTime, api.ProjectSortByTypeLastModifiedTime} {
		for _, descending := range []bool{false, true} {
			t.Run(fmt.Sprintf("by %s, descending %v", by, descending), func(t *testing.T) {
				store := open(t, t.TempDir()).Projects()
				rapid.Check(t, func(r *rapid.T) {
					for _, name := range listAll(t, store, by, descending, 100, nil) {
						must(t, store.Delete(t.Context(), scope, name))
					}
					var all []project.Project
					for i, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_-]{1,5}`), 0, 12, rapid.ID[string]).Draw(r, "names") {
						p := newProject(name, noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "created"))*time.Second))
						p.Public.LastModified = api.At(noon.Add(time.Duration(i%4) * time.Minute))
						must(t, store.Create(t.Context(), p))
						all = append(all, p)
					}
					slices.SortFunc(all, func(a, b project.Project) int {
						at := 0
						switch by {
						case api.ProjectSortByTypeCreatedTime:
							at = a.Public.Created.Compare(b.Public.Created.Time)
						case api.ProjectSortByTypeLastModifiedTime:
							at = a.Public.LastModified.Compare(b.Public.LastModified.Time)
						}
						if at == 0 {
							at = strings.Compare(*a.Public.Name, *b.Public.Name)
						}
						if descending {
							return -at
						}
						return at
					})
					var want []string
					for _, p := range all {
						want = append(want, *p.Public.Name)
					}
					n := 0
					got := listAll(t, store, by, descending, rapid.IntRange(1, 5).Draw(r, "limit"), func() {
						n++
						must(t, store.Create(t.Context(), newProject(fmt.Sprintf("during.%d", n), noon.Add(time.Duration(n)*time.Hour))))
					})
					got = slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "during.") })
					if d := cmp.Diff(want, got); d != "" {
						r.Error(d)
					}
				})
			})
		}
	}
}

func listAll(t *testing.T, store *Projects, by api.ProjectSortByType, descending bool, limit int, between func()) (all []string) {
	for after := ""; ; {
		page, next, err := store.List(t.Context(), scope, by, descending, after, limit)
		must(t, err)
		if len(page) > limit || next != "" && len(page) != limit {
			t.Fatalf("a page has %d names and next %q, want %d names or the last page", len(page), next, limit)
		}
		all = append(all, page...)
		if next == "" || len(all) > 200 {
			return all
		}
		after = next
		if between != nil && len(all) < 40 {
			between()
		}
	}
}

func TestAForgedProjectTokenIsInvalid(t *testing.T) {
	store := open(t, t.TempDir()).Projects()
	for _, after := range []string{"app", "/", "12", "12/", "x/app", "99999999999999999999/app"} {
		_, _, err := store.List(t.Context(), scope, api.ProjectSortByTypeCreatedTime, false, after, 10)
		wantFault(t, err, fault.Invalid, "Invalid next token: it is none of this list's")
	}
	if _, _, err := store.List(t.Context(), scope, api.ProjectSortByTypeName, false, "' OR 1=1 --", 10); err != nil {
		t.Errorf("any text may follow a name: %v", err)
	}
}
