package extension

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
)

// ServerOptions is how a server was started.
type ServerOptions struct {
	Version   string
	Region    string // of clients that name none
	PublicURL string // where providers and people reach it; "" means that it has none
	Polling   bool   // refs are compared
	Runner    string // local or none
	MaxBuilds int    // builds that run at a time
}

// Server is the operation that tells of the server itself. Its methods may be
// called from several goroutines.
type Server struct{ options ServerOptions }

// NewServer returns a Server that was started with o.
func NewServer(o ServerOptions) *Server { return &Server{o} }

// DescribeServer answers what a client needs to know of the server, and who the
// caller is to it. The region is the server's own, whichever the request is for:
// a client that was not told one asks here.
func (s *Server) DescribeServer(ctx context.Context, _ *slipway.DescribeServerInput) (*slipway.DescribeServerOutput, error) {
	caller := accesskey.CallerOf(ctx)
	return &slipway.DescribeServerOutput{
		Version: s.options.Version, Account: caller.Scope.Account, Region: s.options.Region, User: caller.User, PublicURL: s.options.PublicURL,
		Webhooks: s.options.PublicURL != "", Polling: s.options.Polling, Runner: s.options.Runner, MaxBuilds: s.options.MaxBuilds,
	}, nil
}
