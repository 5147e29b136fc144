package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/api/logs"
	smapi "slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/awsjson"
	"slipway/internal/checkup"
	"slipway/internal/cloudwatchlogs"
	"slipway/internal/codebuild"
	"slipway/internal/console"
	"slipway/internal/credential"
	"slipway/internal/doctor"
	"slipway/internal/extension"
	"slipway/internal/keyring"
	"slipway/internal/keyring/awssecrets"
	"slipway/internal/logcopy"
	"slipway/internal/metrics"
	"slipway/internal/outbox"
	"slipway/internal/receiver"
	"slipway/internal/recorder"
	"slipway/internal/registrar"
	"slipway/internal/runner"
	"slipway/internal/schedule"
	"slipway/internal/seal"
	"slipway/internal/secretsmanager"
	"slipway/internal/source"
	"slipway/internal/source/bitbucket"
	"slipway/internal/source/codecommit"
	"slipway/internal/source/github"
	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
	"slipway/internal/ssm"
	"slipway/internal/vault"
	"slipway/internal/vault/awsvault"
	"slipway/internal/vault/desk"
	"slipway/internal/vault/embedded"
	"slipway/internal/webhook"
)

// maxRequest bounds a request to the API, in bytes: a payload that is tried
// against filters may be as long as one that a provider delivers.
const maxRequest = 8 << 20

// wire puts the parts together.
func (s *server) wire(keys *seal.Keyset, place runner.Runner) {
	dates := &doctor.Dates{}
	s.where = s.machine(keys, dates)
	providers := providers(rest.Options{UserAgent: "slipway/" + version, Transport: dates})
	s.vault = embedded.New(s.db.Parameters(), s.db.Secrets(), s.db.Uses(), keys, s.o.log, nil)
	s.keyring = keyring.New(s.db.Credentials(), keys, s.o.log, keyring.Options{
		Endpoints: s.o.endpoints, Vault: s.vault, Secrets: awssecrets.New(nil),
		Bound: func(arn string) { s.checker.Wake(arn) }, // what could be sent nowhere before can be checked now
	})
	s.registrar = registrar.New(registrar.Parts{
		Hooks: s.db.Hooks(), Polls: s.db.Polls(), Seal: keys, Keys: s.keyring, Providers: providers, Log: s.o.log,
		Rules: registrar.Rules{
			Check: webhook.Check, Fill: webhook.Fill, Subscriptions: webhook.Subscriptions, Warnings: webhook.Warnings, Approvers: webhook.Approvers,
		},
		Deliver: func(ctx context.Context, d webhook.Delivery) error { return s.receiver.Deliver(ctx, d) },
	}, registrar.Options{
		PublicURL: s.o.publicURL, LocalURL: s.url, Poll: s.o.poll, PollEvery: s.o.pollEvery, Endpoints: s.o.endpoints,
	})
	s.recorder = recorder.New(recorder.Parts{Groups: s.db.ReportGroups(), Reports: s.db.Reports(), Log: s.o.log}, recorder.Options{})
	s.scheduler = schedule.New(schedule.Parts{
		Builds: s.db.Builds(), Outbox: s.db.Outbox(), Logs: s.logs, Runner: place, Keys: s.keyring,
		Providers: reporters(providers),
		Vault:     desk.New(s.sources()...),
		Deliverers: map[outbox.Kind]schedule.Deliverer{
			outbox.HookRemoval: s.registrar,
			outbox.AutoRetry:   codebuild.NewAutoRetries(s.db.Builds(), func() { s.scheduler.Wake() }, nil),
			outbox.LogCopy:     logcopy.New(s.db.Builds(), s.logs, s.blobs),
		},
		Log:        s.o.log,
		Objects:    s.blobs,
		CodeCommit: codecommit.New(nil, nil),
		Reports:    s.recorder,
	}, schedule.Options{MaxBuilds: s.o.maxBuilds, Endpoints: s.o.endpoints, ConsoleURL: consoleAt(s.o.publicURL), LocalURL: consoleAt(ownURL(s.clients.Addr(), s.url))})
	s.checker = checkup.New(checkup.Parts{
		Keys: s.keyring, Projects: s.db.Projects(), Health: s.db.Health(), Log: s.o.log, Providers: providers,
	}, checkup.Options{Off: s.o.checks == "off", Endpoints: s.o.endpoints})
	wire := codebuild.Options{Imported: s.checker.Wake, Located: s.checker.Located, ForgetCaches: s.blobs.ForgetCaches}
	if s.o.checks == "strict" {
		wire.CheckBefore = s.checker.CheckBefore
	}
	service := codebuild.New(codebuild.Parts{
		Credentials: s.db.Credentials(), Projects: s.db.Projects(), Builds: s.db.Builds(), ReportGroups: s.db.ReportGroups(), Reports: s.db.Reports(),
		Seal: keys, Control: s.scheduler, Webhooks: s.registrar,
	}, wire)
	s.receiver = receiver.New(receiver.Parts{
		Hooks: s.db.Hooks(), Deliveries: s.db.Deliveries(), Refs: s.db.Polls(), Projects: s.db.Projects(), Opener: keys, Keys: s.keyring,
		Builds: service, Statuses: s.scheduler, Providers: providers, Log: s.o.log,
	}, receiver.Options{Keep: s.o.keep})
	s.handler = s.routes(s.api(keys, service))
	s.agentAPI = agentapi.NewHandler(s.scheduler, s.o.log)
}

