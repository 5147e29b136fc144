// Package api holds the shapes of AWS CodeBuild's API, generated from its
// model, and the few types that every generated service shares. The shapes are
// the vocabulary of the whole program.
package api

//go:generate go run ./gen -model model/codebuild.json -package api -out codebuild.gen.go
//go:generate go run ./gen -model model/logs.json -package logs -out logs/logs.gen.go
//go:generate go run ./gen -model model/sts.json -package sts -out sts/sts.gen.go
//go:generate go run ./gen -model model/ssm.json -package ssm -out ssm/ssm.gen.go
//go:generate go run ./gen -model model/secretsmanager.json -package secretsmanager -out secretsmanager/secretsmanager.gen.go
//go:generate go run ./gen -model model/slipway.json -package slipway -out slipway/slipway.gen.go -typescript ../../web/src/api/slipway.gen.ts

import (
	"context"
	"errors"
)

// ErrNotImplemented is what Operation.Call returns for an operation that the
// service has no method for.
var ErrNotImplemented = errors.New("operation is not implemented")

// A Definition describes one service: how its requests are recognised and
// which operations it has. Definitions are never changed after start.
type Definition struct {
	Name         string // the signing name, such as codebuild
	TargetPrefix string // the part of X-Amz-Target before the dot
	Operations   map[string]*Operation
}

// An Operation is one row of a service's operation table.
type Operation struct {
	Name     string
	Unsigned bool                                                    // anybody may call it, and its context has no caller
	Errors   []string                                                // exceptions the model declares
	New      func() any                                              // a pointer to a zero input
	Check    func(c *Checker, in any)                                // holds in against the model's constraints; nil if it has none
	Call     func(ctx context.Context, service, in any) (any, error) // runs the method of service named like the operation
}
