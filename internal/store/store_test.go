package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/project"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	other = arn.Scope{Account: "000000000000", Region: "eu-west-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func open(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault fails the test unless err is a fault of kind whose sentence is text.
func wantFault(t testing.TB, err error, kind fault.Kind, text string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.Message(err) != text {
		t.Errorf("error = %v of kind %d, want %q of kind %d", err, fault.KindOf(err), text, kind)
	}
}

func newProject(name string, at time.Time) project.Project {
	return project.Project{Scope: scope, Public: api.Project{
		Name: &name, ARN: new(scope.Project(name)), Created: api.At(at), LastModified: api.At(at),
		Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new("version: 0.2\nphases: {build: {commands: [make]}}\n")},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "aws/codebuild/standard:7.0", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: new("arn:aws:iam::000000000000:role/build"), Tags: []api.Tag{}, TimeoutInMinutes: new(60),
	}}
}

// newBuild returns a build as build.New leaves it: SUBMITTED has ended, QUEUED been entered.
func newBuild(project, uuid string, at time.Time) build.Build {
	id := project + ":" + uuid
	return build.Build{Scope: scope, Public: api.Build{
		ID: &id, ARN: new(scope.Build(id)), ProjectName: &project, StartTime: api.At(at), BuildComplete: new(false),
		BuildStatus: api.StatusTypeInProgress, CurrentPhase: new(string(api.BuildPhaseTypeQueued)), Initiator: new("owner"),
		Phases: []api.BuildPhase{
			{PhaseType: api.BuildPhaseTypeSubmitted, PhaseStatus: api.StatusTypeSucceeded, StartTime: api.At(at), EndTime: api.At(at)},
			{PhaseType: api.BuildPhaseTypeQueued, StartTime: api.At(at)},
		},
		Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new("version: 0.2\nphases: {build: {commands: [make]}}\n")},
		Artifacts:   &api.BuildArtifacts{},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "aws/codebuild/standard:7.0", ComputeType: api.ComputeTypeBuildGeneral1Small},
		Cache:       &api.ProjectCache{Type: api.CacheTypeNoCache}, TimeoutInMinutes: new(60), QueuedTimeoutInMinutes: new(480),
	}, State: build.State{QueuedUntil: at.Add(8 * time.Hour)}}
}

// start stands for build's own rules: what matters here is which phase is
// current.
func start(b *build.Build) { b.Public.CurrentPhase = new(string(api.BuildPhaseTypeProvisioning)) }

func TestOnlyTheOwnerReachesTheData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "slipway")
	db := open(t, dir)
	must(t, db.Projects().Create(t.Context(), newProject("app", noon)))
	for path, want := range map[string]fs.FileMode{
		dir: 0o700, filepath.Dir(dir): 0o700, filepath.Join(dir, FileName): 0o600,
		filepath.Join(dir, FileName+"-wal"): 0o600, filepath.Join(dir, FileName+"-shm"): 0o600,
	} {
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", path, got, want)
		}
	}
}

func TestOpenClosesALooseDatabaseFile(t *testing.T) {
	dir := t.TempDir()
	must(t, open(t, dir).Close())
	path := filepath.Join(dir, FileName)
	must(t, os.Chmod(path, 0o644))
	open(t, dir)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %o, want 600", info.Mode().Perm())
	}
}

func TestAFolderMayHaveAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?mode=ro#x%20%zz&ü")
	must(t, open(t, dir).Projects().Create(t.Context(), newProject("app", noon)))
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		t.Error(err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `UPDATE schema_version SET version = version + 1`)
		return err
	}))
	must(t, db.Close())
	_, err := Open(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "newer Slipway") {
		t.Errorf("Open = %v, want an error that says the schema is of a newer Slipway", err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, FileName), []byte(strings.Repeat("no database ", 1000)), 0o600))
	if _, err := Open(t.Context(), dir); err == nil {
		t.Error("Open succeeded on a file that is no database")
	}
}

