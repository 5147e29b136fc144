package registrar

import (
	"context"
	"sync"
)

// Locks are mutexes by name, for waiting with a context. The zero value is ready.
type locks struct {
	mu   sync.Mutex // guards what follows
	held map[string]*lock
}

type lock struct {
	free chan struct{} // holds one while nobody holds the lock
	want int           // how many hold it or wait for it
}

// take waits until nobody else holds the lock of a name. Who gets it calls give.
func (l *locks) take(ctx context.Context, name string) (give func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	k := l.held[name]
	if k == nil {
		k = &lock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		l.held[name] = k
	}
	k.want++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.want--; k.want == 0 {
			delete(l.held, name)
		}
	}
	select {
	case <-k.free:
		return func() {
			k.free <- struct{}{}
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
