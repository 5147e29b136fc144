package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

func TestPolls(t *testing.T) {
	db := open(t, t.TempDir())
	polls, ctx := db.Polls(), t.Context()
	for _, key := range []string{"one", "two"} {
		_, err := db.Hooks().Reserve(ctx, sealedHook(key, "github.com/o/"+key))
		must(t, err)
	}
	want := func(hook string, refs map[string]string) {
		t.Helper()
		got, err := polls.Refs(ctx, hook)
		must(t, err)
		if d := cmp.Diff(refs, got); d != "" {
			t.Errorf("Refs(%s) (-want +got):\n%s", hook, d)
		}
	}
	want("one", map[string]string{})
	must(t, polls.Remember(ctx, "one", map[string]string{"refs/heads/main": "a", "refs/heads/old": "b"}, nil, nil))
	must(t, polls.Remember(ctx, "two", map[string]string{"refs/heads/main": "z"}, nil, nil))
	must(t, polls.Remember(ctx, "one", map[string]string{"refs/heads/main": "c", "refs/tags/v1": "c"}, []string{"refs/heads/old"},
		func(r *webhook.HookRecord) { r.LastPoll, r.PollMessage = noon, "slow" }))
	want("one", map[string]string{"refs/heads/main": "c", "refs/tags/v1": "c"})
	want("two", map[string]string{"refs/heads/main": "z"})
	h, err := db.Hooks().Find(ctx, "one")
	must(t, err)
	if !h.Record.LastPoll.Equal(noon) || h.Record.PollMessage != "slow" || h.Record.Location == "" {
		t.Errorf("the record is %+v, want what Remember made of it", h.Record)
	}
	wantFault(t, polls.Remember(ctx, "none", nil, nil, nil), fault.NotFound, "There is no such webhook")

	owed := outbox.Item{Kind: outbox.HookRemoval, Subject: "hook", Payload: []byte(`{}`), State: outbox.Owed, NotBefore: noon, Created: noon}
	if removed, err := db.Hooks().Delete(ctx, "one", owed); err != nil || !removed {
		t.Errorf("Delete = %v, %v", removed, err)
	}
	want("one", map[string]string{})
	want("two", map[string]string{"refs/heads/main": "z"})
	if removed, err := db.Hooks().Delete(ctx, "one", owed); err != nil || removed {
		t.Errorf("Delete again = %v, %v", removed, err)
	}
	if due, err := db.Outbox().Due(ctx, noon, 9); err != nil || len(due) != 1 || due[0].Kind != outbox.HookRemoval {
		t.Errorf("the outbox holds %v, %v, want one removal", due, err)
	}
}

func TestADeletedProjectHearsNothing(t *testing.T) {
	db := open(t, t.TempDir())
	ctx := t.Context()
	must(t, db.Projects().Create(ctx, newProject("app", noon)))
	_, err := db.Hooks().Reserve(ctx, sealedHook("one", "github.com/o/r"))
	must(t, err)
	if holds, err := db.HoldsSealed(ctx); err != nil || !holds {
		t.Errorf("HoldsSealed = %v, %v: a hook's secret is sealed", holds, err)
	}
	_, err = db.Hooks().Attach(ctx, scope, "app", "one", func(p project.Project) (project.Project, error) { return p, nil })
	must(t, err)
	must(t, db.Projects().Delete(ctx, scope, "app"))
	if removed, err := db.Hooks().Delete(ctx, "one"); err != nil || !removed {
		t.Errorf("its hook is still heard: %v, %v", removed, err)
	}
}
