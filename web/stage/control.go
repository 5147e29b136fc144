package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

// A command moves something on the stage. It is the JSON body of a POST to the
// control address, whose path is what to do:
//
//	/push      commit files to a branch of a repository of a forge, and tell of it
//	/commit    the same without telling
//	/open      open a pull request of a branch and tell of it
//	/token     make a token valid: token, scopes, login, expiresInDays
//	/revoke    make a token invalid
//	/statuses  the commit statuses at the forge
//	/link      a new one-time link into the console
//	/call      an operation as the owner: operation, input, slipway for one of our own
//
// Empty members mean the repository octo/recipes, the branch main and its owner.
type command struct {
	Forge         api.ServerType    `json:"forge"`
	Repository    string            `json:"repository"`
	Branch        string            `json:"branch"`
	Files         map[string]string `json:"files"`
	Message       string            `json:"message"`
	Login         string            `json:"login"`
	Token         string            `json:"token"`
	Scopes        []string          `json:"scopes"`
	ExpiresInDays int               `json:"expiresInDays"`
	Commit        string            `json:"commit"`
	Operation     string            `json:"operation"`
	Slipway       bool              `json:"slipway"`
	Input         json.RawMessage   `json:"input"`
}

// control serves the door and returns its address.
func (s *stage) control(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c command
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := s.do(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), c)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // who left needs no answer
	})}
	go func() {
		<-ctx.Done()
		_ = server.Close() // the program is about to end
	}()
	go func() { _ = server.Serve(l) }() // it ends with the program
	return "http://" + l.Addr().String(), nil
}

// do carries out one command.
func (s *stage) do(ctx context.Context, what string, c command) (any, error) {
	switch what {
	case "link":
		url, err := s.link(ctx)
		return map[string]string{"url": url}, err
	case "call":
		service := api.CodeBuild
		if c.Slipway {
			service = slipway.Definition
		}
		var out json.RawMessage
		err := s.client.Call(ctx, service, c.Operation, c.Input, &out)
		return out, err
	}
	f, ok := s.forges[string(c.Forge)]
	if !ok {
		return nil, fmt.Errorf("forge %q: there is none", c.Forge)
	}
	for into, value := range map[*string]string{&c.Repository: repository, &c.Branch: "main", &c.Login: login, &c.Message: "Change the recipe"} {
		if *into == "" {
			*into = value
		}
	}
	switch what {
	case "push":
		sha, err := f.at.Push(f.Owner, c.Repository, c.Branch, c.files(), c.Message, c.Login)
		return map[string]string{"commit": sha}, err
	case "commit":
		sha, err := f.at.Commit(f.Owner, c.Repository, c.Branch, c.files(), c.Message)
		return map[string]string{"commit": sha}, err
	case "open":
		n, err := f.at.OpenPullRequest(f.Owner, c.Repository, sourcetest.PullRequest{Title: c.Message, Author: c.Login, HeadBranch: c.Branch, BaseBranch: "main"})
		if err == nil {
			err = f.at.DeliverPullRequest(f.Owner, c.Repository, n, "opened", c.Login)
		}
		return map[string]int{"number": n}, err
	case "token":
		t := sourcetest.Token{Value: c.Token, Login: c.Login, Scopes: c.Scopes}
		if c.ExpiresInDays != 0 {
			t.Expires = time.Now().AddDate(0, 0, c.ExpiresInDays)
		}
		f.at.AddToken(t)
		return struct{}{}, nil
	case "revoke":
		f.at.RevokeToken(c.Token)
		return struct{}{}, nil
	case "statuses":
		return f.at.Statuses(f.Owner, c.Repository, c.Commit), nil
	}
	return nil, fmt.Errorf("%s: there is no such command", what)
}

// files are those to commit; a push without any changes the recipe.
func (c command) files() map[string]string {
	if len(c.Files) > 0 {
		return c.Files
	}
	return map[string]string{"recipe.txt": c.Message + " " + time.Now().Format(time.RFC3339Nano) + "\n"}
}
