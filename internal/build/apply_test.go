package build_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/fault"
)

func TestTransitions(t *testing.T) {
	const ok, bad = api.StatusType("SUCCEEDED"), api.StatusType("FAILED")
	all := []api.BuildPhaseType{"DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"}
	type edge struct {
		from   api.BuildPhaseType
		status api.StatusType
	}
	// Those of the guide, and what a buildspec's on-failure may make of a failure.
	allowed := map[edge][]api.BuildPhaseType{
		{"PROVISIONING", ok}:         {"DOWNLOAD_SOURCE"},
		{"DOWNLOAD_SOURCE", ok}:      {"INSTALL"},
		{"DOWNLOAD_SOURCE", bad}:     {"INSTALL", "FINALIZING"},
		{"INSTALL", ok}:              {"PRE_BUILD"},
		{"INSTALL", bad}:             {"PRE_BUILD", "FINALIZING"},
		{"PRE_BUILD", ok}:            {"BUILD"},
		{"PRE_BUILD", bad}:           {"BUILD", "FINALIZING"},
		{"BUILD", ok}:                {"POST_BUILD"},
		{"BUILD", bad}:               {"POST_BUILD", "FINALIZING"},
		{"POST_BUILD", ok}:           {"UPLOAD_ARTIFACTS"},
		{"POST_BUILD", bad}:          {"UPLOAD_ARTIFACTS", "FINALIZING"},
		{"UPLOAD_ARTIFACTS", ok}:     {"FINALIZING"},
		{"UPLOAD_ARTIFACTS", bad}:    {"FINALIZING"},
		{"BUILD", "STOPPED"}:         {},
		{"FINALIZING", ok}:           {},
		{"FINALIZING", bad}:          {},
		{"BUILD", "TIMED_OUT"}:       {"POST_BUILD", "FINALIZING"},
		{"DOWNLOAD_SOURCE", "FAULT"}: {"INSTALL", "FINALIZING"},
	}
	for e, next := range allowed {
		for _, to := range all {
			b := begun(t)
			for i, p := range all {
				if e.from == "PROVISIONING" {
					break
				}
				apply(t, &b, enter(float64(6+i), p))
				if p == e.from {
					apply(t, &b, leave(float64(6+i), e.status))
					break
				}
				apply(t, &b, leave(float64(6+i), ok))
			}
			want := strings.Contains(string(encoded(t, next)), `"`+string(to)+`"`)
			before := shown(b)
			err := b.Apply(enter(20, to), at(20))
			if (err == nil) != want {
				t.Errorf("from %s %s to %s: %v, want allowed %v", e.from, e.status, to, err, want)
			}
			if err != nil && (fault.KindOf(err) != fault.Invalid || shown(b) != before) {
				t.Errorf("from %s %s to %s: kind %v, %s", e.from, e.status, to, fault.KindOf(err), shown(b))
			}
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	commit := func(id, sha string) event.Event {
		return event.Event{Resolved: &event.Resolved{Identifier: id, Commit: sha}}
	}
	sha := strings.Repeat("0123456789", 4)
	tests := []struct {
		name   string
		before []event.Event
		e      event.Event
	}{
		{"nothing", nil, event.Event{Time: at(6)}},
		{"two parts", nil, event.Event{Enter: "DOWNLOAD_SOURCE", End: "FAILED"}},
		{"a phase nobody knows", nil, enter(6, "DEPLOY")},
		{"a phase of the server's", nil, enter(6, "PROVISIONING")},
		{"the end as a phase", nil, enter(6, "COMPLETED")},
		{"a phase twice", passing(6, "DOWNLOAD_SOURCE"), enter(8, "DOWNLOAD_SOURCE")},
		{"a phase while another runs", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, enter(7, "INSTALL")},
		{"a phase left out", passing(6, "DOWNLOAD_SOURCE"), enter(8, "BUILD")},
		{"leaving what was not entered", nil, leave(6, "SUCCEEDED")},
		{"leaving twice", passing(6, "DOWNLOAD_SOURCE"), leave(8, "FAILED")},
		{"leaving in progress", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, leave(7, "IN_PROGRESS")},
		{"leaving with a status nobody knows", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, leave(7, "CLIENT_ERROR")},
		{"a commit before the fetch", nil, commit("", sha)},
		{"a commit after the fetch", append(passing(6, "DOWNLOAD_SOURCE"), enter(8, "INSTALL")), commit("", sha)},
		{"a commit that is none", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, commit("", "main")},
		{"a commit of a strange length", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, commit("", sha+"00")},
		{"a commit of a source that is none", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, commit("lib", sha)},
		{"another commit", []event.Event{enter(6, "DOWNLOAD_SOURCE"), commit("", sha)}, commit("", strings.Repeat("b", 40))},
		{"variables before any command", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, event.Event{Exported: []api.ExportedEnvironmentVariable{{Name: new("A")}}}},
		{"a variable without a name", append(passing(6, "DOWNLOAD_SOURCE"), enter(8, "INSTALL")), event.Event{Exported: []api.ExportedEnvironmentVariable{{Value: new("x")}}}},
		{"an end in progress", nil, end(6, "IN_PROGRESS")},
		{"an end nobody knows", nil, end(6, "CANCELLED")},
		{"success before the end", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, end(7, "SUCCEEDED")},
		{"a cache of a build without", []event.Event{enter(6, "DOWNLOAD_SOURCE")}, event.Event{Cache: &event.Cache{Action: "RESTORE", Outcome: "MISS"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := begun(t)
			apply(t, &b, tt.before...)
			before := encoded(t, b)
			err := b.Apply(tt.e, at(3600))
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("Apply = %v, want an Invalid", err)
			}
			if diff := cmp.Diff(string(before), string(encoded(t, b))); diff != "" {
				t.Errorf("a refused event changed the build:\n%s", diff)
			}
		})
	}
}

func TestEventsOutOfTurn(t *testing.T) {
	b := started(t, nil, api.StartBuildInput{})
	if err := b.Apply(enter(1, "DOWNLOAD_SOURCE"), at(1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an event of a queued build: %v, want an Invalid", err)
	}
	b = begun(t)
	apply(t, &b, end(6, "FAILED"))
	if err := b.Apply(end(7, "FAILED"), at(7)); fault.KindOf(err) != fault.Gone {
		t.Errorf("an event of a finished build: %v, want a Gone", err)
	}
}

func TestTimesAreMovedIntoOrder(t *testing.T) {
	tests := []struct {
		name            string
		said, now, want float64
	}{
		{"as said", 6, 7, 6},
		{"before the last phase", 1, 7, 5},
		{"in the future", 99, 7, 7},
		{"by a server whose clock went back", 6, 2, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := begun(t) // PROVISIONING ended at 5
			if err := b.Apply(enter(tt.said, "DOWNLOAD_SOURCE"), at(tt.now)); err != nil {
				t.Fatal(err)
			}
			if got := b.Public.Phases[3].StartTime; !got.Equal(at(tt.want)) {
				t.Errorf("startTime = %v, want %v", got, at(tt.want))
			}
		})
	}
	b := begun(t)
	if err := b.Apply(event.Event{Enter: "DOWNLOAD_SOURCE"}, at(8)); err != nil || !b.Public.Phases[3].StartTime.Equal(at(8)) {
		t.Errorf("without a time: %v, %v, want now", err, b.Public.Phases[3].StartTime)
	}
}

func TestWhatIsTooMuchIsCut(t *testing.T) {
	long := strings.Repeat("ä", 10_001)
	contexts := make([]api.PhaseContext, 11)
	for i := range contexts {
		contexts[i] = api.PhaseContext{StatusCode: new("CODE"), Message: &long}
	}
	b := begun(t)
	apply(t, &b, enter(6, "DOWNLOAD_SOURCE"), leave(7, "FAILED", contexts...))
	kept := b.Public.Phases[3].Contexts
	total := 0
	for _, c := range kept {
		total += utf8.RuneCountInString(*c.Message) + utf8.RuneCountInString(*c.StatusCode)
	}
	if len(kept) != 10 || utf8.RuneCountInString(*kept[0].Message) != 10_000 || total > 50_000 {
		t.Errorf("%d contexts kept, the first with %d characters, %d in all", len(kept), utf8.RuneCountInString(*kept[0].Message), total)
	}

	b = begun(t)
	variables := make([]api.ExportedEnvironmentVariable, 202)
	for i := range variables {
		variables[i] = api.ExportedEnvironmentVariable{Name: new("V"), Value: new("x")}
	}
	variables[0].Name = new(strings.Repeat("V", 256))
	apply(t, &b, append(passing(6, "DOWNLOAD_SOURCE"), enter(8, "INSTALL"), event.Event{Exported: variables})...)
	if n := len(b.Public.ExportedEnvironmentVariables); n != 200 {
		t.Errorf("%d exported variables kept, want 200", n)
	}
}

func TestAWholeBuild(t *testing.T) {
	b := begun(t)
	apply(t, &b, enter(6, "DOWNLOAD_SOURCE"), event.Event{Resolved: &event.Resolved{Commit: strings.Repeat("AB", 20)}}, leave(7, "SUCCEEDED"))
	apply(t, &b, passing(8, "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD")...)
	apply(t, &b, event.Event{Exported: []api.ExportedEnvironmentVariable{{Name: new("VERSION"), Value: new("1.2")}}})
	apply(t, &b, passing(13, "UPLOAD_ARTIFACTS", "FINALIZING")...)
	apply(t, &b, end(15, "SUCCEEDED"))
	checkCoherent(t, b)
	if got := *b.Public.ResolvedSourceVersion; got != strings.Repeat("ab", 20) {
		t.Errorf("resolvedSourceVersion = %s", got)
	}
	if got := string(encoded(t, b.Public.ExportedEnvironmentVariables)); got != `[{"name":"VERSION","value":"1.2"}]` {
		t.Errorf("exported = %s", got)
	}
	if len(b.Public.Phases) != 11 || b.Public.BuildStatus != "SUCCEEDED" || !b.Public.EndTime.Equal(at(15)) {
		t.Errorf("%s, %s at %v", shown(b), b.Public.BuildStatus, b.Public.EndTime)
	}
}

// Whatever an agent says, in whatever order, and whatever the server does
// meanwhile: the record stays coherent, and a finished build never changes.
func TestHostileAgent(t *testing.T) {
	phases := append([]api.BuildPhaseType{"DEPLOY"}, order...)
	statuses := []api.StatusType{"SUCCEEDED", "SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED", "IN_PROGRESS", "CLIENT_ERROR"}
	rapid.Check(t, func(r *rapid.T) {
		p := demo()
		b, err := build.New(p, &api.StartBuildInput{}, caller, id, start)
		if err != nil {
			r.Fatal(err)
		}
		now := start
		moment := rapid.Float64Range(-10, 100)
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			now = now.Add(time.Duration(rapid.Float64Range(-1, 5).Draw(r, "passes") * float64(time.Second)))
			finished, before := b.Finished(), encoded(t, b)
			older := b
			switch rapid.IntRange(0, 14).Draw(r, "what") {
			case 0:
				b.Claim([]byte("hash"), now, now.Add(time.Minute))
			case 1:
				b.Begin(now, now.Add(time.Minute))
			case 2:
				b.Requeue(now)
			case 3:
				b.RequestStop(now)
			case 4:
				if rapid.IntRange(0, 5).Draw(r, "lost") == 0 {
					b.Fail(rapid.SampledFrom(statuses).Draw(r, "failed"), "CODE", "message", now)
				}
			case 5:
				e := event.Event{Time: at(moment.Draw(r, "said")), End: rapid.SampledFrom(statuses).Draw(r, "end")}
				refusalChangesNothing(r, &b, e, now)
			case 6:
				e := event.Event{Resolved: &event.Resolved{Identifier: rapid.SampledFrom([]string{"", "lib"}).Draw(r, "source"), Commit: rapid.StringMatching(`[0-9a-fA-F]{39,41}`).Draw(r, "commit")}}
				refusalChangesNothing(r, &b, e, now)
			case 7:
				e := event.Event{Exported: []api.ExportedEnvironmentVariable{{Name: new(rapid.String().Draw(r, "name")), Value: new(rapid.String().Draw(r, "value"))}}}
				refusalChangesNothing(r, &b, e, now)
			case 8, 9, 10:
				e := event.Event{Time: at(moment.Draw(r, "said")), Leave: &event.PhaseEnd{Status: rapid.SampledFrom(statuses).Draw(r, "left"), Contexts: []api.PhaseContext{{Message: new(rapid.String().Draw(r, "message"))}}}}
				refusalChangesNothing(r, &b, e, now)
			default:
				e := event.Event{Time: at(moment.Draw(r, "said")), Enter: rapid.SampledFrom(phases).Draw(r, "phase")}
				refusalChangesNothing(r, &b, e, now)
			}
			checkCoherent(r, b)
			if finished && string(before) != string(encoded(t, b)) {
				r.Fatalf("a finished build changed")
			}
			if string(before) != string(encoded(t, older)) {
				r.Fatalf("an older copy changed")
			}
			b.CommitStatus("")
			b.ServiceVariables("")
		}
	})
}

func refusalChangesNothing(r *rapid.T, b *build.Build, e event.Event, now time.Time) {
	before, _ := json.Marshal(b)
	if err := b.Apply(e, now); err != nil {
		if k := fault.KindOf(err); k != fault.Invalid && k != fault.Gone {
			r.Fatalf("Apply = %v of kind %v", err, k)
		}
		if after, _ := json.Marshal(b); string(before) != string(after) {
			r.Fatalf("a refused event changed the build")
		}
	}
}

func TestTheFirstCommandThatFailedIsKept(t *testing.T) {
	b := begun(t)
	fail := func(at float64, c event.Command) {
		e := leave(at, "FAILED")
		e.Leave.Command = &c
		apply(t, &b, e)
	}
	for i, p := range []api.BuildPhaseType{"DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD"} {
		apply(t, &b, enter(float64(6+i), p))
		apply(t, &b, leave(float64(6+i), "SUCCEEDED"))
	}
	apply(t, &b, enter(10, "BUILD"))
	fail(11, event.Command{Text: strings.Repeat("x", event.MaxText+1), File: "ci/buildspec.yml", Line: -4, Exit: 4711})
	apply(t, &b, enter(12, "POST_BUILD"))
	fail(13, event.Command{Text: "later", Line: 9, Exit: 1})
	want := &event.Command{Text: strings.Repeat("x", event.MaxText), File: "ci/buildspec.yml", Exit: 255}
	if diff := cmp.Diff(want, b.State.Failed); diff != "" {
		t.Errorf("the command that failed (-want +got):\n%s", diff)
	}
}