func TestManyMayOpenAFreshFolderAtOnce(t *testing.T) {
	dir := t.TempDir()
	errs := make(chan error)
	for range 8 {
		go func() {
			db, err := Open(context.WithoutCancel(t.Context()), dir)
			if err == nil {
				_, err = db.HoldsSealed(t.Context())
				err = errors.Join(err, db.Close())
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestASecondOpenerSeesWhatTheFirstStores(t *testing.T) {
	dir := t.TempDir()
	server, guest := open(t, dir), open(t, dir)
	must(t, server.Projects().Create(t.Context(), newProject("app", noon)))
	if _, err := guest.Projects().Get(t.Context(), scope, "app"); err != nil {
		t.Error(err)
	}
	must(t, guest.Close())
	must(t, server.Projects().Create(t.Context(), newProject("lib", noon)))
}

func TestAClosedDatabaseRefusesWrites(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.Close())
	err := db.Projects().Create(t.Context(), newProject("app", noon))
	wantFault(t, err, fault.Unavailable, "The server is stopping. Try again in a moment.")
	must(t, db.Close())
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, t.TempDir())
	if _, err := db.read.exec(t.Context(), `DELETE FROM project`); err == nil {
		t.Error("a reading connection deleted")
	}
}

func TestHoldsSealed(t *testing.T) {
	for name, put := range map[string]func(*testing.T, *DB){
		"a sealed token": func(t *testing.T, db *DB) { must(t, db.Credentials().Put(t.Context(), github("box"), true)) },
		"the sealed token that one was": func(t *testing.T, db *DB) {
			must(t, db.Credentials().Put(t.Context(), github("box"), true))
			without := github("")
			without.Box = nil
			must(t, db.Credentials().Put(t.Context(), without, true))
		},
		"a hook's sealed secret": func(t *testing.T, db *DB) {
			must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
				_, err := q.exec(ctx, `INSERT INTO hook (key, account, region, server_type, place, project, box, old_until, record, created, modified)
					VALUES ('k', '', '', '', '', '', x'01', 0, '{}', 0, 0)`)
				return err
			}))
		},
		"a session's sealed key": func(t *testing.T, db *DB) { signIn(t, db.Sessions(), "000000000000", noon) },
		"a sealed secret": func(t *testing.T, db *DB) {
			must(t, db.AccessKeys().Put(t.Context(), accesskey.Sealed{ID: "A", Box: []byte("x")}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir())
			without := github("box")
			without.Box = nil
			must(t, db.Credentials().Put(t.Context(), without, true))
			if holds, err := db.HoldsSealed(t.Context()); holds || err != nil {
				t.Errorf("HoldsSealed of an empty database = %v, %v; want false", holds, err)
			}
			put(t, db)
			if holds, err := db.HoldsSealed(t.Context()); !holds || err != nil {
				t.Errorf("HoldsSealed = %v, %v; want true", holds, err)
			}
		})
	}
}

// A failure of the database is Internal, and says what was done but not how.
func TestErrorsHoldNoSQL(t *testing.T) {
	db := open(t, t.TempDir())
	p := newProject("app", noon)
	p.Public.Description = new("canary-4711")
	must(t, db.Projects().Create(t.Context(), p))
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `UPDATE project SET record = '{"name": canary-4711'`)
		return err
	}))
	_, broken := db.Projects().Get(t.Context(), scope, "app")
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `DROP TABLE project`)
		return err
	}))
	_, missing := db.Projects().Get(t.Context(), scope, "lib")
	for _, err := range []error{broken, missing} {
		if err == nil || fault.KindOf(err) != fault.Internal || fault.Message(err) != "" {
			t.Fatalf("error = %v, want an internal one", err)
		}
		if text := err.Error(); strings.Contains(text, "SELECT") || strings.Contains(text, "canary") || !strings.Contains(text, "read project") {
			t.Errorf("error = %q, want one that says %q and holds neither SQL nor the record", text, "read project")
		}
	}
}
