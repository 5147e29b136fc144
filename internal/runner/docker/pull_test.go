package docker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/uuid"
	"github.com/moby/moby/client"

	"slipway/internal/fault"
	"slipway/internal/runner"
	"slipway/internal/runner/docker"
	"slipway/internal/runner/docker/dockertest"
	"slipway/internal/runner/runnertest"
	"slipway/internal/secret"
)

// heard is what a launch said.
type heard struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (h *heard) say(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.lines, "\n")
}

// launch starts a build of an image whose agent ends at once, and removes it.
func launch(t *testing.T, r *docker.Runner, l runner.Launch) (said string, err error) {
	t.Helper()
	var h heard
	l.BuildID, l.Token, l.Say = "broken:"+uuid.NewString(), secret.New("x"), h.say
	p, err := r.Start(t.Context(), l)
	if err == nil {
		if err := r.Stop(context.WithoutCancel(t.Context()), p, 0); err != nil {
			t.Error(err)
		}
	}
	return h.String(), err
}

func TestPull(t *testing.T) {
	c := dockertest.Engine(t)
	image := dockertest.Registry(t, c, "1")
	secrets := map[string]string{
		"good": `{"username": "` + dockertest.Username + `", "password": "` + dockertest.Password + `", "other": 1}`, "wrong": `{"username": "ada", "password": "wrong"}`, "odd": dockertest.Password,
		"short": `{"username": "ada"}`,
	}
	o := docker.Options{
		Dir: t.TempDir(), Server: "unix:///nobody", Agent: runnertest.Command(), Network: "none",
		Secret: func(_ context.Context, l runner.Launch) (secret.Text, error) {
			switch value, ok := secrets[l.RegistryCredential]; {
			case ok:
				return secret.New(value), nil
			case l.RegistryCredential == "broken":
				return secret.Text{}, errors.New("the vault is on fire")
			}
			return secret.Text{}, fault.New(fault.NotFound, "Secrets Manager can't find the specified secret.")
		},
	}
	r := open(t, o)
	t.Cleanup(func() { nothingIsLeft(t, c, o.Dir) })
	for _, tt := range []struct{ name, image, credential, want string }{
		{"without a login", image, "", "no basic auth credentials"},
		{"with a wrong one", image, "wrong", "who are you?|unauthorized|401"},
		{"with a secret that is none", image, "none", "the registryCredential none cannot be read: Secrets Manager can't find the specified secret."},
		{"with a secret of another form", image, "odd", `the registryCredential odd is not a secret of the form {"username": "…", "password": "…"}`},
		{"with half a login", image, "short", "the registryCredential short is not a secret of the form"},
		{"of what the registry does not have", strings.Replace(image, "tool:1", "other:2", 1), "good", "manifest unknown|not found|unknown"},
	} {
		said, err := launch(t, r, runner.Launch{Image: tt.image, RegistryCredential: tt.credential})
		f, ok := errors.AsType[*runner.Failure](err)
		fits := false
		for _, want := range strings.Split(tt.want, "|") {
			fits = fits || ok && strings.Contains(f.Message, want)
		}
		if !ok || f.Code != "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE" || !strings.HasPrefix(f.Message, "Unable to pull customer's container image. CannotPullContainerError: ") || !fits {
			t.Errorf("%s: %v, want a failure that says %q", tt.name, err, tt.want)
		}
		if strings.Contains(said+err.Error(), dockertest.Password) {
			t.Errorf("%s: the dockertest.Password is shown: %s, %v", tt.name, said, err)
		}
	}
	if _, err := launch(t, r, runner.Launch{Image: image, RegistryCredential: "broken"}); err == nil || strings.Contains(err.Error(), "CannotPull") {
		t.Errorf("a vault that does not work is not the user's to mend: %v", err)
	}
	said, err := launch(t, r, runner.Launch{Image: image, RegistryCredential: "good"})
	if err != nil || !strings.HasPrefix(said, "Pulling image "+image+"\n") || !strings.Contains(said, "\nPulled image "+image+" in ") {
		t.Errorf("with the login: %v, said %q", err, said)
	}
	if said, err := launch(t, r, runner.Launch{Image: image}); err != nil || said != "" {
		t.Errorf("an image that is there: %v, said %q, want no word", err, said)
	}
	without := open(t, docker.Options{Dir: o.Dir, Server: o.Server, Agent: o.Agent})
	if _, err := launch(t, without, runner.Launch{Image: "127.0.0.1:1/x:1", RegistryCredential: "good"}); err == nil || !strings.Contains(err.Error(), "this server keeps no secrets") {
		t.Errorf("without secrets: %v", err)
	}
}

func TestATagThatMoves(t *testing.T) {
	c := dockertest.Engine(t)
	image := dockertest.Registry(t, c, "latest")
	o := docker.Options{
		Dir: t.TempDir(), Server: "unix:///nobody", Agent: runnertest.Command(), Network: "none",
		Secret: func(context.Context, runner.Launch) (secret.Text, error) {
			return secret.New(`{"username": "` + dockertest.Username + `", "password": "` + dockertest.Password + `"}`), nil
		},
	}
	r := open(t, o)
	untagged := strings.TrimSuffix(image, ":latest")
	id := func() string {
		got, err := c.ImageInspect(t.Context(), image)
		if err != nil && !errdefs.IsNotFound(err) {
			t.Fatal(err)
		}
		return got.ID
	}
	if said, err := launch(t, r, runner.Launch{Image: untagged, RegistryCredential: "x"}); err != nil || !strings.Contains(said, "Pulled image") {
		t.Fatalf("Start: %v, said %q", err, said)
	}
	first := id()
	dockertest.Make(t, c, "slipway-test/newer:1", "ENV NEWER=yes")
	dockertest.Push(t, c, "slipway-test/newer:1", image)
	if _, err := c.ImageTag(t.Context(), client.ImageTagOptions{Source: first, Target: image}); err != nil { // as if somebody else had pushed it
		t.Fatal(err)
	}
	if said, err := launch(t, r, runner.Launch{Image: untagged, RegistryCredential: "x"}); err != nil || id() == first {
		t.Errorf("what was pushed since is not pulled: %v, said %q", err, said)
	}
	newer := id()
	said, err := launch(t, r, runner.Launch{Image: image}) // without the login now
	if err != nil || !strings.Contains(said, "The image that is here is used: "+image+" could not be pulled: ") || id() != newer {
		t.Errorf("what cannot be pulled anew: %v, said %q", err, said)
	}
	dockertest.Make(t, c, "slipway-test/own", "ENV OWN=yes")
	if said, err := launch(t, r, runner.Launch{Image: "slipway-test/own"}); err != nil || said != "" {
		t.Errorf("what was made here: %v, said %q, want no word", err, said)
	}
}

func TestAPullEndsWithItsContext(t *testing.T) {
	dockertest.Engine(t)
	asked, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	r := open(t, docker.Options{Dir: t.TempDir(), Server: "unix:///nobody", Agent: runnertest.Command()})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := r.Start(ctx, runner.Launch{BuildID: "broken:" + uuid.NewString(), Token: secret.New("x"), Image: strings.TrimPrefix(server.URL, "http://") + "/x:1"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v, want its context's error", err)
	}
}
