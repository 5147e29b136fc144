package cloudwatchlogs

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"slipway/internal/api/logs"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// GetLogEvents returns a page of one stream. Both tokens are always there; one
// that leads no further comes back as it was given.
func (s *Service) GetLogEvents(ctx context.Context, in *logs.GetLogEventsRequest) (*logs.GetLogEventsResponse, error) {
	scope, name, err := group(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	id := logstream.StreamID{Scope: scope, Group: name, Name: in.LogStreamName}
	low, high, err := s.between(id, in.StartTime, in.EndTime)
	if fault.KindOf(err) == fault.NotFound {
		if _, err := s.store.Group(scope, name); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	stream := fingerprint(in.LogStreamName)
	at := position{forward: in.StartFromHead != nil && *in.StartFromHead, stream: stream, event: high}
	if at.forward {
		at.event = low
	}
	if in.NextToken != nil {
		var ok bool
		if at, ok = parsePosition(*in.NextToken); !ok || at.stream != stream {
			return nil, errToken
		}
	}
	p := page{room: maxBytes, left: limit(in.Limit, maxEvents), events: []logs.OutputLogEvent{}}
	first, end := at.event, at.event
	if at.forward {
		if from := max(at.event, low); from < high {
			first = from
			end, err = s.forward(ctx, id, from, high, &p)
		}
	} else {
		if before := min(at.event, high); before > low {
			end = before
			first, err = s.backward(ctx, id, low, before, &p)
		}
	}
	if err != nil {
		return nil, err
	}
	return &logs.GetLogEventsResponse{
		Events:            p.events,
		NextForwardToken:  new(position{true, stream, end}.String()),
		NextBackwardToken: new(position{false, stream, first}.String()),
	}, nil
}

// between returns the numbers of the events from start (inclusive) to end
// (exclusive), as low (inclusive) and high (exclusive).
func (s *Service) between(id logstream.StreamID, start, end *int64) (low, high int64, err error) {
	info, err := s.store.Stat(id)
	if err != nil {
		return 0, 0, err
	}
	high = info.Events
	if end != nil {
		if high, err = s.store.Find(id, *end); err != nil {
			return 0, 0, err
		}
	}
	if start != nil {
		if low, err = s.store.Find(id, *start); err != nil {
			return 0, 0, err
		}
	}
	return low, high, nil
}

// A page gathers events up to a size.
type page struct {
	room   int // bytes
	left   int // events
	events []logs.OutputLogEvent
}

// take reports whether there is room for a message, and uses it. A page that
// is empty takes any.
func (p *page) take(message int) bool {
	if len(p.events) > 0 && message+perEvent > p.room || p.left == 0 {
		return false
	}
	p.room -= message + perEvent
	p.left--
	return true
}

// forward adds events to p from number n on, and returns the number of the one to go on with.
func (s *Service) forward(ctx context.Context, id logstream.StreamID, n, high int64, p *page) (int64, error) {
	for n < high && p.left > 0 && ctx.Err() == nil {
		b, err := s.store.Block(id, n)
		if err != nil {
			return 0, err
		}
		for i, e := range b.From(n) {
			if i >= high || !p.take(len(e.Message)) {
				return i, nil
			}
			p.events = append(p.events, output(e.Time, b.Stored, e.Message))
			n = i + 1
		}
		if p.left > 0 {
			n = b.End // where n is already, unless the block is damaged
		}
	}
	return min(n, high), ctx.Err()
}

// backward adds to p the events before number n, ascending, and returns the
// number of the first of them.
func (s *Service) backward(ctx context.Context, id logstream.StreamID, low, n int64, p *page) (int64, error) {
	defer func() { slices.Reverse(p.events) }()
	for n > low && p.left > 0 && ctx.Err() == nil {
		b, err := s.store.Block(id, n-1)
		if err != nil {
			return 0, err
		}
		type numbered struct {
			n int64
			frame.Event
		}
		var events []numbered // the last ones before n, no more than fit
		for i, e := range b.From(low) {
			if i >= n {
				break
			}
			if len(events) == p.left {
				events = events[1:]
			}
			events = append(events, numbered{i, e})
		}
		for _, e := range slices.Backward(events) {
			if !p.take(len(e.Message)) {
				return n, nil
			}
			p.events = append(p.events, output(e.Time, b.Stored, e.Message))
			n = e.n
		}
		if p.left > 0 {
			n = b.Start // where n is already, unless the block is damaged
		}
	}
	return max(n, low), ctx.Err()
}

func output(time, stored int64, message []byte) logs.OutputLogEvent {
	return logs.OutputLogEvent{Timestamp: &time, IngestionTime: &stored, Message: new(string(message))}
}

// A position is a place in a stream: before an event, and the direction to read on.
type position struct {
	forward bool
	stream  uint64 // fingerprint
	event   int64
}

// String returns p as a token: "f/" or "b/", 56 digits, "/s".
func (p position) String() string {
	direction := 'b'
	if p.forward {
		direction = 'f'
	}
	return fmt.Sprintf("%c/%020d%036d/s", direction, p.stream, p.event)
}

func parsePosition(token string) (p position, ok bool) {
	if len(token) != 60 || token[58:] != "/s" || token[:2] != "f/" && token[:2] != "b/" {
		return position{}, false
	}
	stream, err1 := strconv.ParseUint(token[2:22], 10, 64)
	event, err2 := strconv.ParseUint(token[22:58], 10, 63)
	p = position{token[0] == 'f', stream, int64(event)}
	return p, err1 == nil && err2 == nil && p.String() == token
}
