package schedule_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
	"slipway/internal/runner"
	"slipway/internal/schedule"
)

func logFrame(line string) []byte {
	f := frame.NewBuilder()
	f.Add(time.Now().UnixMilli(), []byte(line))
	return f.Frame()
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		synctest.Wait()
		a := b.runner.only(t)
		stream := logstream.StreamID{Scope: scope, Group: b.of(id).LogGroup(), Name: b.of(id).LogStream()}
		if err := b.Log(t.Context(), id, a.token, 0, logFrame("early\n")); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Log before Begin: %v, want Invalid", err)
		}
		must(t, a.begin())
		if next, err := b.logs.Next(stream); err != nil || next != 0 {
			t.Errorf("the stream expects frame %d, %v after Begin, want 0", next, err)
		}
		for _, seq := range []uint64{0, 0, 1} {
			must(t, b.Log(t.Context(), id, a.token, seq, logFrame("hello\n")))
		}
		if next, err := b.logs.Next(stream); err != nil || next != 2 {
			t.Errorf("the stream expects frame %d, %v, want 2", next, err)
		}
		for name, f := range map[string][]byte{"nothing": nil, "no frame": []byte("hello"), "too much": make([]byte, agentapi.MaxFrame+1)} {
			if err := b.Log(t.Context(), id, a.token, 2, f); err == nil {
				t.Errorf("a frame of %s was taken", name)
			}
		}
		must(t, b.logs.Delete(stream))
		if err := b.Log(t.Context(), id, a.token, 2, logFrame("late\n")); err != nil {
			t.Errorf("Log to a deleted stream: %v, want it dropped", err)
		}
	})
}

func TestAStreamIsThereBeforeTheBuildTellsItsName(t *testing.T) {
	for _, provisioning := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, schedule.Options{})
			b.runner.behave = deaf
			var before []bool // whether the name was told when the stream was made
			b.creates = func(id logstream.StreamID) {
				before = append(before, b.of("app:"+id.Name).Public.Logs.StreamName != nil)
			}
			if provisioning {
				b.runner.pull = func(_ context.Context, l runner.Launch) error {
					l.Say("pulling")
					return nil
				}
			}
			id := b.queue()
			synctest.Wait()
			must(t, b.runner.only(t).begin())
			if len(before) == 0 || before[0] {
				t.Errorf("the name was told when streams were made: %v, want false first", before)
			}
			if b.of(id).Public.Logs.StreamName == nil {
				t.Error("the name is not told")
			}
		})
	}
}

// watchedLogs are logs that tell when a stream is made.
type watchedLogs struct {
	*logstream.Store
	creates func(logstream.StreamID)
}

func (w watchedLogs) Create(id logstream.StreamID, now time.Time) error {
	w.creates(id)
	return w.Store.Create(id, now)
}

func TestABuildWithoutALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue(func(in *api.StartBuildInput) {
			in.LogsConfigOverride = &api.LogsConfig{CloudWatchLogs: &api.CloudWatchLogsConfig{Status: api.LogsConfigStatusTypeDisabled}}
		})
		synctest.Wait()
		a := b.runner.only(t)
		must(t, a.begin())
		must(t, b.Log(t.Context(), id, a.token, 0, logFrame("hello\n")))
		if _, err := b.logs.Next(logstream.StreamID{Scope: scope, Group: b.of(id).LogGroup(), Name: b.of(id).LogStream()}); err == nil {
			t.Error("there is a stream, want none")
		}
	})
}

func TestLogFramesAreSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		synctest.Wait()
		a := b.runner.only(t)
		must(t, a.begin())
		for seq := range uint64(10) {
			within(20 * time.Second)
			must(t, b.Log(t.Context(), id, a.token, seq, logFrame("still here\n")))
		}
		if b.of(id).Finished() {
			t.Error("the build was lost")
		}
	})
}

// failingLogs cannot store anything.
type failingLogs struct{ *logstream.Store }

var errFull = errors.New("no space left")

func (failingLogs) Create(logstream.StreamID, time.Time) error { return errFull }

func TestALogThatCannotBeMadeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		b.stop()
		b.full = true
		b.start()
		id := b.queue()
		synctest.Wait()
		a := b.runner.only(t)
		if err := a.begin(); !errors.Is(err, errFull) {
			t.Errorf("Begin on a full disk: %v, want that error", err)
		}
		b.stop()
		b.full = false
		b.start()
		synctest.Wait()
		must(t, a.begin())
		must(t, b.Log(t.Context(), id, a.token, 0, logFrame("hello\n")))
	})
}
