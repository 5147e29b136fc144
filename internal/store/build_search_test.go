package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/outbox"
)

// end makes b one that has ended after took.
func end(b *build.Build, status api.StatusType, took time.Duration, message string) {
	p := &b.Public
	at := api.At(p.StartTime.Add(took))
	p.BuildStatus, p.BuildComplete, p.EndTime, p.CurrentPhase = status, new(true), at, new(string(api.BuildPhaseTypeCompleted))
	last := p.Phases[len(p.Phases)-1]
	last.PhaseStatus, last.EndTime, last.Contexts = status, at, []api.PhaseContext{{StatusCode: new("CODE"), Message: &message}}
	p.Phases = append(slices.Clone(p.Phases[:len(p.Phases)-1]), last, api.BuildPhase{PhaseType: api.BuildPhaseTypeCompleted, StartTime: at})
}

// accept stores b and, if status is an end, its end.
func accept(t testing.TB, db *DB, b build.Build, status api.StatusType, took time.Duration) build.Build {
	t.Helper()
	b, err := db.Builds().Accept(t.Context(), b, nil)
	must(t, err)
	if status != api.StatusTypeInProgress {
		b, err = db.Builds().Update(t.Context(), *b.Public.ID, func(b *build.Build) ([]outbox.Item, error) {
			end(b, status, took, "it\nbroke")
			return nil, nil
		})
		must(t, err)
	}
	return b
}

// pages returns the ids of all pages.
func pages(t testing.TB, db *DB, scope arn.Scope, what build.Search, limit int) (ids []string) {
	t.Helper()
	for {
		page, next, err := db.Builds().Search(t.Context(), scope, what, limit)
		must(t, err)
		if len(page) > limit {
			t.Fatalf("a page of %d builds, want at most %d", len(page), limit)
		}
		for _, b := range page {
			ids = append(ids, b.ID)
		}
		if next == (build.Place{}) {
			return ids
		}
		what.From = next
	}
}

