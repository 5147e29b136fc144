package registrar

import "context"

// Watch looks at every hook once.
func (r *Registrar) Watch(ctx context.Context) error {
	all, err := r.parts.Hooks.All(ctx)
	for _, h := range all {
		r.watch(ctx, h)
	}
	return err
}

// Poll compares the refs of every hook once.
func (r *Registrar) Poll(ctx context.Context) error {
	all, err := r.parts.Hooks.All(ctx)
	for _, h := range all {
		r.poll(ctx, h)
	}
	return err
}
