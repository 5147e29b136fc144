// Package agentapi is what agent and server say to each other about one build:
// both sides, and the messages between them.
//
// It is HTTP with JSON over a Unix socket or TCP. Every request carries a token
// that is good for one attempt of one build:
//
//	POST /agent/v1/builds/{id}/begin        → Work
//	POST /agent/v1/builds/{id}/credential   CredentialRequest → Credential
//	POST /agent/v1/builds/{id}/report       Report → Answer
//	POST /agent/v1/builds/{id}/log?seq=N    one log frame (package frame)
//	POST /agent/v1/builds/{id}/secrets      SecretsRequest → Secrets
//	POST /agent/v1/builds/{id}/reports      ReportUpload → ReportStored
//	POST /agent/v1/builds/{id}/object/get   Object → its bytes, ObjectInfo in a header
//	POST /agent/v1/builds/{id}/object/list  Object → paths
//	PUT  /agent/v1/builds/{id}/object       bytes, Object in a header → ObjectInfo
//
// 401 means a bad token, 410 that this attempt no longer holds the build: the
// agent then ends everything at once and exits. 400 and 413 refuse a request
// for what it says, 404 means that there is no such object, anything else is
// worth trying again. Repeating any request is safe.
package agentapi

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/build/event"
)

// A Launch is all an agent is told when it starts, as JSON on standard input.
// It holds the build's token, so it never travels by argument or environment.
type Launch struct {
	Server  string  `json:"server"`  // unix:///path/to/socket or http(s)://host:port
	BuildID string  `json:"buildId"` // project:uuid
	Token   Bearer  `json:"token"`
	Dir     string  `json:"dir"`     // an empty directory of this build's own, on the agent's machine
	Sandbox Sandbox `json:"sandbox"` // how to shut user code in
	Mirrors Mirrors `json:"mirrors,omitzero"`
	Fetches bool    `json:"fetches,omitzero"` // the build has sources that are fetched, so that the agent can get ready for it at once

	Notes []string `json:"notes,omitzero"` // lines of the service's that the log begins with
}

// Mirrors is where this machine keeps what builds fetched of git repositories,
// for later ones. The zero Mirrors means nowhere. No user code may reach it: who
// writes there decides what later builds get.
type Mirrors struct {
	Dir   string `json:"dir"`   // absolute
	Limit int64  `json:"limit"` // bytes that it may hold
}

// A Sandbox says how user code is shut in on this machine. Without Bubblewrap
// and Container it is not.
type Sandbox struct {
	Bubblewrap string   `json:"bubblewrap,omitzero"` // path of bwrap
	Container  int      `json:"container,omitzero"`  // number of the agent's open file that is a connection to a container (package relay)
	Hide       []string `json:"hide,omitzero"`       // directories and files user code must not see, such as the server's data folder
	ReadOnly   []string `json:"readOnly,omitzero"`   // further host paths user code may read, such as /root/.pyenv
}

// Work is everything about a build that its agent needs. It holds no source
// token: the fetch stage asks for that when it needs it.
type Work struct {
	BuildID            string               `json:"buildId"`
	BuildARN           string               `json:"buildArn"`
	ProjectName        string               `json:"projectName"`
	Region             string               `json:"region"`
	Source             Source               `json:"source"`
	SecondarySources   []Source             `json:"secondarySources,omitzero"`
	Certificate        string               `json:"certificate,omitzero"` // what the project says of where in S3 the CertificateObject is; empty if it has none
	Buildspec          string               `json:"buildspec,omitzero"`   // inline text or a path; empty means buildspec.yml
	Service            []Variable           `json:"service,omitzero"`     // CODEBUILD_* and AWS_*REGION, without those only the agent can know
	Variables          []Variable           `json:"variables,omitzero"`   // the project's, with the build's overrides merged in: they beat the buildspec's
	Artifacts          Artifact             `json:"artifacts"`
	SecondaryArtifacts []Artifact           `json:"secondaryArtifacts,omitzero"`
	CacheType          api.CacheType        `json:"cacheType,omitzero"`
	CacheModes         []api.CacheMode      `json:"cacheModes,omitzero"` // of a cache of type LOCAL
	Deadline           time.Time            `json:"deadline"`            // when the build times out
	Phases             []api.BuildPhaseType `json:"phases,omitzero"`     // whose commands are run; nil means all
	Terminal           string               `json:"terminal,omitzero"`   // path of the Unix socket of a person's terminal: the first command that fails opens a shell there
	Mask               []Bearer             `json:"mask,omitzero"`       // values that must not reach the log in any form
	Frames             uint64               `json:"frames,omitzero"`     // log frames that are there already: the agent's first has this number
}

