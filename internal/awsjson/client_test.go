package awsjson

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
)

func TestClientCalls(t *testing.T) {
	s := start(t, Options{})
	client := s.client(bob)
	var out api.BatchGetProjectsOutput
	if err := client.Call(t.Context(), api.CodeBuild, "BatchGetProjects", &api.BatchGetProjectsInput{Names: []string{"shop"}}, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Projects) != 1 || *out.Projects[0].Name != "shop" {
		t.Errorf("BatchGetProjects = %+v", out)
	}
	err := client.Call(t.Context(), logs.Definition, "GetLogEvents", &logs.GetLogEventsRequest{LogStreamName: "x", LogGroupName: new("g")}, nil)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Name != "ResourceNotFoundException" || e.Message != "The specified log stream does not exist." || e.Status != 400 || e.RequestID == "" {
		t.Errorf("GetLogEvents: %+v", err)
	}
	if got, want := e.Error(), "ResourceNotFoundException: The specified log stream does not exist."; got != want {
		t.Errorf("Error() = %s, want %s", got, want)
	}
}

func TestClientSendsSecretsAsTheyAre(t *testing.T) {
	in := &api.ImportSourceCredentialsInput{
		AuthType: api.AuthTypePersonalAccessToken, ServerType: api.ServerTypeGithub, Token: secret.New(token), ShouldOverwrite: new(false),
	}
	var out api.ImportSourceCredentialsOutput
	if err := start(t, Options{}).client(alice).Call(t.Context(), api.CodeBuild, "ImportSourceCredentials", in, &out); err != nil || out.ARN == nil {
		t.Errorf("ImportSourceCredentials = %+v, %v", out, err)
	}
}

// reveal knows secrets in the first level of an input only.
func TestNoInputHasASecretFarInside(t *testing.T) {
	text := reflect.TypeFor[secret.Text]()
	seen := map[reflect.Type]bool{}
	var visit func(at reflect.Type, path string, depth int)
	visit = func(at reflect.Type, path string, depth int) {
		switch {
		case at == text && depth > 1:
			t.Errorf("%s is a secret that the client would not send", path)
		case at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice || at.Kind() == reflect.Map:
			visit(at.Elem(), path, depth)
		case at.Kind() == reflect.Struct && at != text && !seen[at]:
			seen[at] = true
			for i := range at.NumField() {
				visit(at.Field(i).Type, path+"."+at.Field(i).Name, depth+1)
			}
		}
	}
	operations := 0
	for _, d := range []*api.Definition{api.CodeBuild, logs.Definition, slipway.Definition} {
		for name, op := range d.Operations {
			operations++
			visit(reflect.TypeOf(op.New()), name, 0)
		}
	}
	if operations == 0 {
		t.Error("no operations were looked at")
	}
}

func TestClientCallsOverAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(NewServer(Options{Keys: keyring{alice.ID: alice}}, Service{api.CodeBuild, tiny{}}))
	s.Listener = listener
	s.Start()
	defer s.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	client := &Client{Endpoint: "http://slipway", Key: alice, Region: "us-east-1", HTTP: &http.Client{Transport: transport}}
	if err := client.Call(t.Context(), api.CodeBuild, "DeleteProject", &api.DeleteProjectInput{Name: "shop"}, nil); err != nil {
		t.Error(err)
	}
}

func TestClientExplainsAnswersOfOthers(t *testing.T) {
	answers := map[string]string{ // error by body
		`<html>gateway</html>`: "unexpected answer with status 502",
		`{"__type":"com.amazonaws.codebuild#InvalidInputException","message":"No"}`: "InvalidInputException: No",
		`{"__type":"Throttled"}`: "Throttled",
	}
	for body, want := range answers {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, body)
		}))
		err := (&Client{Endpoint: s.URL + "/", HTTP: s.Client()}).Call(t.Context(), api.CodeBuild, "ListProjects", nil, nil)
		s.Close()
		if e, ok := errors.AsType[*Error](err); !ok || e.Error() != want || e.Status != 502 {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
