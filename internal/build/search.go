package build

import (
	"time"

	"slipway/internal/api"
)

// A Search says which builds of a scope are looked for, and from where on. The
// zero value finds all, the one that started last first.
type Search struct {
	Project  string           // only of this project; "" is any
	Statuses []api.StatusType // only with one of these; none is any
	After    time.Time        // only what started then or later; zero is any time
	Before   time.Time        // only what started earlier; zero is any time

	// Text, unless it is "", is what the number is, what the id, its UUID, the
	// source version (with or without refs/heads/ or refs/tags/) or the resolved
	// commit begins with, or what the initiator holds. ASCII letters match in
	// either case.
	Text string

	Ascending bool  // the one that started first comes first
	From      Place // go on behind this place; zero is the beginning
}

// A Place is one in the order of builds: by start, those of one moment by their
// order of acceptance.
type Place struct {
	Started  int64 // microseconds since 1970
	Sequence int64
}

// Compare is -1, 0 or 1 as p is before, at or behind q.
func (p Place) Compare(q Place) int {
	switch {
	case p == q:
		return 0
	case p.Started < q.Started, p.Started == q.Started && p.Sequence < q.Sequence:
		return -1
	}
	return 1
}

// An Ended is what counts of a finished build in statistics.
type Ended struct {
	Project string
	Status  api.StatusType
	Took    time.Duration // from its start to its end, the time in the queue included
}
