package cloudwatchlogs

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"slices"

	"slipway/internal/api/logs"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/logstream"
)

// slack is how much later, in milliseconds, an event may be than the time its
// closed stream is listed with: the system's clock for files runs behind a bit.
const slack = 60_000

// FilterLogEvents returns the events of a group's streams that match, merged by time.
func (s *Service) FilterLogEvents(ctx context.Context, in *logs.FilterLogEventsRequest) (*logs.FilterLogEventsResponse, error) {
	scope, name, err := group(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	f := filter{store: s.store, maxHeld: s.maxHeld, maxScan: s.maxScan, until: math.MaxInt64}
	if in.FilterPattern != nil {
		if f.pattern, err = parsePattern(*in.FilterPattern); err != nil {
			return nil, err
		}
	}
	if in.StartTime != nil {
		f.from.Time = *in.StartTime
	}
	if in.EndTime != nil {
		f.until = *in.EndTime // inclusive, unlike GetLogEvents'
	}
	if in.NextToken != nil {
		var after place
		if err := decodeToken(*in.NextToken, &after); err != nil {
			return nil, err
		}
		after.Event++ // the token names the last event seen
		if f.from.less(after) {
			f.from = after
		}
	}
	streams, err := s.searched(scope, name, in)
	if err != nil {
		return nil, err
	}
	if err := f.add(ctx, scope, name, streams); err != nil {
		return nil, err
	}
	defer f.close()
	events, next, err := f.page(ctx, limit(in.Limit, maxEvents))
	if err != nil {
		return nil, err
	}
	out := &logs.FilterLogEventsResponse{Events: events, SearchedLogStreams: []logs.SearchedLogStream{}}
	if next != nil {
		out.NextToken = encodeToken(next)
	}
	return out, nil
}

// searched returns the streams that a request is about.
func (s *Service) searched(scope arn.Scope, group string, in *logs.FilterLogEventsRequest) ([]logstream.Listed, error) {
	if in.LogStreamNames == nil {
		prefix := ""
		if in.LogStreamNamePrefix != nil {
			prefix = *in.LogStreamNamePrefix
		}
		return s.store.Streams(scope, group, prefix)
	}
	if in.LogStreamNamePrefix != nil {
		return nil, fault.New(fault.Invalid, "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
	}
	if _, err := s.store.Group(scope, group); err != nil {
		return nil, err
	}
	var all []logstream.Listed
	for _, name := range slices.Compact(slices.Sorted(slices.Values(in.LogStreamNames))) {
		info, err := s.store.Stat(logstream.StreamID{Scope: scope, Group: group, Name: name})
		if err != nil {
			return nil, err
		}
		all = append(all, logstream.Listed{Name: name, Last: info.Last})
	}
	return all, nil
}

// A place is where an event is in the order of a group: by time, then by
// stream, then by number.
type place struct {
	Time   int64  `json:"t"`
	Stream uint64 `json:"s"` // fingerprint
	Event  int64  `json:"e"`
}

func (p place) less(q place) bool {
	switch {
	case p.Time != q.Time:
		return p.Time < q.Time
	case p.Stream != q.Stream:
		return p.Stream < q.Stream
	}
	return p.Event < q.Event
}

// id returns p as an event id: 56 digits, in the order of places.
func (p place) id() string { return fmt.Sprintf("%016d%020d%020d", p.Time, p.Stream, p.Event) }

// A filter merges streams. Blocks are only decoded when their turn comes, and
// given back when they take too much memory, so that a group of thousands of
// streams costs no more than the few that are read from.
type filter struct {
	store   *logstream.Store
	maxHeld int
	maxScan int
	pattern pattern
	from    place // the first that may be
	until   int64 // the last time that may be

	cursors cursors
	held    int // bytes of blocks in memory
	scanned int // bytes of blocks decoded
}

// add makes a cursor for each stream that may have events to show.
func (f *filter) add(ctx context.Context, scope arn.Scope, group string, streams []logstream.Listed) error {
	for _, l := range streams {
		if l.Last < f.from.Time-slack {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &cursor{id: logstream.StreamID{Scope: scope, Group: group, Name: l.Name}, number: unknown}
		info, err := f.store.Stat(c.id)
		if fault.KindOf(err) == fault.NotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		if info.Events == 0 || info.Last < f.from.Time || info.First > f.until {
			continue
		}
		c.at = place{Time: max(info.First, f.from.Time), Stream: fingerprint(l.Name)}
		c.end = info.Events
		f.cursors = append(f.cursors, c)
	}
	heap.Init(&f.cursors)
	return nil
}

func (f *filter) close() {
	for _, c := range f.cursors {
		f.held -= c.drop()
	}
}

// page returns the next events and, unless everything has been seen, the place
// of the last event looked at.
func (f *filter) page(ctx context.Context, most int) ([]logs.FilteredLogEvent, *place, error) {
	events := []logs.FilteredLogEvent{}
	room := maxBytes
	seen := f.from
	seen.Event--
	start := seen
	for len(f.cursors) > 0 {
		c := f.cursors[0]
		if c.at.Time > f.until {
			return events, nil, nil // and so are all others
		}
		if c.current == nil {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			if f.scanned > f.maxScan && seen != start {
				return events, &seen, nil
			}
			switch err := f.load(c); {
			case fault.KindOf(err) == fault.NotFound:
				c.number = c.end // deleted meanwhile
			case err != nil:
				return nil, nil, err
			}
			f.settle(c)
			continue
		}
		if !c.at.less(f.from) {
			if f.pattern.match(c.current) {
				cost := len(c.current) + perEvent
				if len(events) == most || len(events) > 0 && cost > room {
					return events, &seen, nil
				}
				room -= cost
				events = append(events, logs.FilteredLogEvent{
					EventID: new(c.at.id()), LogStreamName: &c.id.Name, Message: new(string(c.current)),
					Timestamp: new(c.at.Time), IngestionTime: new(c.stored),
				})
			}
			seen = c.at
		}
		f.held -= c.advance()
		f.settle(c)
	}
	return events, nil, nil
}

// settle puts the first cursor where it belongs now.
func (f *filter) settle(c *cursor) {
	if c.number >= c.end && c.current == nil {
		heap.Pop(&f.cursors)
		return
	}
	heap.Fix(&f.cursors, 0)
}

// load makes c, which comes first, know its next event.
func (f *filter) load(c *cursor) error {
	if c.number == unknown {
		n, err := f.store.Find(c.id, c.at.Time)
		if err != nil {
			return err
		}
		c.number = n
	}
	if c.number >= c.end {
		return nil
	}
	b, err := f.store.Block(c.id, c.number)
	if err != nil {
		return err
	}
	f.held += b.Bytes
	f.scanned += b.Bytes
	f.held -= c.read(b)
	for f.held > f.maxHeld && f.unloadFarthest(c) {
	}
	return nil
}

// unloadFarthest gives up the block that will be needed last, except keep's.
func (f *filter) unloadFarthest(keep *cursor) bool {
	var far *cursor
	for _, c := range f.cursors {
		if c != keep && c.stop != nil && (far == nil || far.at.less(c.at)) {
			far = c
		}
	}
	if far == nil {
		return false
	}
	f.held -= far.unload()
	return true
}
