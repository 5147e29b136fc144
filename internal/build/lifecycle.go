package build

import (
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
)

// accept makes b a build that was just asked for: submitted and queued, with
// nothing of it known yet but its settings.
func (b *Build) accept(caller accesskey.Caller, id string, now time.Time) {
	p := &b.Public
	p.ID, p.ARN = &id, new(b.Scope.Build(id))
	p.BuildNumber = nil // the store counts
	p.Initiator = new(caller.User)
	p.StartTime, p.EndTime = api.At(now), api.Timestamp{}
	p.BuildStatus, p.BuildComplete = api.StatusTypeInProgress, new(false)
	p.ResolvedSourceVersion, p.ExportedEnvironmentVariables = nil, nil
	p.Artifacts = b.artifacts(b.State.Artifacts)
	p.SecondaryArtifacts = make([]api.BuildArtifacts, 0, len(b.State.SecondaryArtifacts))
	for i := range b.State.SecondaryArtifacts {
		p.SecondaryArtifacts = append(p.SecondaryArtifacts, *b.artifacts(&b.State.SecondaryArtifacts[i]))
	}
	p.Logs = b.logsBefore()

	p.Phases = nil
	b.enter(submitted, now)
	b.leave(api.StatusTypeSucceeded, nil, now)
	b.enter(queued, now)
	b.State.QueuedUntil = now.Add(minutes(p.QueuedTimeoutInMinutes))
}

// Retry returns a new queued build with the settings of old, asked for by
// caller. What was asked of the source is asked again, so that a branch may
// have come to another commit; what a webhook started is built at the same
// commit, since it may be that only that one was approved.
func Retry(old Build, caller accesskey.Caller, id string, now time.Time) Build {
	b := old
	b.State = State{
		SourceVersion:      old.State.SourceVersion,
		Commit:             old.State.Commit,
		Artifacts:          old.State.Artifacts,
		SecondaryArtifacts: old.State.SecondaryArtifacts,
		RetryLimit:         old.State.RetryLimit,
	}
	if t := old.State.Webhook; t != nil {
		again := *t
		again.Retried = true
		b.State.Webhook = &again
	}
	b.Public.NetworkInterface, b.Public.ReportARNs, b.Public.BuildBatchARN = nil, nil, nil
	b.Public.AutoRetryConfig = nil
	if limit := old.State.RetryLimit; limit != nil { // the chain of automatic retries starts anew
		b.Public.AutoRetryConfig = &api.AutoRetryConfig{AutoRetryLimit: limit, AutoRetryNumber: new(0)}
	}
	if d := old.Public.DebugSession; d != nil {
		b.Public.DebugSession = &api.DebugSession{SessionEnabled: d.SessionEnabled}
	}
	b.accept(caller, id, now)
	return b
}

// Claim gives a queued build to an agent that is about to be launched: QUEUED
// ends, PROVISIONING begins, the time to build starts to run. tokenHash is the
// SHA-256 of the agent's token; until lease the agent is waited for. A build
// that is not queued stays as it is.
func (b *Build) Claim(tokenHash []byte, now, lease time.Time) {
	if !b.Queued() {
		return
	}
	t := b.moment(now, now)
	b.leave(api.StatusTypeSucceeded, nil, t)
	b.enter(provisioning, t)
	b.State.Attempt++
	b.State.TokenHash = tokenHash
	b.State.Applied = 0
	b.State.Begun = false
	b.State.Deadline = now.Add(minutes(b.Public.TimeoutInMinutes))
	b.State.Lease = lease
}

// Begin records the agent's first word: PROVISIONING ends, and the log has its
// name unless the build keeps none. Saying it twice only prolongs the lease;
// for a build that is not claimed it does nothing.
func (b *Build) Begin(now, lease time.Time) {
	if b.Finished() || b.Queued() {
		return
	}
	b.State.Lease = lease
	if p, ok := b.running(); !ok || p.PhaseType != provisioning {
		return
	}
	b.leave(api.StatusTypeSucceeded, nil, b.moment(now, now))
	b.State.Begun = true
	b.openLog()
}

// OpenLog gives the log of a build in PROVISIONING its name, unless the build
// keeps none: something is to be said there before the agent begins. In any
// other phase it does nothing.
func (b *Build) OpenLog() {
	if !b.Finished() && b.current() == provisioning {
		b.openLog()
	}
}

func (b *Build) openLog() {
	if b.KeepsLog() && !b.State.HasLog {
		b.Public.Logs = b.logsAfter()
		b.State.HasLog = true
	}
}

// Requeue takes a claimed build back from an agent that never began, to be
// claimed again; if it was to stop meanwhile, it ends. Any other build stays
// as it is. The time it may be queued is not prolonged.
func (b *Build) Requeue(now time.Time) {
	if b.State.Begun || b.Finished() || b.current() != provisioning {
		return
	}
	if b.State.StopRequested {
		b.Fail(api.StatusTypeStopped, "", "", now)
		return
	}
	start := b.Public.Phases[len(b.Public.Phases)-2].StartTime.Time // of QUEUED
	b.Public.Phases = b.Public.Phases[:len(b.Public.Phases)-2]
	b.enter(queued, start)
	b.State.TokenHash = nil
	b.State.Deadline, b.State.Lease = time.Time{}, time.Time{}
}

// RequestStop is StopBuild: a queued build ends at once, a running one is
// marked for its agent to end, a finished one stays as it is.
func (b *Build) RequestStop(now time.Time) {
	switch {
	case b.Finished():
	case b.Queued():
		b.Fail(api.StatusTypeStopped, "", "", now)
	default:
		b.State.StopRequested = true
	}
}

// Fail ends a build at once, from the server's side: the phase it is in gets
// the status and, unless both texts are empty, a context that tells why. A
// status that is no end counts as FAULT. A finished build stays as it is.
func (b *Build) Fail(status api.StatusType, code, message string, now time.Time) {
	if b.Finished() {
		return
	}
	if !ends(status) || status == api.StatusTypeSucceeded {
		status = api.StatusTypeFault
	}
	var contexts []api.PhaseContext
	if code != "" || message != "" {
		contexts = bounded([]api.PhaseContext{{StatusCode: &code, Message: &message}})
	}
	t := b.moment(now, now)
	if _, ok := b.running(); !ok && contexts != nil {
		// Between two phases nothing is there to say it, so the next one is
		// entered for that; after the last one, the last one says it.
		row := after[b.last().PhaseType]
		next := row.failed
		if b.last().PhaseStatus == api.StatusTypeSucceeded {
			next = row.ok
		}
		if next != completed {
			b.enter(next, t)
		}
		b.leave(status, contexts, t)
	} else if ok {
		b.leave(status, contexts, t)
	}
	b.complete(status, t)
}

// minutes is n minutes; nil is none.
func minutes(n *int) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Minute
}
