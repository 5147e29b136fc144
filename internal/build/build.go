// Package build holds the rules of a build: what it is made of, which phases
// it passes and how it ends. It is pure: no clock, no storage, no process.
package build

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build/event"
)

// A Build is one build: its public record and what only the server knows.
type Build struct {
	Scope  arn.Scope
	Public api.Build // what BatchGetBuilds answers
	State  State
}

// State is the private half of a Build.
type State struct {
	Sequence      int64     `json:"sequence"`               // the store's order of acceptance
	Attempt       int       `json:"attempt,omitzero"`       // launches so far
	TokenHash     []byte    `json:"tokenHash,omitzero"`     // SHA-256 of the agent's token for this attempt
	Applied       int       `json:"applied,omitzero"`       // agent events already applied in this attempt
	Begun         bool      `json:"begun,omitzero"`         // the agent of this attempt has reported
	StopRequested bool      `json:"stopRequested,omitzero"` // StopBuild was called
	QueuedUntil   time.Time `json:"queuedUntil,omitzero"`   // when a build still queued times out
	Deadline      time.Time `json:"deadline,omitzero"`      // when a running build times out; zero until PROVISIONING
	Lease         time.Time `json:"lease,omitzero"`         // until when the agent's hold lasts without a word from it
	HasLog        bool      `json:"hasLog,omitzero"`        // the log stream exists
	SourceVersion string    `json:"sourceVersion,omitzero"` // what is asked of the source: the build's version, or the project's
	Commit        string    `json:"commit,omitzero"`        // the whole id that the primary source must have at that version; "" leaves that open
	Webhook       *Trigger  `json:"webhook,omitzero"`       // what started the build, if a webhook did

	GitHelper  bool `json:"gitHelper,omitzero"`  // the buildspec's git-credential-helper is yes
	RetryLimit *int `json:"retryLimit,omitzero"` // autoRetryLimit of the project or of StartBuild; nil if neither says it
	Retries    int  `json:"retries,omitzero"`    // the most that on-failure of phases that failed ask for

	Failed *event.Command `json:"failed,omitzero"` // the first command that failed
	Caches []event.Cache  `json:"caches,omitzero"` // what became of the cache, in order
	Local  *Local         `json:"local,omitzero"`  // set for a build without a server

	// Where the output goes, as the project or StartBuild said it. The public
	// record holds only what comes of that, too little for a retry.
	Artifacts          *api.ProjectArtifacts  `json:"artifacts,omitzero"`
	SecondaryArtifacts []api.ProjectArtifacts `json:"secondaryArtifacts,omitzero"`

	Exports []ReportExport `json:"exports,omitzero"` // of the build's reports, those whose raw files are exported
}

// Local is what only a build without a server has.
type Local struct {
	Directory string               `json:"directory"`          // of this machine, whose content is the primary source
	Exclude   []string             `json:"exclude,omitzero"`   // paths in it that are not copied
	Secondary []LocalSource        `json:"secondary,omitzero"` // further sources
	Phases    []api.BuildPhaseType `json:"phases,omitzero"`    // whose commands are run; nil means all
	Terminal  string               `json:"terminal,omitzero"`  // path of the Unix socket of the terminal where a failing command opens a shell; empty means none
}

// A LocalSource is a directory of this machine, whose content is a secondary
// source. Exclude counts for it, too.
type LocalSource struct {
	Identifier string `json:"identifier"`
	Directory  string `json:"directory"`
}

// Idempotency is the memory of a StartBuild or RetryBuild that carried a token.
// The rule is CodeBuild's: same token and same parameters within five minutes
// answer the same build, other parameters are an error.
type Idempotency struct {
	Token       string
	Fingerprint []byte // hash of the operation and its parameters without the token
	Expires     time.Time
}

// NewID returns a new id for a build of the named project: "project:uuid".
func NewID(project string) string { return project + ":" + uuid.NewString() }

// Queued reports whether the build waits for a place.
func (b Build) Queued() bool { return !b.Finished() && b.current() == queued }

// Finished reports whether the build has ended. A finished build never changes.
func (b Build) Finished() bool { return b.Public.BuildComplete != nil && *b.Public.BuildComplete }

func (b Build) current() api.BuildPhaseType {
	return api.BuildPhaseType(text(b.Public.CurrentPhase))
}

// uuid returns the part of the id that is the build's alone.
func (b Build) uuid() string {
	_, own, _ := strings.Cut(text(b.Public.ID), ":")
	return own
}

// text returns *s, or "" if s is nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