// sources are the places of parameters and secrets, in the order in which builds
// ask them.
func (s *server) sources() []vault.Source {
	var all []vault.Source
	for _, place := range s.o.secrets {
		if place == "aws" {
			all = append(all, awsvault.New(nil))
		} else {
			all = append(all, s.vault)
		}
	}
	return all
}

// api is everything that speaks AWS's protocols.
func (s *server) api(keys *seal.Keyset, service *codebuild.Service) http.Handler {
	look := accesskey.NewCache(func(ctx context.Context, id string) (accesskey.Key, error) {
		get := s.db.AccessKeys().Get
		if accesskey.IsTemporary(id) {
			get = s.db.Sessions().Key
		}
		sealed, err := get(ctx, id)
		if err != nil {
			return accesskey.Key{}, err
		}
		return sealed.Open(keys)
	}, nil)
	s.sessions = extension.NewSessions(s.db.Sessions(), keys, look, extension.SessionOptions{BaseURL: s.base(), Log: s.o.log})
	deliveries := extension.NewDeliveries(s.db.Deliveries(), s.db.Projects(), s.db.Builds(), s.receiver)
	credentials := extension.NewCredentials(s.keyring, s.checker, credential.NewNamed, extension.CredentialOptions{Strict: s.o.checks == "strict"})
	builds := extension.NewBuilds(s.db.Builds(), s.logs, nil)
	own := extension.New(s.db.Builds(), s.db.Outbox(), s.registrar, deliveries)
	doctor := extension.NewDoctor(s, credentials, own, nil)
	about := extension.NewServer(extension.ServerOptions{
		Version: version, Region: s.o.region, PublicURL: s.o.publicURL, Polling: s.o.poll, Runners: s.runners, MaxBuilds: s.o.width(),
	})
	return awsjson.NewServer(awsjson.Options{
		Keys: look, Log: s.o.log, AcceptAny: s.o.acceptAny, MaxBody: maxRequest, PublicURL: s.o.publicURL,
		Default: accesskey.Caller{Scope: arn.Scope{Account: s.o.account, Region: s.o.region}, User: benchUser},
	},
		awsjson.Service{Definition: api.CodeBuild, Implementation: service},
		awsjson.Service{Definition: logs.Definition, Implementation: cloudwatchlogs.New(s.logs)},
		awsjson.Service{Definition: ssmapi.Definition, Implementation: ssm.New(s.db.Parameters(), s.db.Uses(), keys, nil)},
		awsjson.Service{Definition: smapi.Definition, Implementation: secretsmanager.New(s.db.Secrets(), s.db.Uses(), keys, nil)},
		awsjson.Service{Definition: slipway.Definition, Implementation: struct { // one service on the wire, a type per noun
			*extension.Service
			*extension.Builds
			*extension.Credentials
			*extension.Deliveries
			*extension.Doctor
			*extension.Drafts
			*extension.Sessions
			*extension.Server
			*extension.Sources
			*extension.Secrets
			*extension.Artifacts
		}{own, builds, credentials, deliveries, doctor, extension.NewDrafts(service), s.sessions, about, extension.NewSources(s.checker), extension.NewSecrets(s.db.Parameters(), s.db.Secrets(), s.db.Uses(), s.keyring, nil), extension.NewArtifacts(builds, s.blobs)}},
	)
}

