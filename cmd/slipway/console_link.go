package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"slipway/internal/accesskey"
)

// startLinkLife is how long the link that serve prints waits for its use.
const startLinkLife = time.Hour

// benchUser is who calls a server that accepts any credentials.
const benchUser = "local"

// base is where people reach the server.
func (s *server) base() string {
	if s.o.publicURL != "" {
		return s.o.publicURL
	}
	return browsable(s.clients.Addr())
}

// browsable returns the URL of a listener as browsers take it: they go to no
// unspecified address, which is all of the machine's.
func browsable(a net.Addr) string {
	if at, err := netip.ParseAddrPort(a.String()); err == nil && at.Addr().IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", at.Port())
	}
	return "http://" + a.String()
}

// invite makes the link that serve prints. It is for the owner, or for whoever
// calls a server that accepts any credentials.
func (s *server) invite(ctx context.Context, owner accesskey.Key) (err error) {
	account, user := owner.Account, owner.User
	if s.o.acceptAny {
		account, user = s.o.account, benchUser
	}
	if s.link, _, err = s.sessions.Link(ctx, account, user, startLinkLife); err != nil {
		return fmt.Errorf("make a link to the console: %w", err)
	}
	return nil
}
