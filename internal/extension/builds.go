package extension

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream"
)

// searchStore is what the operations of Builds need of stored builds.
type searchStore interface {
	buildStore
	// Search returns a page of the builds that what finds, and the place from
	// where the next page goes on; the zero Place after the last one.
	Search(ctx context.Context, scope arn.Scope, what build.Search, limit int) ([]slipway.BuildSummary, build.Place, error)
	// Waiting counts the unfinished builds of a scope, or of a project in it, and
	// tells when the one that has been queued longest was started; zero if none is.
	Waiting(ctx context.Context, scope arn.Scope, project string) (queued, running int, oldest time.Time, err error)
	// Ended returns every finished build that started from from on and before until.
	Ended(ctx context.Context, scope arn.Scope, project string, from, until time.Time) ([]build.Ended, error)
	// Latest returns the build of each project that started last, by project.
	Latest(ctx context.Context, scope arn.Scope, project string) ([]slipway.BuildSummary, error)
}

// logStore is what they need of logs.
type logStore interface {
	// Stat describes a stream, or returns a fault of kind NotFound.
	Stat(id logstream.StreamID) (logstream.Info, error)
	// Block returns the block that holds event n of a stream; an empty one beyond
	// the last event.
	Block(id logstream.StreamID, n int64) (logstream.Block, error)
}

// Builds is the operations that show builds and their logs. Its methods may be
// called from several goroutines.
type Builds struct {
	builds searchStore
	logs   logStore
	now    func() time.Time
	marks  marks
}

// NewBuilds returns the operations on builds. now is the clock; nil means time.Now.
func NewBuilds(builds searchStore, logs logStore, now func() time.Time) *Builds {
	if now == nil {
		now = time.Now
	}
	return &Builds{builds: builds, logs: logs, now: now}
}

const (
	buildsPerSearch = 20  // if nobody says
	maxSearchText   = 256 // characters
)

// SearchBuilds answers a page of builds, newest first or, if ascending, oldest
// first: by when they started, those of one moment in their order of acceptance.
// The filters that are given all have to hold:
//
//   - projectName, a name or ARN, also of a project that was deleted;
//   - statuses, of which the build's must be one;
//   - startedAfter (that moment or later) and startedBefore (earlier);
//   - text: the build's number is that (a leading # does not count), or its id,
//     the UUID in it, its source version (with or without refs/heads/ or
//     refs/tags/) or its resolved commit begins with it, or its initiator holds
//     it. ASCII letters match in either case.
//
// With a text at most 10,000 builds are looked at for one page. A page may then
// be short, or empty, and have a nextToken nevertheless: the search has ended
// when there is none. A token goes on in the order that it comes from; the
// filters should be the same. The message of a build that failed is its reason
// in one line.
func (s *Builds) SearchBuilds(ctx context.Context, in *slipway.SearchBuildsInput) (*slipway.SearchBuildsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	what := build.Search{After: in.StartedAfter.Time, Before: in.StartedBefore.Time, Text: strings.TrimSpace(in.Text), Ascending: in.Ascending}
	if utf8.RuneCountInString(what.Text) > maxSearchText {
		return nil, fault.New(fault.Invalid, "Invalid text: it must have at most %d characters", maxSearchText)
	}
	for _, status := range in.Statuses {
		what.Statuses = append(what.Statuses, api.StatusType(status))
	}
	var err error
	if what.Project, err = projectOf(scope, in.ProjectName); err != nil {
		return nil, err
	}
	if what.From, err = parsePlace(in.NextToken, in.Ascending); err != nil {
		return nil, err
	}
	limit := buildsPerSearch
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	page, next, err := s.builds.Search(ctx, scope, what, limit)
	if err != nil {
		return nil, err
	}
	out := &slipway.SearchBuildsOutput{Builds: page, NextToken: placeToken(next, in.Ascending)}
	if page == nil {
		out.Builds = []slipway.BuildSummary{}
	}
	return out, nil
}

// projectOf returns the name that a name or ARN says; "" for none.
func projectOf(scope arn.Scope, nameOrARN string) (string, error) {
	if nameOrARN == "" {
		return "", nil
	}
	name, ok := scope.Local("project", nameOrARN)
	if !ok {
		return "", noSuchProject(scope, nameOrARN)
	}
	return name, nil
}

// find returns a build by its id or ARN.
func (s *Builds) find(ctx context.Context, idOrARN string) (build.Build, error) {
	scope := accesskey.CallerOf(ctx).Scope
	id, ok := scope.Local("build", idOrARN)
	if !ok {
		return build.Build{}, noSuchBuild(idOrARN)
	}
	if !strings.Contains(id, ":") {
		return build.Build{}, fault.New(fault.Invalid, "Invalid build ID provided")
	}
	b, err := s.builds.Get(ctx, scope, id)
	if fault.KindOf(err) == fault.NotFound {
		return build.Build{}, noSuchBuild(idOrARN)
	}
	return b, err
}

// A pageToken is a place on the wire, with the order in which it goes on.
type pageToken struct {
	Started   int64 `json:"t"`
	Sequence  int64 `json:"s"`
	Ascending bool  `json:"a,omitzero"`
}

// placeToken returns the token of p; "" for the zero Place.
func placeToken(p build.Place, ascending bool) string {
	if p == (build.Place{}) {
		return ""
	}
	text, err := json.Marshal(pageToken{p.Started, p.Sequence, ascending})
	if err != nil {
		panic(err) // only our own plain struct comes here
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parsePlace is the inverse of placeToken. A token of the other order, or none
// of ours, is Invalid.
func parsePlace(text string, ascending bool) (build.Place, error) {
	if text == "" {
		return build.Place{}, nil
	}
	var t pageToken
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &t) != nil || t.Ascending != ascending || t.Sequence <= 0 {
		return build.Place{}, fault.New(fault.Invalid, "Invalid next token provided")
	}
	return build.Place{Started: t.Started, Sequence: t.Sequence}, nil
}