// consoleAt returns where the console is, on a server at a URL that may be empty.
func consoleAt(at string) string {
	if at == "" {
		return ""
	}
	return at + "/console"
}

// ownURL returns the server's own URL as links use it: empty if it listens on
// every address, since that is no address to go to.
func ownURL(addr net.Addr, at string) string {
	if tcp, ok := addr.(*net.TCPAddr); !ok || tcp.IP.IsUnspecified() {
		return ""
	}
	return at
}

// routes is the one listener's.
func (s *server) routes(aws http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", aws)
	mux.Handle("POST /webhooks", s.receiver)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /metrics", metrics.New(s.db.Health(), version, s.o.log))
	mux.Handle("/console", console.Handler())
	mux.Handle("/console/", console.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Location", "console/") // relative: a proxy may have taken a prefix off
			w.WriteHeader(http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "This is Slipway: AWS CodeBuild on your own machines.\nPoint AWS clients here with: eval \"$(slipway env)\"\n")
	})
	return below(s.o.publicURL, mux)
}

// below serves the paths of mux also below the path of the public URL: some
// proxies take it away and some keep it. Only the URL is cut: the signature is
// for the path that was sent.
func below(publicURL string, mux *http.ServeMux) http.Handler {
	u, err := url.Parse(publicURL)
	if err != nil || u.Path == "" {
		return mux
	}
	serve := func(w http.ResponseWriter, r *http.Request, path, raw string) {
		cut, at := *r, *r.URL
		at.Path, at.RawPath = path, raw
		cut.URL = &at
		mux.ServeHTTP(w, &cut)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutPrefix(r.URL.Path, u.Path+"/"); ok {
			raw, _ := strings.CutPrefix(r.URL.RawPath, u.EscapedPath()) // if it was escaped otherwise, path is what counts
			serve(w, r, "/"+path, raw)
			return
		}
		if r.URL.Path != u.Path {
			mux.ServeHTTP(w, r)
			return
		}
		switch _, known := mux.Handler(r); {
		case known != "": // such as /webhooks, when the URL ends so
			mux.ServeHTTP(w, r)
		case r.Method == http.MethodGet:
			http.Redirect(w, r, u.EscapedPath()+"/", http.StatusFound) // where the links of a page lead right
		default: // AWS's clients leave the last slash out
			serve(w, r, "/", "")
		}
	})
}

// providers are the source providers by the server types that they serve.
func providers(o rest.Options) map[api.ServerType]source.Provider {
	gh, gl := github.New(o), gitlab.New(o)
	return map[api.ServerType]source.Provider{
		api.ServerTypeGithub: gh, api.ServerTypeGithubEnterprise: gh,
		api.ServerTypeBitbucket: bitbucket.New(o),
		api.ServerTypeGitlab:    gl, api.ServerTypeGitlabSelfManaged: gl,
	}
}

// reporters are providers as the scheduler knows them.
func reporters(all map[api.ServerType]source.Provider) map[api.ServerType]schedule.Reporter {
	out := make(map[api.ServerType]schedule.Reporter, len(all))
	for server, p := range all {
		out[server] = p
	}
	return out
}
