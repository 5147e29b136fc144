package extension

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
)

// ServerOptions is how a server was started.
type ServerOptions struct {
	Version   string
	Region    string   // of clients that name none
	PublicURL string   // where providers and people reach it; "" means that it has none
	Polling   bool     // refs are compared
	Runners   []string // where builds can run: local, docker
	MaxBuilds int      // builds that run at a time
}

// Server is the operation that tells of the server itself. Its methods may be
// called from several goroutines.
type Server struct{ options ServerOptions }

// NewServer returns a Server that was started with o.
func NewServer(o ServerOptions) *Server { return &Server{o} }

// DescribeServer answers what a client needs to know of the server, and who the
// caller is to it. The region is the server's own, whichever the request is for:
// a client that was not told one asks here.
//
// runners are where builds can run: local, which is the server's own machine and
// takes no notice of images, and docker. runner is the only one of them, auto if
// the build's image decides, or none.
func (s *Server) DescribeServer(ctx context.Context, _ *slipway.DescribeServerInput) (*slipway.DescribeServerOutput, error) {
	caller := accesskey.CallerOf(ctx)
	runner := "auto"
	switch r := s.options.Runners; len(r) {
	case 0:
		runner = "none"
	case 1:
		runner = r[0]
	}
	return &slipway.DescribeServerOutput{
		Version: s.options.Version, Account: caller.Scope.Account, Region: s.options.Region, User: caller.User, PublicURL: s.options.PublicURL,
		Webhooks: s.options.PublicURL != "", Polling: s.options.Polling, Runner: runner, Runners: s.options.Runners, MaxBuilds: s.options.MaxBuilds,
	}, nil
}
