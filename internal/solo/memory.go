package solo

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// A memory keeps the record of one build, as a store keeps many.
type memory struct {
	ended chan struct{} // closed when the build has ended

	mu sync.Mutex // guards build
	b  build.Build
}

func newMemory(b build.Build) *memory { return &memory{ended: make(chan struct{}), b: b} }

func (m *memory) get() build.Build {
	m.mu.Lock()
	defer m.mu.Unlock()
	return clone(m.b)
}

// clone returns a build that shares nothing with b: changing a record in part
// must leave no trace if it fails. A record is what JSON can hold.
func clone(b build.Build) build.Build {
	out := build.Build{Scope: b.Scope}
	for from, to := range map[any]any{&b.Public: &out.Public, &b.State: &out.State} {
		text, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			panic(err) // records are stored in this form
		}
	}
	return out
}

// Find returns the build.
func (m *memory) Find(_ context.Context, id string) (build.Build, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id != *m.b.Public.ID {
		return build.Build{}, fault.New(fault.NotFound, "There is no build %s here.", id)
	}
	return clone(m.b), nil
}

// Claim changes the build if it is queued.
func (m *memory) Claim(_ context.Context, change func(*build.Build) error) (build.Build, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.b.Queued() {
		return build.Build{}, false, nil
	}
	b, err := m.change(change)
	return b, err == nil, err
}

// Update changes the build. Nothing is owed to anybody: it has no provider.
func (m *memory) Update(_ context.Context, id string, change func(*build.Build) ([]outbox.Item, error)) (build.Build, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id != *m.b.Public.ID {
		return build.Build{}, fault.New(fault.NotFound, "There is no build %s here.", id)
	}
	return m.change(func(b *build.Build) error {
		_, err := change(b)
		return err
	})
}

// change changes the build, or leaves it as it was. It is called with mu held.
func (m *memory) change(change func(*build.Build) error) (build.Build, error) {
	b := clone(m.b)
	if err := change(&b); err != nil {
		return build.Build{}, err
	}
	ends := b.Finished() && !m.b.Finished()
	m.b = b
	if ends {
		close(m.ended)
	}
	return clone(b), nil
}

// Unfinished returns what a server before this one left: nothing.
func (*memory) Unfinished(context.Context) ([]build.Build, error) { return nil, nil }

// nothingOwed is an outbox for a build that owes nobody anything.
type nothingOwed struct{}

func (nothingOwed) Due(context.Context, time.Time, int) ([]outbox.Item, error) { return nil, nil }
func (nothingOwed) Settle(context.Context, outbox.Item) error                  { return nil }
func (nothingOwed) NextDue(context.Context) (time.Time, bool, error) {
	return time.Time{}, false, nil
}
func (nothingOwed) BySubject(context.Context, string) ([]outbox.Item, error) { return nil, nil }
