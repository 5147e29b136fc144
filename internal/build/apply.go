package build

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
)

// Apply records what the agent of this build says has happened. Times are moved
// between the last thing recorded and now, what is too much is cut; what makes
// no sense changes nothing and is a fault: Gone if the build has ended, else
// Invalid.
func (b *Build) Apply(e event.Event, now time.Time) error {
	if b.Finished() {
		return fault.New(fault.Gone, "build %s has ended", text(b.Public.ID))
	}
	if !b.State.Begun {
		return fault.New(fault.Invalid, "an event of a build that has not begun")
	}
	if n := parts(e); n != 1 {
		return fault.New(fault.Invalid, "an event has exactly one part, not %d", n)
	}
	t := b.moment(e.Time, now)
	switch {
	case e.Enter != "":
		return b.applyEnter(e.Enter, t)
	case e.Leave != nil:
		return b.applyLeave(*e.Leave, t)
	case e.Resolved != nil:
		return b.applyResolved(*e.Resolved)
	case e.Exported != nil:
		return b.applyExported(e.Exported)
	case e.Artifact != nil:
		return b.applyArtifact(*e.Artifact)
	case e.Cache != nil:
		return b.applyCache(*e.Cache)
	}
	return b.applyEnd(e.End, t)
}

// parts counts the parts of e that are set.
func parts(e event.Event) int {
	n := 0
	for _, set := range []bool{e.Enter != "", e.Leave != nil, e.Resolved != nil, e.Exported != nil, e.Artifact != nil, e.Cache != nil, e.End != ""} {
		if set {
			n++
		}
	}
	return n
}

func (b *Build) applyEnter(next api.BuildPhaseType, t time.Time) error {
	if p, ok := b.running(); ok {
		return fault.New(fault.Invalid, "phase %s cannot begin while %s runs", event.Cut(string(next), event.MaxName), p.PhaseType)
	}
	if last := b.last(); !agents(next) || !follows(last, next) {
		return fault.New(fault.Invalid, "phase %s cannot follow %s that is %s", event.Cut(string(next), event.MaxName), last.PhaseType, last.PhaseStatus)
	}
	b.enter(next, t)
	return nil
}

func (b *Build) applyLeave(end event.PhaseEnd, t time.Time) error {
	p, ok := b.running()
	if !ok || !agents(p.PhaseType) {
		return fault.New(fault.Invalid, "no phase of the agent runs")
	}
	if !ends(end.Status) {
		return fault.New(fault.Invalid, "phase %s cannot end %s", p.PhaseType, event.Cut(string(end.Status), event.MaxName))
	}
	b.leave(end.Status, bounded(end.Contexts), t)
	if end.Status == api.StatusTypeFailed {
		b.State.Retries = max(b.State.Retries, min(end.Retries, event.MaxRetries))
	}
	if c := end.Command; c != nil && b.State.Failed == nil {
		b.State.Failed = &event.Command{
			Text: event.Cut(c.Text, event.MaxText), File: event.Cut(c.File, event.MaxName), Line: max(0, c.Line), Exit: min(max(0, c.Exit), 255),
		}
	}
	return nil
}

func (b *Build) applyResolved(r event.Resolved) error {
	if b.current() != downloadSource {
		return fault.New(fault.Invalid, "a commit is known in DOWNLOAD_SOURCE, not in %s", b.current())
	}
	if raw, err := hex.DecodeString(r.Commit); err != nil || (len(raw) != 20 && len(raw) != 32) {
		return fault.New(fault.Invalid, "a commit is 40 or 64 hexadecimal digits")
	}
	commit := strings.ToLower(r.Commit)
	source := b.Public.Source
	if r.Identifier != "" {
		i := slices.IndexFunc(b.Public.SecondarySources, func(s api.ProjectSource) bool { return text(s.SourceIdentifier) == r.Identifier })
		if i < 0 {
			return fault.New(fault.Invalid, "the build has no such secondary source")
		}
		source = &b.Public.SecondarySources[i]
	}
	if source == nil || source.Type == api.SourceTypeNoSource || source.Type == api.SourceTypeS3 {
		return fault.New(fault.Invalid, "the source has no commits")
	}
	if r.Identifier != "" {
		return nil // CodeBuild's record has no place for it
	}
	// A commit that changed afterwards would put the build's status on a
	// commit that was not built.
	if known := b.Public.ResolvedSourceVersion; known != nil && *known != commit {
		return fault.New(fault.Invalid, "the source was resolved to another commit already")
	}
	b.Public.ResolvedSourceVersion = &commit
	return nil
}

