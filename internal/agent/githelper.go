package agent

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"slipway/internal/agent/door"
	"slipway/internal/agent/fetch"
	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
	"slipway/internal/fault"
)

// caFile holds certificates for the git of user code, and a number.
const caFile = "readonly/git-ca-"

// gitHelper lets the git of user code log in where the build's sources are, if
// the buildspec's git-credential-helper says so and the server agrees. The login
// itself is in no file and no variable: git asks for it each time.
func (e *engine) gitHelper(ctx context.Context) outcome {
	if !e.spec.GitHelper {
		return succeeded
	}
	var hosts []inside.GitHost
	var urls []string // of one source at each host
	for _, s := range append([]agentapi.Source{e.work.Source}, e.work.SecondarySources...) {
		at, err := url.Parse(s.URL)
		if err != nil || at.Host == "" || s.Directory != "" {
			continue
		}
		root := hostOf(at)
		known := false
		for _, h := range hosts {
			known = known || h.URL == root
		}
		if !known {
			hosts, urls = append(hosts, inside.GitHost{URL: root}), append(urls, s.URL)
		}
	}
	if len(hosts) == 0 {
		e.log.Service("git-credential-helper has no effect: none of the build's sources is at a source provider")
		return succeeded
	}
	if _, err := e.credential(ctx, ""); err != nil {
		if fault.KindOf(err) == fault.Invalid {
			e.log.Service("%s", fault.Message(err))
			return succeeded
		}
		return faulty("git-credential-helper could not be set up: %v", err)
	}
	for i, address := range urls {
		// Before user code can have it, the log knows what to mask; and git may
		// have to trust what the fetch did.
		c, err := e.credential(ctx, address)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			return faulty("git-credential-helper could not be set up: %v", err)
		}
		if err == nil && c.CA != "" {
			name := caFile + strconv.Itoa(i) + ".pem"
			if err := e.w.write(name, string(fetch.Bundle(c.CA))); err != nil {
				return faulty("git-credential-helper could not be set up: %v", err)
			}
			hosts[i].CA = e.w.place(name)
		}
	}
	var helper strings.Builder
	for _, word := range append(e.w.program(e.self), "login", e.w.place(doorFile)) {
		helper.WriteString(quote(word) + " ")
	}
	var done struct{}
	err := e.inside(inside.GitConfig, inside.GitConfigRequest{Helper: strings.TrimSpace(helper.String()), Hosts: hosts}, &done)
	if problem, ok := errors.AsType[*problem](err); ok {
		return failed(clientError, "git-credential-helper could not be set up: %s", problem.message)
	}
	if err != nil {
		return e.foundDead()
	}
	e.helps.Store(true)
	return succeeded
}

// credential asks the server for what git-credential-helper gives, and has it
// masked.
func (e *engine) credential(ctx context.Context, address string) (*agentapi.Credential, error) {
	var c *agentapi.Credential
	err := insist(ctx, func(ctx context.Context) (err error) {
		c, err = e.client.Credential(ctx, agentapi.CredentialRequest{Helper: true, URL: address})
		return err
	})
	if err != nil {
		return nil, err
	}
	e.log.Hide(c.Password.Reveal())
	return c, nil
}

// login answers git.
func (e *engine) login(ctx context.Context, asked door.Login) door.Answer {
	if !e.helps.Load() {
		return door.Answer{Problem: "the buildspec does not say git-credential-helper: yes, or the build may not have it"}
	}
	at := &url.URL{Scheme: asked.Protocol, Host: asked.Host, Path: "/" + strings.TrimPrefix(asked.Path, "/")}
	c, err := e.credential(ctx, at.String())
	switch {
	case fault.KindOf(err) == fault.Invalid:
		return door.Answer{Problem: fault.Message(err)}
	case err != nil:
		return door.Answer{Problem: "the server does not answer"}
	case c.Password.IsZero():
		return door.Answer{}
	case hostOf(&url.URL{Scheme: at.Scheme, Host: c.Host}) != hostOf(at):
		return door.Answer{Problem: "the login is for another host"}
	}
	return door.Answer{Username: cmp.Or(c.Username, "x-access-token"), Password: c.Password.Reveal()}
}

// hostOf returns scheme://host[:port], so that equal ones are equal strings.
func hostOf(at *url.URL) string {
	scheme, host := strings.ToLower(at.Scheme), strings.ToLower(at.Host)
	return scheme + "://" + strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}
