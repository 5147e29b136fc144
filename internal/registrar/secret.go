package registrar

import (
	"crypto/rand"
	"encoding/base64"

	"slipway/internal/api"
	"slipway/internal/secret"
)

// newKey returns what stands in a payload URL: nobody can guess it.
func newKey() string { return base64.RawURLEncoding.EncodeToString(random()) }

// newSecret returns what a provider signs deliveries with. GitLab signs only
// with keys of this form; its older scheme sends them as they are.
func newSecret(server api.ServerType) secret.Text {
	switch server {
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		return secret.New("whsec_" + base64.StdEncoding.EncodeToString(random()))
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(random()))
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}
