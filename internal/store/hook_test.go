package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

func sealedHook(key, place string) webhook.SealedHook {
	return webhook.SealedHook{Hook: webhook.Hook{
		Key: key, Scope: scope, ServerType: api.ServerTypeGithub, Place: place,
		Record: webhook.HookRecord{Location: "https://" + place, Events: []event.Type{event.Push}}, Created: noon, Modified: noon,
	}, Box: []byte("sealed " + key)}
}

func TestHooks(t *testing.T) {
	db := open(t, t.TempDir())
	hooks := db.Hooks()
	ctx := t.Context()
	for _, name := range []string{"app", "lib"} {
		must(t, db.Projects().Create(ctx, project.Project{Scope: scope, Public: api.Project{Name: &name}}))
	}
	first := sealedHook("one", "github.com/o/r")
	got, err := hooks.Reserve(ctx, first)
	must(t, err)
	if d := cmp.Diff(first, got); d != "" {
		t.Errorf("Reserve (-want +got):\n%s", d)
	}
	got, err = hooks.Reserve(ctx, sealedHook("two", "github.com/o/r"))
	must(t, err)
	if got.Key != "one" {
		t.Errorf("a second hook of the same repository is %s, want the first, one", got.Key)
	}
	own := sealedHook("own", "github.com/o/r")
	own.Project = "app"
	if got, err = hooks.Reserve(ctx, own); err != nil || got.Key != "own" {
		t.Errorf("a project's own hook is %s, %v, want own", got.Key, err)
	}

	hear := func(p project.Project) (project.Project, error) {
		p.Public.Webhook = &api.Webhook{URL: new("https://hook")}
		return p, nil
	}
	for _, name := range []string{"lib", "app"} {
		p, err := hooks.Attach(ctx, scope, name, "one", hear)
		must(t, err)
		if p.Public.Webhook == nil {
			t.Errorf("project %s was not changed", name)
		}
	}
	_, err = hooks.Attach(ctx, scope, "app", "none", hear)
	wantFault(t, err, fault.NotFound, "There is no such webhook")
	_, err = hooks.Attach(ctx, scope, "none", "one", hear)
	wantFault(t, err, fault.NotFound, "Project cannot be found: "+scope.Project("none"))

	all, err := hooks.Listeners(ctx, "one")
	must(t, err)
	if len(all) != 2 || *all[0].Public.Name != "app" || *all[1].Public.Name != "lib" || all[0].Scope != scope {
		t.Errorf("Listeners = %v, want app and lib", all)
	}
	of, err := hooks.OfProject(ctx, scope, "app")
	must(t, err)
	if d := cmp.Diff(first, of); d != "" {
		t.Errorf("OfProject (-want +got):\n%s", d)
	}

	changed, err := hooks.Change(ctx, "one", func(h *webhook.SealedHook) error {
		h.OldBox, h.OldUntil, h.Box = h.Box, noon, []byte("new")
		h.Record.Signed = true
		return nil
	})
	must(t, err)
	if again, err := hooks.Find(ctx, "one"); err != nil || !cmp.Equal(changed, again) || string(again.OldBox) != "sealed one" || !again.Record.Signed {
		t.Errorf("Find = %v, %v, want what Change made", again, err)
	}
	_, err = hooks.Change(ctx, "none", func(*webhook.SealedHook) error { return nil })
	wantFault(t, err, fault.NotFound, "There is no such webhook")

	if removed, err := hooks.Delete(ctx, "one"); err != nil || removed {
		t.Errorf("a hook that projects hear was removed: %v, %v", removed, err)
	}
	for left, name := range map[int]string{1: "app"} {
		key, n, err := hooks.Detach(ctx, scope, name, func(p project.Project) (project.Project, error) {
			p.Public.Webhook = nil
			return p, nil
		})
		if err != nil || key != "one" || n != left {
			t.Errorf("Detach(%s) = %s, %d, %v, want one, %d", name, key, n, err, left)
		}
	}
	if key, n, err := hooks.Detach(ctx, scope, "lib", nil); err != nil || key != "one" || n != 0 {
		t.Errorf("Detach of a project that stays as it is = %s, %d, %v, want one, 0", key, n, err)
	}
	_, _, err = hooks.Detach(ctx, scope, "app", nil)
	wantFault(t, err, fault.NotFound, "Webhook for project app does not exist")
	if removed, err := hooks.Delete(ctx, "one"); err != nil || !removed {
		t.Errorf("a hook that nobody hears was not removed: %v", err)
	}
	_, err = hooks.Find(ctx, "one")
	wantFault(t, err, fault.NotFound, "There is no such webhook")
	if rest, err := hooks.All(ctx); err != nil || len(rest) != 1 || rest[0].Key != "own" {
		t.Errorf("All = %v, %v, want own", rest, err)
	}
}
