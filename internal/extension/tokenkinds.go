package extension

import (
	"context"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/credential/token"
	"slipway/internal/fault"
)

// ListTokenKinds answers which kinds of token can be imported for a server type,
// best first: what each needs to be allowed and why, how it is imported, and
// the provider's page on which it is made, filled in where the provider allows.
// host says where a self-hosted server is; without it there are no links to it.
func (s *Sources) ListTokenKinds(_ context.Context, in *slipway.ListTokenKindsInput) (*slipway.ListTokenKindsOutput, error) {
	server := api.ServerType(in.ServerType)
	web, err := webOf(server, in.Host)
	if err != nil {
		return nil, err
	}
	kinds := token.Guides(server, web)
	if kinds == nil {
		return nil, fault.New(fault.Invalid, "Invalid ServerType provided")
	}
	return &slipway.ListTokenKindsOutput{Kinds: kinds}, nil
}

// homes are where the providers are that have one place for all.
var homes = map[api.ServerType]string{api.ServerTypeGithub: "github.com", api.ServerTypeBitbucket: "bitbucket.org", api.ServerTypeGitlab: "gitlab.com"}

// webOf returns the web address of a server; "" of a self-hosted one whose host
// is not given.
func webOf(server api.ServerType, host string) (string, error) {
	home := homes[server]
	if host == "" && home != "" {
		return "https://" + home, nil
	}
	if host == "" {
		return "", nil
	}
	host, ok := credential.ParseHost(host)
	switch {
	case !ok:
		return "", fault.New(fault.Invalid, "Host must be the host of your server, perhaps with a port or path, such as git.example.com or git.example.com:8443/gitlab")
	case home != "" && host != home:
		return "", fault.New(fault.Invalid, "Servers of type %s are at %s: leave the host out, or give the type GITHUB_ENTERPRISE or GITLAB_SELF_MANAGED for a server of your own.", server, home)
	}
	if at, _, _ := strings.Cut(host, "/"); strings.HasSuffix(at, ":80") {
		return "http://" + host, nil
	}
	return "https://" + host, nil
}