func TestSearchIsWhatAFilterFinds(t *testing.T) {
	db := open(t, t.TempDir())
	random := rand.New(rand.NewPCG(1, 2))
	statuses := append(slices.Clone(statusesOfEnd), api.StatusTypeInProgress)
	var all []build.Build
	for _, name := range []string{"app", "web"} {
		must(t, db.Projects().Create(t.Context(), newProject(name, noon)))
	}
	for i := range 150 {
		// Clocks are set back, and many builds start in one moment.
		b := newBuild([]string{"app", "web"}[random.IntN(2)], fmt.Sprintf("%04x-uuid", i), noon.Add(time.Duration(random.IntN(20))*time.Millisecond))
		b.Public.SourceVersion = []*string{nil, new("main"), new("refs/heads/Main"), new("refs/tags/v1"), new("pr/7")}[random.IntN(5)]
		b.Public.Initiator = []*string{nil, new("ada%"), new("GitHub-Hookshot/9")}[random.IntN(3)]
		b.Public.ResolvedSourceVersion = []*string{nil, new("abcdef0123"), new("12ffffffff")}[random.IntN(3)]
		all = append(all, accept(t, db, b, statuses[random.IntN(6)], time.Second))
	}
	elsewhere := newBuild("app", "elsewhere", noon)
	elsewhere.Scope = other
	p := newProject("app", noon)
	p.Scope = other
	must(t, db.Projects().Create(t.Context(), p))
	accept(t, db, elsewhere, api.StatusTypeInProgress, 0)

	place := func(b build.Build) build.Place {
		return build.Place{Started: stamp(b.Public.StartTime.Time), Sequence: b.State.Sequence}
	}
	slices.SortFunc(all, func(a, b build.Build) int { return place(a).Compare(place(b)) })
	matches := func(b build.Build, asked string) bool {
		begins := func(s, prefix string) bool { return strings.HasPrefix(strings.ToLower(s), prefix) }
		s := strings.ToLower(asked)
		id, p := *b.Public.ID, b.Public
		_, uuid, _ := strings.Cut(id, ":")
		return asked == "" || fmt.Sprint(*p.BuildNumber) == strings.TrimPrefix(s, "#") || begins(id, s) || begins(uuid, s) || begins(text(p.SourceVersion), s) ||
			begins(text(p.SourceVersion), "refs/heads/"+s) || begins(text(p.SourceVersion), "refs/tags/"+s) ||
			begins(text(p.ResolvedSourceVersion), s) || strings.Contains(strings.ToLower(text(p.Initiator)), s)
	}
	texts := []string{"", "", "", "12", "#12", "MAIN", "refs/", "v1", "a%", "_", "%", `\`, "ABC", "hookshot", "app:00", "007", "nothing", "'", "é"}
	for range 600 {
		what := build.Search{
			Project: []string{"", "app", "none"}[random.IntN(3)], Text: texts[random.IntN(len(texts))], Ascending: random.IntN(2) == 0,
		}
		for _, s := range statuses {
			if random.IntN(3) == 0 {
				what.Statuses = append(what.Statuses, s)
			}
		}
		if random.IntN(3) == 0 {
			what.After = noon.Add(time.Duration(random.IntN(20000)) * time.Microsecond)
		}
		if random.IntN(3) == 0 {
			what.Before = noon.Add(time.Duration(random.IntN(20000)) * time.Microsecond)
		}
		var want []string
		for _, b := range all {
			p := b.Public
			if (what.Project == "" || *p.ProjectName == what.Project) && (len(what.Statuses) == 0 || slices.Contains(what.Statuses, p.BuildStatus)) &&
				(what.After.IsZero() || !p.StartTime.Before(what.After)) && (what.Before.IsZero() || p.StartTime.Before(what.Before)) && matches(b, what.Text) {
				want = append(want, *p.ID)
			}
		}
		if !what.Ascending {
			slices.Reverse(want)
		}
		if got := pages(t, db, scope, what, 1+random.IntN(40)); !slices.Equal(got, want) {
			t.Fatalf("%+v finds %d: %v\nwant %d: %v", what, len(got), got, len(want), want)
		}
	}
}

func TestATextIsLookedForInBoundedSteps(t *testing.T) {
	db := open(t, t.TempDir())
	history(t, db, 2*maxLooked+5000)
	for _, what := range []build.Search{{Text: "app-1:1"}, {Text: "app-1:1", Ascending: true}, {Text: "00000000000000000000000000000000000000ff", Statuses: statusesOfEnd}} {
		steps, found := 0, 0
		for {
			page, next, err := db.Builds().Search(t.Context(), scope, what, 100)
			must(t, err)
			steps++
			found += len(page)
			if next == (build.Place{}) {
				break
			}
			what.From = next
		}
		if steps < 3 || found == 0 {
			t.Errorf("%+v took %d steps to find %d builds", what, steps, found)
		}
	}
}

func TestASummaryIsTheBuilds(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.Projects().Create(t.Context(), newProject("app", noon)))
	b := newBuild("app", "1", noon)
	b.Public.SourceVersion, b.Public.ResolvedSourceVersion = new("main"), new("abc")
	accept(t, db, b, api.StatusTypeFailed, 90*time.Second)
	accept(t, db, newBuild("app", "2", noon.Add(time.Second)), api.StatusTypeInProgress, 0)
	got, _, err := db.Builds().Search(t.Context(), scope, build.Search{}, 10)
	must(t, err)
	want := []slipway.BuildSummary{
		{ID: "app:2", ARN: scope.Build("app:2"), ProjectName: "app", BuildNumber: 2, BuildStatus: "IN_PROGRESS", CurrentPhase: "QUEUED", Initiator: "owner", StartTime: api.At(noon.Add(time.Second))},
		{
			ID: "app:1", ARN: scope.Build("app:1"), ProjectName: "app", BuildNumber: 1, BuildStatus: "FAILED", CurrentPhase: "COMPLETED", Initiator: "owner",
			StartTime: api.At(noon), EndTime: api.At(noon.Add(90 * time.Second)), SourceVersion: "main", ResolvedSourceVersion: "abc", FailedPhase: "QUEUED", Message: "it broke",
		},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	latest, err := db.Builds().Latest(t.Context(), scope, "")
	must(t, err)
	if diff := gocmp.Diff(want[:1], latest); diff != "" {
		t.Error(diff)
	}
	if one, err := db.Builds().Latest(t.Context(), scope, "app"); err != nil || !gocmp.Equal(want[:1], one) {
		t.Error(one, err)
	}
	if none, err := db.Builds().Latest(t.Context(), other, ""); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestColumnsAreFilledForBuildsAlreadyThere(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	must(t, db.Projects().Create(t.Context(), newProject("app", noon)))
	for i, status := range append(slices.Clone(statusesOfEnd), api.StatusTypeInProgress) {
		b := newBuild("app", fmt.Sprint(i), noon.Add(time.Duration(i)*1234567*time.Microsecond))
		b.Public.SourceVersion, b.Public.ResolvedSourceVersion = new("main"), new("abc")
		b.Public.Phases = append(b.Public.Phases[:1:1], api.BuildPhase{
			PhaseType: api.BuildPhaseTypePreBuild, PhaseStatus: status, Contexts: []api.PhaseContext{{}, {Message: new("  a\r\n" + strings.Repeat("ü", 600))}},
		}, b.Public.Phases[1])
		accept(t, db, b, status, 1999*time.Millisecond)
	}
	accept(t, db, newBuild("app", "gone", noon), api.StatusTypeFailed, 0)
	must(t, db.Builds().Delete(t.Context(), scope, "app:gone"))
	dump := func() string {
		rows, err := many(t.Context(), db.read, scanInto[string], `SELECT json_array(`+summaryColumns+`, account, region, queued, complete, state, record) FROM build ORDER BY seq`)
		must(t, err)
		return strings.Join(rows, "\n")
	}
	want := dump()
	must(t, db.Close())

	// As version 3 had it, and what came after that.
	text, err := migrations.ReadFile("migration/0004_builds.sql")
	must(t, err)
	builds := string(text)
	raw, err := sql.Open(driver, writeName(filepath.Join(dir, FileName)))
	must(t, err)
	for _, step := range []string{
		`CREATE TABLE old (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, region TEXT NOT NULL, project TEXT NOT NULL,
			number INTEGER NOT NULL, queued INTEGER NOT NULL, complete INTEGER NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL) STRICT`,
		`INSERT INTO old SELECT seq, id, account, region, project, number, queued, complete, state, record FROM build`,
		`UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'build') WHERE name = 'old'`,
		`DROP TABLE build`, `ALTER TABLE old RENAME TO build`,
		`CREATE INDEX build_scope ON build (account, region)`,
		builds,
	} {
		_, err := raw.ExecContext(t.Context(), step)
		must(t, err)
	}
	must(t, raw.Close())

	db = open(t, dir)
	if diff := gocmp.Diff(want, dump()); diff != "" {
		t.Errorf("after the migration (-want +got):\n%s", diff)
	}
	b, err := db.Builds().Accept(t.Context(), newBuild("app", "next", noon), nil)
	must(t, err)
	if b.State.Sequence != 8 {
		t.Errorf("the next sequence = %d, want 8: 7 was given to a build that is deleted", b.State.Sequence)
	}
}

func TestStatisticsOfTheStore(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.Projects().Create(t.Context(), newProject("app", noon)))
	must(t, db.Projects().Create(t.Context(), newProject("web", noon)))
	if queued, running, oldest, err := db.Builds().Waiting(t.Context(), scope, ""); err != nil || queued != 0 || running != 0 || !oldest.IsZero() {
		t.Error(queued, running, oldest, err)
	}
	for i, status := range statusesOfEnd {
		accept(t, db, newBuild("app", fmt.Sprint(i), noon.Add(time.Duration(i)*time.Hour)), status, time.Duration(i)*time.Second)
	}
	for i := range 3 {
		accept(t, db, newBuild("web", fmt.Sprint(i), noon.Add(time.Duration(i)*time.Minute)), api.StatusTypeInProgress, 0)
	}
	_, _, err := db.Builds().Claim(t.Context(), func(b *build.Build) error { start(b); return nil })
	must(t, err)
	queued, running, oldest, err := db.Builds().Waiting(t.Context(), scope, "")
	if err != nil || queued != 2 || running != 1 || !oldest.Equal(noon.Add(time.Minute)) {
		t.Error(queued, running, oldest, err)
	}
	if queued, running, oldest, err = db.Builds().Waiting(t.Context(), scope, "app"); err != nil || queued != 0 || running != 0 || !oldest.IsZero() {
		t.Error(queued, running, oldest, err)
	}
	got, err := db.Builds().Ended(t.Context(), scope, "", noon.Add(time.Hour), noon.Add(4*time.Hour))
	must(t, err)
	slices.SortFunc(got, func(a, b build.Ended) int { return cmp.Compare(a.Took, b.Took) })
	want := []build.Ended{{Project: "app", Status: "FAILED", Took: time.Second}, {Project: "app", Status: "FAULT", Took: 2 * time.Second}, {Project: "app", Status: "TIMED_OUT", Took: 3 * time.Second}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := db.Builds().Ended(t.Context(), scope, "web", noon, noon.Add(day)); err != nil || got != nil {
		t.Error(got, err)
	}
}
