package buildspec

import "go.yaml.in/yaml/v3"

// A Proxy says which of the agent's own transfers use the proxy of the
// project's environment.
type Proxy struct{ UploadArtifacts, Logs bool }

func (r *reader) proxy(n *yaml.Node) (Proxy, error) {
	var p Proxy
	k, err := r.mapping(n)
	if err != nil {
		return p, err
	}
	r.lint.block(k, "proxy", "upload-artifacts", "logs")
	if p.UploadArtifacts, err = r.boolean(k.get("upload-artifacts")); err != nil {
		return p, err
	}
	p.Logs, err = r.boolean(k.get("logs"))
	return p, err
}
