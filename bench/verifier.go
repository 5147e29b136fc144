package main

import (
	"context"
	"net/http"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/fault"
	"slipway/internal/sigv4"
)

// oneKey is a key look-up that knows a single key.
type oneKey accesskey.Key

func (k oneKey) Key(_ context.Context, id string) (accesskey.Key, error) {
	if id != k.ID {
		return accesskey.Key{}, fault.New(fault.NotFound, "no such key")
	}
	return accesskey.Key(k), nil
}

// echoVerifier verifies as the server does, so that both carry that duty.
func echoVerifier(key accesskey.Key) func(*http.Request, []byte) error {
	v := sigv4.NewVerifier(oneKey(key), time.Now)
	return func(r *http.Request, body []byte) error {
		_, err := v.Verify(r, body, "codebuild")
		return err
	}
}