// A Source is one source to fetch.
type Source struct {
	Type       api.SourceType `json:"type"`
	Identifier string         `json:"identifier,omitzero"` // empty for the primary source
	URL        string         `json:"url,omitzero"`        // what git clones: --source-endpoint applied, never a credential in it
	Location   string         `json:"location,omitzero"`   // what the project says; shown to users
	Version    string         `json:"version,omitzero"`
	Depth      int            `json:"depth,omitzero"` // 0 means full history
	Submodules bool           `json:"submodules,omitzero"`
	Insecure   bool           `json:"insecure,omitzero"`  // TLS certificates are not checked
	Directory  string         `json:"directory,omitzero"` // of the agent's machine: it is copied, and Type is not looked at
	Exclude    []string       `json:"exclude,omitzero"`   // absolute paths in Directory that are not copied
}

// An Artifact is what an agent has to know of one artifact's settings.
type Artifact struct {
	Type       api.ArtifactsType `json:"type"`
	Identifier string            `json:"identifier,omitzero"` // empty for the primary artifact
	Zip        bool              `json:"zip,omitzero"`        // one object, else one for each file
}

// A Variable is one environment variable.
type Variable struct {
	Name  string                      `json:"name"`
	Value string                      `json:"value"`
	Type  api.EnvironmentVariableType `json:"type,omitzero"` // empty means PLAINTEXT
}

// MaxURL is how long the URL in a CredentialRequest may be, in bytes.
const MaxURL = 2048

// A CredentialRequest asks for the login to one of the build's sources, or to a
// submodule of it. It is answered only until DOWNLOAD_SOURCE has ended, unless
// Helper is set.
type CredentialRequest struct {
	Identifier string `json:"identifier"`   // of the source; empty for the primary
	URL        string `json:"url,omitzero"` // what git clones for a submodule, http or https without a login in it; empty for the source itself

	// Helper asks for git-credential-helper. Without URL it says, until
	// DOWNLOAD_SOURCE has ended, that the buildspec wants it, and gets an empty
	// Credential. After that, and with URL, it asks for the login to a repository
	// at the host of one of the build's sources, as long as the build lives.
	Helper bool `json:"helper,omitzero"`
}

// A Credential is the login to one source or submodule. All members are empty
// when no credential serves it: the fetch is then anonymous.
type Credential struct {
	Username string `json:"username,omitzero"`
	Password Bearer `json:"password,omitzero"`
	Host     string `json:"host,omitzero"` // host[:port] this login may be sent to, and no other; the scheme is that of the URL it was asked for
	ARN      string `json:"arn,omitzero"`  // of the source credential, for messages
	CA       string `json:"ca,omitzero"`   // PEM of the certificates to trust at Host beside the system's
}

// A Report carries events in order. First is the number, from 0, of Events[0]
// in this attempt, so that a repeated report is recognised. A Report without
// events is a sign of life; one is due at least every HeartbeatEvery.
type Report struct {
	First  int           `json:"first"`
	Events []event.Event `json:"events,omitzero"`
}

// MaxFrame is how many bytes a log frame has at most.
const MaxFrame = 5 << 20

// HeartbeatEvery is how often an agent reports at least.
const HeartbeatEvery = 5 * time.Second

// An Answer to a Report.
type Answer struct {
	// End, when set, tells the agent to end the build now with this status:
	// STOPPED after StopBuild, TIMED_OUT past the deadline.
	End api.StatusType `json:"end,omitzero"`
}
