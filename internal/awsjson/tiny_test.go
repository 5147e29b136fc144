package awsjson

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// tiny is a small working CodeBuild: it has a few operations, and the name it
// is asked for decides what happens.
type tiny struct{}

func (tiny) BatchGetProjects(ctx context.Context, in *api.BatchGetProjectsInput) (*api.BatchGetProjectsOutput, error) {
	out := &api.BatchGetProjectsOutput{}
	for _, name := range in.Names {
		switch name {
		case "gone":
			out.ProjectsNotFound = append(out.ProjectsNotFound, name)
		default:
			scope := accesskey.CallerOf(ctx).Scope
			out.Projects = append(out.Projects, api.Project{
				Name: new(name), ARN: new(scope.Project(name)), Description: new("<&>"), Created: api.At(time.UnixMilli(1472848787882)),
			})
		}
	}
	return out, nil
}

// faults are the errors that StopBuild answers, by id.
var faults = map[string]error{
	"project:internal":    errors.New("disk /var/lib/slipway is full"),
	"project:wrapped":     fmt.Errorf("stop: %w", fault.New(fault.NotFound, "Build project:wrapped does not exist")),
	"project:invalid":     fault.New(fault.Invalid, "Invalid build ID"),
	"project:exists":      fault.New(fault.Exists, "It exists"),
	"project:limit":       fault.New(fault.Limit, "Too many"),
	"project:provider":    &fault.Error{Kind: fault.Provider, Message: "GitHub refused the token", Err: errors.New("HTTP 401 from api.github.com")},
	"project:unavailable": fault.New(fault.Unavailable, "Stopping"),
	"project:denied":      fault.New(fault.Denied, "No"),
}

func (tiny) StopBuild(_ context.Context, in *api.StopBuildInput) (*api.StopBuildOutput, error) {
	if in.ID == "project:panic" {
		var nothing *api.Build
		_ = *nothing.ID
	}
	return nil, faults[in.ID]
}

func (tiny) ImportSourceCredentials(_ context.Context, in *api.ImportSourceCredentialsInput) (*api.ImportSourceCredentialsOutput, error) {
	if in.Token.Reveal() != token {
		return nil, fault.New(fault.Invalid, "another token")
	}
	return &api.ImportSourceCredentialsOutput{ARN: new("arn:aws:codebuild:us-east-1:123456789012:token/github")}, nil
}

func (tiny) DeleteProject(context.Context, *api.DeleteProjectInput) (*api.DeleteProjectOutput, error) {
	return &api.DeleteProjectOutput{}, nil
}

func (tiny) GetLogEvents(_ context.Context, in *logs.GetLogEventsRequest) (*logs.GetLogEventsResponse, error) {
	if in.LogStreamName != "there" {
		return nil, fault.New(fault.NotFound, "The specified log stream does not exist.")
	}
	if in.Limit == nil {
		return nil, fault.New(fault.Invalid, "A limit is wanted.")
	}
	return &logs.GetLogEventsResponse{Events: []logs.OutputLogEvent{}, NextForwardToken: new("f/1"), NextBackwardToken: new("b/1")}, nil
}

// SignIn is called unsigned: it answers whether it has a caller all the same, and
// that it knows from where it is called.
func (tiny) SignIn(ctx context.Context, in *slipway.SignInInput) (*slipway.SignInOutput, error) {
	if in.Code.Reveal() != token || accesskey.CallerOf(ctx) != (accesskey.Caller{}) {
		return nil, fault.New(fault.Invalid, "another code, or a caller")
	}
	if from := accesskey.RemoteOf(ctx); !strings.HasPrefix(from.Address, "127.0.0.1:") || len(from.Forwarded) > 200 || !utf8.ValidString(from.Forwarded) {
		return nil, fault.New(fault.Invalid, "another place")
	}
	return &slipway.SignInOutput{}, nil
}

const token = "ghp_exampleexampleexample"

var (
	alice = accesskey.Key{ID: "AKIAALICEALICEALICE1", Secret: secret.New("alice's secret"), Account: "123456789012", User: "alice"}
	bob   = accesskey.Key{ID: "ASIABOBBOBBOBBOBBOB1", Secret: secret.New("bob's secret"), SessionToken: secret.New("bob's token"), Account: "123456789012", User: "bob"}
)

type keyring map[string]accesskey.Key

func (k keyring) Key(_ context.Context, id string) (accesskey.Key, error) {
	key, ok := k[id]
	switch {
	case id == "AKIABROKEN":
		return key, errors.New("disk /var/lib/slipway is full")
	case !ok:
		return key, fault.New(fault.NotFound, "no such key")
	}
	return key, nil
}

// running is a server and what it logs.
type running struct {
	*httptest.Server
	log *lines
}

// start serves tiny as CodeBuild and as Logs.
func start(t testing.TB, o Options) running {
	log := new(lines)
	if o.Keys == nil && !o.AcceptAny {
		o.Keys = keyring{alice.ID: alice, bob.ID: bob}
	}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	s := httptest.NewServer(NewServer(o, Service{api.CodeBuild, tiny{}}, Service{logs.Definition, tiny{}}, Service{slipway.Definition, tiny{}}))
	t.Cleanup(s.Close)
	return running{s, log}
}

// client returns our own client of r.
func (r running) client(key accesskey.Key) *Client {
	return &Client{Endpoint: r.URL, Key: key, Region: "eu-west-1", HTTP: r.Client()}
}

// lines is a log in memory.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
