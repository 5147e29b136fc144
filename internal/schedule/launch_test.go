package schedule_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
	"slipway/internal/runner"
	"slipway/internal/schedule"
	"slipway/internal/secret"
)

// The one decoder of frames has channels, which bubbles can share only if they
// were made outside of all of them.
var _, _ = frame.Decode(logFrame("first"))

// lines returns the log of a build.
func (b *bench) lines(id string) []string {
	b.t.Helper()
	got := b.of(id)
	stream := logstream.StreamID{Scope: got.Scope, Group: got.LogGroup(), Name: got.LogStream()}
	info, err := b.logs.Stat(stream)
	must(b.t, err)
	var all []string
	for n := int64(0); n < info.Events; {
		block, err := b.logs.Block(stream, n)
		must(b.t, err)
		for _, e := range block.From(n) {
			all = append(all, strings.TrimRight(string(e.Message), "\n"))
		}
		n = block.End
	}
	return all
}

func TestARunnerThatTakesLongSpeaksInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.pull = func(_ context.Context, l runner.Launch) error {
			for _, line := range []string{"Pulling image x", "Pulling image x: 1 of 2 MB"} {
				l.Say(line)
				time.Sleep(2 * time.Minute) // four times a lease, and nobody is lost
			}
			return nil
		}
		b.runner.behave = func(a *agent) {
			work, err := b.Begin(a.ctx, a.id, a.token)
			if err != nil || work.Frames != 2 {
				t.Errorf("Begin: %+v, %v, want 2 frames", work, err)
				return
			}
			must(t, b.Log(a.ctx, a.id, a.token, work.Frames, logFrame("hello\n")))
			again, err := b.Begin(a.ctx, a.id, a.token) // as if the first answer had been lost
			if err != nil || again.Frames < 2 {
				t.Errorf("Begin again: %+v, %v", again, err)
			}
			_, err = a.report(append(through(agentPhases...), end(api.StatusTypeSucceeded))...)
			must(t, err)
		}
		id := b.queue()
		within(time.Minute)
		if got := b.of(id); !got.State.HasLog || got.State.Begun || *got.Public.Logs.StreamName == "" {
			t.Errorf("while the image is pulled: hasLog %v, begun %v", got.State.HasLog, got.State.Begun)
		}
		within(4 * time.Minute)
		b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
		got := b.lines(id)
		for i, want := range []string{"Pulling image x", "Pulling image x: 1 of 2 MB"} {
			if i >= len(got) || !strings.HasPrefix(got[i], "[Container] 20") || !strings.HasSuffix(got[i], " "+want) {
				t.Fatalf("line %d of %q is not %q", i, got, want)
			}
		}
		if diff := cmp.Diff([]string{"hello"}, got[2:]); diff != "" {
			t.Errorf("the agent's lines (-want +got):\n%s", diff)
		}
		if n := len(b.runner.launched()); n != 1 {
			t.Errorf("launched %d times, want once", n)
		}
	})
}

func TestAPlaceThatTheUserHasToMendEndsTheBuildAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		tries := 0
		b.runner.pull = func(context.Context, runner.Launch) error {
			tries++
			return &runner.Failure{Code: "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", Message: "Unable to pull customer's container image.", Err: errors.New("for the server's log")}
		}
		id := b.queue()
		synctest.Wait()
		b.want(id, api.StatusTypeFailed, api.BuildPhaseTypeProvisioning, api.StatusTypeFailed, "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE Unable to pull customer's container image.")
		if tries != 1 {
			t.Errorf("tried %d times, want once", tries)
		}
		got := b.lines(id)
		if len(got) != 2 || !strings.HasSuffix(got[0], "Phase complete: PROVISIONING State: FAILED") ||
			!strings.HasSuffix(got[1], "Phase context status code: BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE Message: Unable to pull customer's container image.") {
			t.Errorf("the log is %q", got)
		}
		if strings.Contains(strings.Join(got, ""), "for the server's log") || !strings.Contains(b.journal.String(), "for the server's log") {
			t.Error("the cause is for the server's log and for nobody else")
		}
	})
}

func TestALaunchEndsWithItsBuild(t *testing.T) {
	wait := func(ctx context.Context, _ runner.Launch) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	t.Run("when it is stopped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, schedule.Options{})
			b.runner.pull = wait
			id := b.queue()
			within(time.Minute)
			_, err := b.StopBuild(t.Context(), id)
			must(t, err)
			synctest.Wait()
			b.want(id, api.StatusTypeStopped, api.BuildPhaseTypeProvisioning, api.StatusTypeStopped, "")
		})
	})
	t.Run("when its time is over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, schedule.Options{})
			b.runner.pull = wait
			id := b.queue(func(in *api.StartBuildInput) { in.TimeoutInMinutesOverride = new(5) })
			within(6 * time.Minute)
			b.want(id, api.StatusTypeTimedOut, api.BuildPhaseTypeProvisioning, api.StatusTypeTimedOut, "BUILD_TIMED_OUT")
		})
	})
	t.Run("and goes on with the next server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, schedule.Options{})
			b.runner.pull = wait
			id := b.queue()
			within(time.Minute)
			began := time.Now()
			b.stop()
			if waited := time.Since(began); waited > 10*time.Second {
				t.Errorf("the server waited for %v", waited)
			}
			b.runner.pull = nil
			b.start()
			within(time.Minute)
			b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
		})
	})
}

func TestWhatARunnerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		var got runner.Launch
		b.runner.pull = func(_ context.Context, l runner.Launch) error {
			got = l
			return nil
		}
		id := b.queue(func(in *api.StartBuildInput) {
			in.ImageOverride, in.ComputeTypeOverride, in.PrivilegedModeOverride = new("my/image:1"), api.ComputeTypeBuildGeneral1Large, new(true)
			in.ImagePullCredentialsTypeOverride = api.ImagePullCredentialsTypeServiceRole
			in.RegistryCredentialOverride = &api.RegistryCredential{Credential: "hub", CredentialProvider: "SECRETS_MANAGER"}
			in.CacheOverride = &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalDockerLayerCache}}
		})
		synctest.Wait()
		if got.Token.IsZero() || got.Say == nil {
			t.Error("there is no token, or nothing to say lines with")
		}
		got.Say, got.Token = nil, secret.Text{}
		want := runner.Launch{
			BuildID: id, Scope: scope, ProjectName: "app", Image: "my/image:1", ComputeType: api.ComputeTypeBuildGeneral1Large,
			Privileged: true, RegistryCredential: "hub", Fetches: true, LayerCache: true,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the launch is %+v, want %+v", got, want)
		}
	})
}
