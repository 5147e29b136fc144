package accesskey

import "context"

// A Remote is where a request came from, for the operator's log. Nothing may
// depend on it.
type Remote struct {
	Address   string // of the connection: a proxy's, if there is one
	Forwarded string // what the request says a proxy had it from; anybody may say so
}

type remoteKey struct{}

// WithRemote returns a context that carries r.
func WithRemote(ctx context.Context, r Remote) context.Context {
	return context.WithValue(ctx, remoteKey{}, r)
}

// RemoteOf returns the Remote in ctx, or the zero one.
func RemoteOf(ctx context.Context) Remote {
	r, _ := ctx.Value(remoteKey{}).(Remote)
	return r
}
