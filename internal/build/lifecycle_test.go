package build_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
)

// shown is a build's phases in a form that is read at a glance: type, status,
// seconds, and in parentheses each context.
func shown(b build.Build) string {
	var all []string
	for _, p := range b.Public.Phases {
		s := string(p.PhaseType)
		if p.PhaseStatus != "" {
			s += " " + string(p.PhaseStatus)
		}
		for _, c := range p.Contexts {
			s += " (" + *c.StatusCode + ":" + *c.Message + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func TestLifecycle(t *testing.T) {
	const queuedWell = "SUBMITTED SUCCEEDED, QUEUED SUCCEEDED, "
	const begunWell = queuedWell + "PROVISIONING SUCCEEDED (:), "
	claim := func(b *build.Build) { b.Claim([]byte("hash"), at(1), at(31)) }
	begin := func(b *build.Build) { claim(b); b.Begin(at(2), at(32)) }
	tests := []struct {
		name   string
		do     func(b *build.Build)
		phases string
		status api.StatusType
	}{
		{"queued", func(*build.Build) {}, "SUBMITTED SUCCEEDED, QUEUED", "IN_PROGRESS"},
		{"claimed", claim, queuedWell + "PROVISIONING", "IN_PROGRESS"},
		{"claimed twice", func(b *build.Build) { claim(b); claim(b) }, queuedWell + "PROVISIONING", "IN_PROGRESS"},
		{"begun", begin, queuedWell + "PROVISIONING SUCCEEDED (:)", "IN_PROGRESS"},
		{"begun twice", func(b *build.Build) { begin(b); b.Begin(at(3), at(33)) }, queuedWell + "PROVISIONING SUCCEEDED (:)", "IN_PROGRESS"},
		{"begun without a claim", func(b *build.Build) { b.Begin(at(3), at(33)) }, "SUBMITTED SUCCEEDED, QUEUED", "IN_PROGRESS"},
		{"requeued", func(b *build.Build) { claim(b); b.Requeue(at(5)) }, "SUBMITTED SUCCEEDED, QUEUED", "IN_PROGRESS"},
		{"not requeued once begun", func(b *build.Build) { begin(b); b.Requeue(at(5)) }, queuedWell + "PROVISIONING SUCCEEDED (:)", "IN_PROGRESS"},
		{"stopped in the queue", func(b *build.Build) { b.RequestStop(at(5)) }, "SUBMITTED SUCCEEDED, QUEUED STOPPED, COMPLETED", "STOPPED"},
		{"asked to stop while it is launched", func(b *build.Build) { claim(b); b.RequestStop(at(5)) }, queuedWell + "PROVISIONING", "IN_PROGRESS"},
		{"asked to stop, then given back", func(b *build.Build) { claim(b); b.RequestStop(at(5)); b.Requeue(at(6)) }, queuedWell + "PROVISIONING STOPPED, COMPLETED", "STOPPED"},
		{"stopped while building", func(b *build.Build) {
			begin(b)
			apply(t, b, passing(2, "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD")...)
			apply(t, b, enter(6, "BUILD"))
			b.RequestStop(at(7))
			apply(t, b, leave(8, "STOPPED", api.PhaseContext{StatusCode: new(""), Message: new("")}), end(8, "STOPPED"))
		}, begunWell + "DOWNLOAD_SOURCE SUCCEEDED (:), INSTALL SUCCEEDED (:), PRE_BUILD SUCCEEDED (:), BUILD STOPPED, COMPLETED", "STOPPED"},
		{"timed out in the queue", func(b *build.Build) { b.Fail("TIMED_OUT", "QUEUE", "too long", at(5)) }, "SUBMITTED SUCCEEDED, QUEUED TIMED_OUT (QUEUE:too long), COMPLETED", "TIMED_OUT"},
		{"no place for it", func(b *build.Build) { claim(b); b.Fail("FAULT", "RUNNER", "no bwrap", at(5)) }, queuedWell + "PROVISIONING FAULT (RUNNER:no bwrap), COMPLETED", "FAULT"},
		{"agent lost in a phase", func(b *build.Build) {
			begin(b)
			apply(t, b, enter(3, "DOWNLOAD_SOURCE"))
			b.Fail("FAULT", "AGENT_LOST", "gone", at(60))
		}, begunWell + "DOWNLOAD_SOURCE FAULT (AGENT_LOST:gone), COMPLETED", "FAULT"},
		{"agent lost between two phases", func(b *build.Build) { begin(b); b.Fail("FAULT", "AGENT_LOST", "gone", at(60)) },
			begunWell + "DOWNLOAD_SOURCE FAULT (AGENT_LOST:gone), COMPLETED", "FAULT"},
		{"agent lost after a phase that failed", func(b *build.Build) {
			begin(b)
			apply(t, b, enter(3, "DOWNLOAD_SOURCE"), leave(4, "FAILED"))
			b.Fail("FAULT", "AGENT_LOST", "gone", at(60))
		}, begunWell + "DOWNLOAD_SOURCE FAILED (:), FINALIZING FAULT (AGENT_LOST:gone), COMPLETED", "FAULT"},
		{"agent lost after the last phase", func(b *build.Build) {
			begin(b)
			apply(t, b, enter(3, "DOWNLOAD_SOURCE"), leave(4, "FAILED"))
			apply(t, b, passing(5, "FINALIZING")...)
			b.Fail("FAULT", "AGENT_LOST", "gone", at(60))
		}, begunWell + "DOWNLOAD_SOURCE FAILED (:), FINALIZING FAULT (AGENT_LOST:gone), COMPLETED", "FAULT"},
		{"killed between phases with nothing to say", func(b *build.Build) { begin(b); b.Fail("STOPPED", "", "", at(60)) },
			queuedWell + "PROVISIONING SUCCEEDED (:), COMPLETED", "STOPPED"},
		{"a failure cannot succeed", func(b *build.Build) { b.Fail("SUCCEEDED", "X", "y", at(1)) }, "SUBMITTED SUCCEEDED, QUEUED FAULT (X:y), COMPLETED", "FAULT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := started(t, nil, api.StartBuildInput{})
			tt.do(&b)
			if diff := cmp.Diff(tt.phases, shown(b)); diff != "" {
				t.Errorf("phases (-want +got):\n%s", diff)
			}
			if b.Public.BuildStatus != tt.status {
				t.Errorf("buildStatus = %s, want %s", b.Public.BuildStatus, tt.status)
			}
			checkCoherent(t, b)
		})
	}
}

func TestPhaseForm(t *testing.T) {
	b := begun(t)
	apply(t, &b, enter(6, "DOWNLOAD_SOURCE"))
	want := `[
		{"phaseType":"SUBMITTED","phaseStatus":"SUCCEEDED","startTime":1603302698.161,"endTime":1603302698.161,"durationInSeconds":0},
		{"phaseType":"QUEUED","phaseStatus":"SUCCEEDED","startTime":1603302698.161,"endTime":1603302699.661,"durationInSeconds":1},
		{"phaseType":"PROVISIONING","phaseStatus":"SUCCEEDED","startTime":1603302699.661,"endTime":1603302703.161,"durationInSeconds":3,"contexts":[{"statusCode":"","message":""}]},
		{"phaseType":"DOWNLOAD_SOURCE","startTime":1603302704.161}]`
	got, wanted := decoded(t, []byte(`{"phases":`+string(encoded(t, b.Public.Phases))+`}`)), decoded(t, []byte(`{"phases":`+want+`}`))
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	b.Fail("STOPPED", "", "", at(9))
	if got := string(encoded(t, b.Public.Phases[len(b.Public.Phases)-1])); got != `{"phaseType":"COMPLETED","startTime":1603302707.161}` {
		t.Errorf("the last phase is %s", got)
	}
	if !b.Public.EndTime.Equal(at(9)) {
		t.Errorf("endTime = %v, want %v", b.Public.EndTime, at(9))
	}
}

func TestClaimAndRequeue(t *testing.T) {
	b := started(t, nil, api.StartBuildInput{TimeoutInMinutesOverride: new(5)})
	queuedForm := string(encoded(t, b.Public))
	if !b.Queued() {
		t.Error("a new build is not queued")
	}
	b.Claim([]byte("one"), at(1), at(31))
	want := build.State{Attempt: 1, TokenHash: []byte("one"), QueuedUntil: at(480 * 60), Deadline: at(301), Lease: at(31),
		Artifacts: b.State.Artifacts, SecondaryArtifacts: b.State.SecondaryArtifacts}
	if diff := cmp.Diff(want, b.State); diff != "" {
		t.Errorf("state after Claim (-want +got):\n%s", diff)
	}
	if b.Queued() {
		t.Error("a claimed build is still queued")
	}

	b.Requeue(at(40))
	if diff := cmp.Diff(queuedForm, string(encoded(t, b.Public))); diff != "" {
		t.Errorf("a requeued build is not as it was:\n%s", diff)
	}
	b.Claim([]byte("two"), at(50), at(80))
	if b.State.Attempt != 2 || string(b.State.TokenHash) != "two" || !b.State.Deadline.Equal(at(350)) {
		t.Errorf("state after the second Claim: %+v", b.State)
	}
}

func TestLogNames(t *testing.T) {
	const old = "https://console.aws.amazon.com/cloudwatch/home?region=us-west-2#logEvent:group=null;stream=null"
	const none = "arn:aws:logs:us-west-2:123456789012:log-group:null:log-stream:null"
	config := func(c api.CloudWatchLogsConfig) *api.LogsConfig { return &api.LogsConfig{CloudWatchLogs: &c} }
	tests := []struct {
		name                     string
		logs                     *api.LogsConfig
		group, stream, arn, link string
		kept                     bool
	}{
		{"defaults", nil, "/aws/codebuild/my-demo", own, "arn:aws:logs:us-west-2:123456789012:log-group:/aws/codebuild/my-demo:log-stream:" + own,
			"https://console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/$252Faws$252Fcodebuild$252Fmy-demo/log-events/" + own, true},
		{"a group and a prefix", config(api.CloudWatchLogsConfig{Status: "ENABLED", GroupName: new("ci"), StreamName: new("nightly")}), "ci", "nightly/" + own,
			"arn:aws:logs:us-west-2:123456789012:log-group:ci:log-stream:nightly/" + own,
			"https://console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/ci/log-events/nightly$252F" + own, true},
		{"no log", config(api.CloudWatchLogsConfig{Status: "DISABLED"}), "/aws/codebuild/my-demo", own, none, old, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := started(t, func(p *api.Project) { p.LogsConfig = tt.logs }, api.StartBuildInput{})
			if b.Public.Logs.GroupName != nil || *b.Public.Logs.DeepLink != old || *b.Public.Logs.CloudWatchLogsARN != none {
				t.Errorf("before the log exists: %s", encoded(t, b.Public.Logs))
			}
			b.Claim(nil, at(1), at(2))
			b.Begin(at(2), at(3))
			if b.LogGroup() != tt.group || b.LogStream() != tt.stream || b.State.HasLog != tt.kept {
				t.Errorf("group %q, stream %q, kept %v", b.LogGroup(), b.LogStream(), b.State.HasLog)
			}
			l := b.Public.Logs
			if *l.CloudWatchLogsARN != tt.arn || *l.DeepLink != tt.link {
				t.Errorf("arn %s\nlink %s", *l.CloudWatchLogsARN, *l.DeepLink)
			}
			if (l.GroupName != nil) != tt.kept || (tt.kept && (*l.GroupName != tt.group || *l.StreamName != tt.stream)) {
				t.Errorf("logs = %s", encoded(t, l))
			}
		})
	}
}

func TestRetryKeepsTheSettings(t *testing.T) {
	old := started(t, nil, api.StartBuildInput{
		SourceVersion: new("main"), ImageOverride: new("alpine:3"), AutoRetryLimitOverride: new(2), DebugSessionEnabled: new(true),
		EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "A", Value: "1"}},
		ArtifactsOverride:            &api.ProjectArtifacts{Type: "S3", Location: new("bucket"), NamespaceType: "BUILD_ID"},
	})
	old.Public.BuildNumber = new(int64(7))
	old.Claim([]byte("hash"), at(1), at(31))
	old.Begin(at(2), at(32))
	apply(t, &old, enter(3, "DOWNLOAD_SOURCE"), event.Event{Resolved: &event.Resolved{Commit: strings.Repeat("a", 40)}}, leave(4, "FAILED"), end(5, "FAILED"))
	before := string(encoded(t, old))

	const newID = "my-demo:11111111-2222-4333-8444-555555555555"
	got := build.Retry(old, accesskey.Caller{Scope: scope, User: "bob"}, newID, at(100))
	if diff := cmp.Diff(before, string(encoded(t, old))); diff != "" {
		t.Errorf("the old build changed:\n%s", diff)
	}
	want := started(t, nil, api.StartBuildInput{ // the same again, for bob
		SourceVersion: new("main"), ImageOverride: new("alpine:3"), AutoRetryLimitOverride: new(2), DebugSessionEnabled: new(true),
		EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "A", Value: "1"}},
		ArtifactsOverride:            &api.ProjectArtifacts{Type: "S3", Location: new("bucket"), NamespaceType: "BUILD_ID"},
	})
	want.Public.ID, want.Public.ARN = new(newID), new(scope.Build(newID))
	want.Public.Initiator = new("bob")
	want.Public.StartTime = api.At(at(100))
	want.Public.Artifacts.Location = new("arn:aws:s3:::bucket/11111111-2222-4333-8444-555555555555/my-demo")
	want.Public.Phases = []api.BuildPhase{
		{PhaseType: "SUBMITTED", PhaseStatus: "SUCCEEDED", StartTime: api.At(at(100)), EndTime: api.At(at(100)), DurationInSeconds: new(int64(0))},
		{PhaseType: "QUEUED", StartTime: api.At(at(100))},
	}
	want.State.QueuedUntil = at(100 + 480*60)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Retry (-want +got):\n%s", diff)
	}
}

