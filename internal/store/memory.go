package store

import (
	"encoding/json"
	"sync"
)

// maxRemembered bounds the records of a memory, in bytes of their text; what
// they decode to takes about twice as much again.
const maxRemembered = 512 << 10

// A memory keeps what records decode to, since those of projects are read far
// more often than they change. It finds them by their whole text, so that it
// never answers for a row that has changed, whoever changed it. The zero memory
// is ready.
//
// What it hands out is shared: nobody may change what its pointers and lists
// lead to.
type memory[T any] struct {
	mu   sync.RWMutex // guards what follows
	kept map[string]T
	size int // of the texts in kept
}

// decode returns what record decodes to.
func (m *memory[T]) decode(record string) (T, error) {
	m.mu.RLock()
	v, ok := m.kept[record]
	m.mu.RUnlock()
	if ok {
		return v, nil
	}
	if err := json.Unmarshal([]byte(record), &v); err != nil {
		return v, errBroken
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || m.size+len(record) > maxRemembered {
		m.kept, m.size = map[string]T{}, 0
	}
	if _, ok := m.kept[record]; !ok && len(record) <= maxRemembered {
		m.kept[record] = v
		m.size += len(record)
	}
	return v, nil
}