func (b *Build) applyExported(variables []api.ExportedEnvironmentVariable) error {
	if !slices.ContainsFunc(b.Public.Phases, func(p api.BuildPhase) bool { return p.PhaseType == install }) {
		return fault.New(fault.Invalid, "no command has run that could export a variable")
	}
	left := event.MaxTexts
	kept := []api.ExportedEnvironmentVariable{}
	for _, v := range variables {
		name := text(v.Name)
		if name == "" {
			return fault.New(fault.Invalid, "an exported variable needs a name")
		}
		if len(kept) < event.MaxExported && len(name) <= event.MaxName { // half a name is another name
			kept = append(kept, api.ExportedEnvironmentVariable{Name: &name, Value: spend(&left, v.Value)})
		}
	}
	b.Public.ExportedEnvironmentVariables = kept
	return nil
}

// applyArtifact records where an artifact is. It is in the artifact's own
// bucket, whatever the agent says.
func (b *Build) applyArtifact(a event.Artifact) error {
	if b.current() != uploadArtifacts {
		return fault.New(fault.Invalid, "an artifact is uploaded in UPLOAD_ARTIFACTS, not in %s", b.current())
	}
	settings, ok := b.ArtifactSettings(a.Identifier)
	if !ok || settings.Type != api.ArtifactsTypeS3 {
		return fault.New(fault.Invalid, "the build has no such artifact")
	}
	root := "arn:" + b.partition() + ":s3:::" + bucket(text(settings.Location))
	if a.Location != root && !strings.HasPrefix(a.Location, root+"/") || len(a.Location) > maxKey {
		return fault.New(fault.Invalid, "the artifact is not in its bucket")
	}
	out := b.Public.Artifacts
	if a.Identifier != "" {
		i := slices.IndexFunc(b.Public.SecondaryArtifacts, func(s api.BuildArtifacts) bool { return text(s.ArtifactIdentifier) == a.Identifier })
		if i < 0 {
			return fault.New(fault.Invalid, "the build has no such artifact")
		}
		out = &b.Public.SecondaryArtifacts[i]
	}
	out.Location = &a.Location
	for _, sum := range []struct {
		to   **string
		text string
		size int
	}{{&out.Md5sum, a.MD5, 16}, {&out.Sha256sum, a.SHA256, 32}} {
		raw, err := hex.DecodeString(sum.text)
		if err != nil || len(raw) != 0 && len(raw) != sum.size {
			return fault.New(fault.Invalid, "a sum is hexadecimal digits")
		}
		if len(raw) > 0 {
			*sum.to = &sum.text
		}
	}
	return nil
}

// maxKey is how long an object's ARN may be, in bytes.
const maxKey = 2048

func (b *Build) applyEnd(status api.StatusType, t time.Time) error {
	if !ends(status) {
		return fault.New(fault.Invalid, "a build cannot end %s", event.Cut(string(status), event.MaxName))
	}
	if status == api.StatusTypeSucceeded && b.current() != finalizing {
		return fault.New(fault.Invalid, "a build in %s has not succeeded yet", b.current())
	}
	if _, ok := b.running(); ok {
		b.leave(status, nil, t)
	}
	b.complete(status, t)
	return nil
}

// ends reports whether a phase or a build can end with this status.
func ends(s api.StatusType) bool {
	switch s {
	case api.StatusTypeSucceeded, api.StatusTypeFailed, api.StatusTypeFault, api.StatusTypeTimedOut, api.StatusTypeStopped:
		return true
	}
	return false
}

// bounded returns what is kept of contexts: those that say something, with
// both members.
func bounded(contexts []api.PhaseContext) []api.PhaseContext {
	left := event.MaxTexts
	var kept []api.PhaseContext
	for _, c := range contexts[:min(len(contexts), event.MaxContexts)] {
		if text(c.StatusCode) != "" || text(c.Message) != "" {
			kept = append(kept, api.PhaseContext{StatusCode: spend(&left, c.StatusCode), Message: spend(&left, c.Message)})
		}
	}
	return kept
}

// spend returns at most *left characters of s, and takes them from *left.
func spend(left *int, s *string) *string {
	kept := event.Cut(text(s), min(event.MaxText, *left))
	*left -= utf8.RuneCountInString(kept)
	return &kept
}
