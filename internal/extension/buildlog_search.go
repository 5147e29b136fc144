package extension

import (
	"context"
	"errors"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// The bounds of one SearchBuildLog.
const (
	matchesPerPage  = 1000 // if nobody says
	maxSearchLines  = 200_000
	maxSearchBytes  = 64 << 20
	maxSearchTime   = 2 * time.Second
	betweenGlances  = 64 << 10 // bytes of lines between two looks at the clock
	costOfInnerLine = 64       // bytes that a line counts as, however short it is
)

// SearchBuildLog answers the numbers of the lines, from startLine on, that hold
// text as a reader sees them: escape sequences and line ends are not part of a
// line. A negative startLine counts from the end. Letters match in either case
// unless matchCase; with regularExpression the text is one of RE2's syntax, in
// which ^ and $ are the ends of a line. An expression that is wrong or too large
// is Invalid, and it is said why.
//
// A call looks at no more than 200,000 lines or 64 MiB, for two seconds at
// most, and answers maxMatches lines (1,000 unless said). If anything is left
// to be searched, nextLine says where to go on; else there is none. lines is
// how many lines the log had.
func (s *Builds) SearchBuildLog(ctx context.Context, in *slipway.SearchBuildLogInput) (*slipway.SearchBuildLogOutput, error) {
	match, err := newMatcher(in.Text, in.MatchCase, in.RegularExpression)
	if err != nil {
		return nil, err
	}
	l, err := s.log(ctx, in.BuildID)
	if err != nil {
		return nil, err
	}
	most := matchesPerPage
	if in.MaxMatches != nil {
		most = *in.MaxMatches
	}
	out := &slipway.SearchBuildLogOutput{Matches: []int64{}, Lines: l.lines}
	start := l.start(in.StartLine)
	next, size, glance := start, 0, 0
	deadline := s.now().Add(maxSearchTime)
	var plain []byte
	full := func() bool { return next-start >= maxSearchLines || size >= maxSearchBytes }
	err = s.each(ctx, l, start, full, func(line int64, e frame.Event) bool {
		next = line + 1
		size += len(e.Message)
		if cap(plain) < len(e.Message) {
			plain = make([]byte, 0, 2*len(e.Message))
		}
		if match(logstream.Plain(plain, e.Message)) {
			out.Matches = append(out.Matches, line)
		}
		if glance += len(e.Message) + costOfInnerLine; glance > betweenGlances {
			glance = 0
			if ctx.Err() != nil || s.now().After(deadline) {
				return false
			}
		}
		return len(out.Matches) < most && !full()
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	if next < l.lines {
		out.NextLine = next
	}
	return out, nil
}
