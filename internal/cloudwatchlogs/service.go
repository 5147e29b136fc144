// Package cloudwatchlogs implements the operations of CloudWatch Logs by which
// the logs of builds are read.
package cloudwatchlogs

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/logstream"
)

// A page of events holds at most this much.
const (
	maxEvents = 10_000
	maxBytes  = 1 << 20 // of messages, each counted with perEvent bytes more
	perEvent  = 26
)

// A Service answers for the streams of a store. Its methods may be called from
// several goroutines; each takes the account and region from its context's Caller.
type Service struct {
	store *logstream.Store

	// maxHeld bounds the bytes of log that FilterLogEvents has in memory, but
	// for the block being read.
	maxHeld int
	// maxScan bounds the bytes of log that it reads for one page, once it has
	// got anywhere: a page may be short, or empty, and have a token nevertheless.
	maxScan int
}

// New returns the Service over store.
func New(store *logstream.Store) *Service {
	return &Service{store: store, maxHeld: 32 << 20, maxScan: 64 << 20}
}

// group returns the group that a request names by name or identifier, which is
// a name or an ARN; exactly one of them must be given.
func group(ctx context.Context, name, identifier *string) (arn.Scope, string, error) {
	scope := accesskey.CallerOf(ctx).Scope
	switch {
	case name != nil && identifier != nil:
		return scope, "", fault.New(fault.Invalid, "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return scope, *name, nil
	case identifier == nil:
		return scope, "", fault.New(fault.Invalid, "Either logGroupName or logGroupIdentifier must be specified.")
	}
	local, err := localGroup(scope, *identifier)
	return scope, local, err
}

// localGroup returns the name of the group that identifier names in scope.
func localGroup(scope arn.Scope, identifier string) (string, error) {
	if !strings.HasPrefix(identifier, "arn:") {
		return identifier, nil
	}
	a, ok := arn.Parse(identifier)
	name, isGroup := strings.CutPrefix(a.Resource, "log-group:")
	name = strings.TrimSuffix(name, ":*")
	if !ok || a.Service != "logs" || !isGroup || name == "" || strings.Contains(name, ":") {
		return "", fault.New(fault.Invalid, "The specified logGroupIdentifier is not the ARN of a log group.")
	}
	if a.Account != scope.Account || a.Region != scope.Region {
		return "", fault.New(fault.NotFound, "The specified log group does not exist.")
	}
	return name, nil
}

// limit returns how many things a page may hold.
func limit(asked *int, most int) int {
	if asked == nil {
		return most
	}
	return min(max(*asked, 1), most)
}

var errToken = fault.New(fault.Invalid, "The specified nextToken is invalid.")

// encodeToken and decodeToken make tokens of where a list goes on.
func encodeToken(v any) *string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	return new(base64.RawURLEncoding.EncodeToString(b))
}

func decodeToken(token string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, v) != nil {
		return errToken
	}
	return nil
}

// fingerprint stands for a stream in tokens and event ids.
func fingerprint(stream string) uint64 {
	sum := sha256.Sum256([]byte(stream))
	return binary.BigEndian.Uint64(sum[:])
}
