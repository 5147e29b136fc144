package dockertest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/moby/moby/api/pkg/authconfig"
	apiregistry "github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// The login that the tests' registry takes.
const (
	Username = "ada"
	Password = "not-to-be-seen-9f2c"
)

// Registry starts a registry that wants that login, and returns the name of
// an image in it, which the engine does not have.
func Registry(t testing.TB, c *client.Client, tag string) (image string) {
	t.Helper()
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, pass, ok := r.BasicAuth(); !ok || name != Username || pass != Password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	image = host + "/team/tool:" + tag
	Push(t, c, Image, image)
	Remove(t, c, image)
	t.Cleanup(func() { Remove(t, c, image) })
	return image
}

// Push pushes an image of the engine under another name.
func Push(t testing.TB, c *client.Client, from, to string) {
	t.Helper()
	if _, err := c.ImageTag(t.Context(), client.ImageTagOptions{Source: from, Target: to}); err != nil {
		t.Fatal(err)
	}
	auth, err := authconfig.Encode(apiregistry.AuthConfig{Username: Username, Password: Password})
	if err != nil {
		t.Fatal(err)
	}
	pushing, err := c.ImagePush(t.Context(), to, client.ImagePushOptions{RegistryAuth: auth})
	if err == nil {
		err = pushing.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}
