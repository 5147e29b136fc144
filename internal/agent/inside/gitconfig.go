package inside

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// GitConfig adds to the configuration of the git of user code.
const GitConfig = "git-config"

// A GitConfigRequest says how git logs in at some hosts.
type GitConfigRequest struct {
	Helper string    `json:"helper"` // a command of the shell, to which git adds what it wants
	Hosts  []GitHost `json:"hosts"`
}

// A GitHost is where repositories are.
type GitHost struct {
	URL string `json:"url"`         // scheme://host[:port]
	CA  string `json:"ca,omitzero"` // path of a file with the certificates to trust there
}

func gitConfig(request []byte) (any, error) {
	var in GitConfigRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(home, ".gitconfig"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(in.config())
	if closed := f.Close(); err == nil {
		err = closed
	}
	return struct{}{}, err
}

// config returns lines for a git configuration. Helpers that were there before
// are not asked at these hosts: they could keep what ours says.
func (r GitConfigRequest) config() string {
	var b strings.Builder
	for _, h := range r.Hosts {
		b.WriteString("\n[credential " + gitQuote(h.URL) + "]\n\thelper =\n\thelper = " + gitQuote("!"+r.Helper) + "\n\tuseHttpPath = true\n")
		if h.CA != "" {
			b.WriteString("[http " + gitQuote(h.URL+"/") + "]\n\tsslCAInfo = " + gitQuote(h.CA) + "\n")
		}
	}
	return b.String()
}

// gitQuote quotes a value or the name of a section for git.
func gitQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "").Replace(s) + `"`
}
