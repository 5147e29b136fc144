package extension

import (
	"bytes"
	"context"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

const (
	linesPerPage = 1000    // if nobody says
	maxPageBytes = 4 << 20 // of messages in a page
)

// A buildLog is the log of a build at one moment.
type buildLog struct {
	build  build.Build
	stream logstream.StreamID
	lines  int64
	bytes  int64
}

// log returns the log of a build as it is. A build that has none yet, keeps
// none, or whose log was deleted, has an empty one.
func (s *Builds) log(ctx context.Context, idOrARN string) (l buildLog, err error) {
	// First the build: of one that has ended all of the log is there.
	if l.build, err = s.find(ctx, idOrARN); err != nil || !l.build.State.HasLog {
		return l, err
	}
	l.stream = logstream.StreamID{Scope: l.build.Scope, Group: l.build.LogGroup(), Name: l.build.LogStream()}
	info, err := s.logs.Stat(l.stream)
	if fault.KindOf(err) == fault.NotFound {
		return l, nil
	}
	l.lines, l.bytes = info.Events, info.Raw
	return l, err
}

// start returns the line that a request means: a negative one counts from the end.
func (l buildLog) start(line int64) int64 {
	if line < 0 {
		line = max(0, l.lines+line)
	}
	return min(line, l.lines)
}

// each calls yield for the lines of l from one on, until it returns false, and
// before each block of some thousand lines done, which ends it as well if it
// returns true. Of a part that is damaged only the first line has a text.
func (s *Builds) each(ctx context.Context, l buildLog, from int64, done func() bool, yield func(line int64, e frame.Event) bool) error {
	for from < l.lines && !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := s.logs.Block(l.stream, from)
		if err != nil {
			return err
		}
		if b.End <= from {
			return nil // it was cut after a crash
		}
		next, last := from, frame.Event{}
		for n, e := range b.From(from) {
			if n >= l.lines || !yield(n, e) {
				return nil
			}
			next, last = n+1, frame.Event{Time: e.Time}
		}
		for ; next < min(b.End, l.lines); next++ {
			if !yield(next, last) {
				return nil
			}
		}
		from = b.End
	}
	return nil
}

func never() bool { return false }

// DescribeBuildLog answers how long a build's log is and where to look in it.
// Lines are numbered from 0. bytes are those of its text. complete means that
// the build has ended: no line will follow.
//
// marks are, in order, where phases begin (PHASE: the phase's name), where
// commands start (COMMAND: the command's first line) and what failed (ERROR:
// the command that did not exit successfully, or a phase's status code and
// message), as the agent says it in the log; a build that writes such lines
// itself has them as marks, too. Texts have at most 200 characters, and the
// first 10,000 marks are answered. firstError is the first ERROR of a build
// that has not succeeded: of a command that failed, its line "Command did not
// exit successfully"; of a source that could not be cloned, a wrong buildspec,
// a timeout, the line that tells the status code of the phase.
//
// They are of the lines before markedLines. That is fewer than lines if the log
// is so long that finding them takes several calls, each of which goes on for
// another 256 MiB. What was found is remembered for the logs that were last
// asked for, so that the next call only reads what is new.
func (s *Builds) DescribeBuildLog(ctx context.Context, in *slipway.DescribeBuildLogInput) (*slipway.DescribeBuildLogOutput, error) {
	l, err := s.log(ctx, in.BuildID)
	if err != nil {
		return nil, err
	}
	out := &slipway.DescribeBuildLogOutput{Lines: l.lines, Bytes: l.bytes, Complete: l.build.Finished(), Marks: []slipway.LogMark{}}
	if l.lines == 0 {
		return out, nil
	}
	found, err := s.mark(ctx, l)
	if err != nil {
		return nil, err
	}
	out.MarkedLines = found.next
	out.Marks = append(out.Marks, found.marks...)
	if l.build.Public.BuildStatus != api.StatusTypeSucceeded {
		out.FirstError = found.firstError
	}
	return out, nil
}

// GetBuildLogLines answers lines of a build's log: messages and timestamps
// (milliseconds since 1970) of startLine and what follows it. A negative
// startLine counts from the end; the one meant is answered. A page has maxLines
// (1,000 unless said) or 4 MiB of messages at most, and at least one line if
// there is one. Messages have their escape sequences, and no line end. lines is
// how many there are in all; when complete, no line will follow.
func (s *Builds) GetBuildLogLines(ctx context.Context, in *slipway.GetBuildLogLinesInput) (*slipway.GetBuildLogLinesOutput, error) {
	l, err := s.log(ctx, in.BuildID)
	if err != nil {
		return nil, err
	}
	most := int64(linesPerPage)
	if in.MaxLines != nil {
		most = int64(*in.MaxLines)
	}
	out := &slipway.GetBuildLogLinesOutput{
		StartLine: l.start(in.StartLine), Lines: l.lines, Complete: l.build.Finished(), Messages: []string{}, Timestamps: []int64{},
	}
	room := maxPageBytes
	err = s.each(ctx, l, out.StartLine, never, func(_ int64, e frame.Event) bool {
		message := bytes.TrimSuffix(e.Message, []byte("\n"))
		if len(message) < len(e.Message) {
			message = bytes.TrimSuffix(message, []byte("\r"))
		}
		if room -= len(message); room < 0 && len(out.Messages) > 0 {
			return false
		}
		out.Messages = append(out.Messages, string(message))
		out.Timestamps = append(out.Timestamps, e.Time)
		return int64(len(out.Messages)) < most
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