func TestNewID(t *testing.T) {
	a, b := build.NewID("app"), build.NewID("app")
	if a == b || !strings.HasPrefix(a, "app:") || len(a) != len("app:")+36 {
		t.Errorf("NewID = %q and %q", a, b)
	}
}

func TestStateSurvivesStorage(t *testing.T) {
	b := begun(t)
	var back build.State
	if err := json.Unmarshal(encoded(t, b.State), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.State, back); diff != "" {
		t.Errorf("state (-stored +read):\n%s", diff)
	}
}

// order is that of the phases in the CodeBuild guide.
var order = []api.BuildPhaseType{"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"}

// checkCoherent holds a record against what is true of every build at any time.
func checkCoherent(t interface{ Fatalf(string, ...any) }, b build.Build) {
	place := -1
	var last time.Time
	for i, p := range b.Public.Phases {
		is := -1
		for j, o := range order {
			if o == p.PhaseType {
				is = j
			}
		}
		if is <= place {
			t.Fatalf("phase %s comes after %s", p.PhaseType, order[place])
		}
		place = is
		open := p.EndTime.IsZero()
		if open != (p.PhaseStatus == "") || open != (p.DurationInSeconds == nil) || (open && p.Contexts != nil) {
			t.Fatalf("phase %s is half ended: %+v", p.PhaseType, p)
		}
		if open && i != len(b.Public.Phases)-1 {
			t.Fatalf("phase %s has not ended", p.PhaseType)
		}
		if p.StartTime.Before(last) || (!open && p.EndTime.Before(p.StartTime.Time)) {
			t.Fatalf("phase %s goes back in time", p.PhaseType)
		}
		last = p.StartTime.Time
		if !open {
			last = p.EndTime.Time
		}
	}
	end := b.Public.Phases[len(b.Public.Phases)-1]
	done := end.PhaseType == "COMPLETED"
	if done != b.Finished() || done == (b.Public.BuildStatus == "IN_PROGRESS") || done == b.Public.EndTime.IsZero() {
		t.Fatalf("the end is incoherent: phase %s, complete %v, status %s, end %v", end.PhaseType, b.Finished(), b.Public.BuildStatus, b.Public.EndTime)
	}
	if *b.Public.CurrentPhase != string(end.PhaseType) {
		t.Fatalf("currentPhase = %s, want %s", *b.Public.CurrentPhase, end.PhaseType)
	}
}

func TestALogThatIsOpenedBeforeTheAgentBegins(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	b := started(t, nil, api.StartBuildInput{})
	b.OpenLog()
	if b.State.HasLog {
		t.Error("a queued build has a log")
	}
	b.Claim([]byte("hash"), now, now.Add(time.Minute))
	b.OpenLog()
	open := *b.Public.Logs
	if !b.State.HasLog || *open.StreamName != b.LogStream() {
		t.Errorf("OpenLog: hasLog %v, %+v", b.State.HasLog, open)
	}
	b.Requeue(now)
	b.Claim([]byte("again"), now, now.Add(time.Minute))
	b.Begin(now, now.Add(time.Minute))
	if diff := cmp.Diff(open, *b.Public.Logs); diff != "" || !b.State.HasLog {
		t.Errorf("Begin changed the log (-opened +begun):\n%s", diff)
	}
}
