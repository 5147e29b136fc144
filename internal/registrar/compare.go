package registrar

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/webhook/event"
)

// Refs under which pull requests are remembered, and the highest number seen.
const (
	pullPrefix = "pull/"
	lastPull   = "pull/last"
)

// A sight is a repository as it is found.
type sight struct {
	refs  map[string]string     // commits by full ref; heads and tags count
	pulls map[int64]event.Event // the open pull requests; nil if nobody wants to know
}

// A change is a ref that is not where it was.
type change struct {
	ref string
	was string // "" if there was none
	is  string // "" if it is gone

	// event is what to tell; nil if it is nothing. That a pull request is
	// gone has the type PULL_REQUEST_CLOSED until somebody has looked whether
	// it was merged.
	event *event.Event
}

// compare returns what changed since refs were known, by ref. first means that
// nothing is known yet, so that there is nothing to tell. Branches and tags that
// are gone are no news either: deletions never build.
func compare(known map[string]string, now sight, first bool) []change {
	var changes []change
	for ref, is := range now.refs {
		if was := known[ref]; was != is && (strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/")) {
			changes = append(changes, change{ref, was, is, &event.Event{Type: event.Push, HeadRef: ref, Commit: is, Before: was}})
		}
	}
	for ref, was := range known {
		if _, there := now.refs[ref]; !there && !strings.HasPrefix(ref, pullPrefix) {
			changes = append(changes, change{ref: ref, was: was})
		}
	}
	if first {
		for i := range changes {
			changes[i].event = nil
		}
	}
	changes = append(changes, comparePulls(known, now.pulls)...)
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.ref, b.ref) })
	return changes
}

// comparePulls returns which pull requests changed. The first time that
// somebody wants to know they are only remembered, and when nobody does any
// more they are forgotten.
func comparePulls(known map[string]string, now map[int64]event.Event) []change {
	var changes []change
	last, err := strconv.ParseInt(known[lastPull], 10, 64)
	first := err != nil
	highest := last
	for number, e := range now {
		ref := pullRef(number)
		was := known[ref]
		switch {
		case was == e.Commit:
			continue
		case was != "":
			e.Type = event.PullRequestUpdated
		case number <= last: // numbers only grow, so it was there before
			e.Type = event.PullRequestReopened
		default:
			e.Type = event.PullRequestCreated
		}
		c := change{ref, was, e.Commit, &e}
		if first {
			c.event = nil
		}
		changes = append(changes, c)
		highest = max(highest, number)
	}
	for ref, was := range known {
		number, isPull := pullNumber(ref)
		if _, open := now[number]; !isPull || open {
			continue
		}
		c := change{ref: ref, was: was}
		if now != nil {
			c.event = &event.Event{Type: event.PullRequestClosed, PullRequest: &event.PullRequest{Number: number}}
		}
		changes = append(changes, c)
	}
	switch {
	case now == nil && !first:
		changes = append(changes, change{ref: lastPull, was: known[lastPull]})
	case now != nil && (first || highest > last):
		changes = append(changes, change{ref: lastPull, was: known[lastPull], is: strconv.FormatInt(highest, 10)})
	}
	return changes
}

func pullRef(number int64) string { return fmt.Sprintf("%s%d", pullPrefix, number) }

// pullNumber returns the number of the pull request that ref remembers.
func pullNumber(ref string) (int64, bool) {
	text, ok := strings.CutPrefix(ref, pullPrefix)
	number, err := strconv.ParseInt(text, 10, 64)
	return number, ok && err == nil
}

// confirmed returns the changes that were seen the last time too, and all that
// are no news, and what to ask for the next time. With it, what the provider
// delivers has a round's time to arrive, and is then remembered already.
func confirmed(changes []change, before map[string]string) (sure []change, asked map[string]string) {
	asked = map[string]string{}
	for _, c := range changes {
		if is, ok := before[c.ref]; c.event == nil || ok && is == c.is {
			sure = append(sure, c)
			continue
		}
		asked[c.ref] = c.is
	}
	return sure, asked
}

// atMost returns changes with no more than n events; the others are found again.
func atMost(n int, changes []change) []change {
	for i, c := range changes {
		if c.event == nil {
			continue
		}
		if n--; n < 0 {
			rest := slices.DeleteFunc(slices.Clone(changes[i:]), func(c change) bool { return c.event != nil })
			return append(slices.Clone(changes[:i]), rest...)
		}
	}
	return changes
}

// outcome returns what to remember of changes. The highest number of a pull
// request grows no further than what is remembered of them, or one that was put
// off would look as if it had been there before.
func outcome(known map[string]string, changes []change, now map[int64]event.Event) (set map[string]string, gone []string) {
	set = map[string]string{}
	for _, c := range changes {
		if c.is == "" {
			gone = append(gone, c.ref)
		} else {
			set[c.ref] = c.is
		}
	}
	if _, grows := set[lastPull]; grows {
		last, _ := strconv.ParseInt(known[lastPull], 10, 64) // 0 the first time
		for number := range maps.Keys(now) {
			if _, remembered := set[pullRef(number)]; remembered {
				last = max(last, number)
			}
		}
		set[lastPull] = strconv.FormatInt(last, 10)
	}
	return set, gone
}
