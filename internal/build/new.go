package build

import (
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// Bounds and defaults of the two timeouts, in minutes.
const (
	minTimeout, maxTimeout, defaultTimeout                = 5, 2160, 60
	minQueueTimeout, maxQueueTimeout, defaultQueueTimeout = 5, 480, 480
)

// New returns the queued build with the given id that in asks of p: the
// project's settings with in's overrides, which must make a valid project
// together. The project name in in is not looked at. What is wrong is Invalid.
// Neither p nor in is changed.
func New(p project.Project, in *api.StartBuildInput, caller accesskey.Caller, id string, now time.Time) (Build, error) {
	want := &p.Public // a copy: the project as this build wants it
	want.Badge = nil  // whose rules a build is not held to
	if err := override(want, in); err != nil {
		return Build{}, err
	}
	want.EncryptionKey = either(want.EncryptionKey, new(p.Scope.Of("kms", "alias/aws/s3")))
	if err := p.Check(); err != nil {
		return Build{}, err
	}
	version := given(in.SourceVersion, want.SourceVersion)
	if err := checkVersions(want, text(version)); err != nil {
		return Build{}, err
	}
	b := Build{
		Scope: p.Scope,
		Public: api.Build{
			Cache:                   either(want.Cache, &api.ProjectCache{Type: api.CacheTypeNoCache}),
			EncryptionKey:           want.EncryptionKey,
			Environment:             want.Environment,
			FileSystemLocations:     want.FileSystemLocations,
			Logs:                    logsAsked(want.LogsConfig),
			ProjectName:             want.Name,
			QueuedTimeoutInMinutes:  either(want.QueuedTimeoutInMinutes, new(defaultQueueTimeout)),
			SecondarySourceVersions: append([]api.ProjectSourceVersion{}, want.SecondarySourceVersions...),
			SecondarySources:        append([]api.ProjectSource{}, want.SecondarySources...),
			ServiceRole:             want.ServiceRole,
			Source:                  want.Source,
			SourceVersion:           version,
			TimeoutInMinutes:        either(want.TimeoutInMinutes, new(defaultTimeout)),
			VPCConfig:               want.VPCConfig,
		},
		State: State{
			SourceVersion:      text(version),
			Artifacts:          want.Artifacts,
			SecondaryArtifacts: want.SecondaryArtifacts,
		},
	}
	if want.AutoRetryLimit != nil {
		b.State.RetryLimit = want.AutoRetryLimit
		b.Public.AutoRetryConfig = &api.AutoRetryConfig{AutoRetryLimit: want.AutoRetryLimit, AutoRetryNumber: new(0)}
	}
	if in.DebugSessionEnabled != nil {
		b.Public.DebugSession = &api.DebugSession{SessionEnabled: in.DebugSessionEnabled}
	}
	b.accept(caller, id, now)
	return b, nil
}

// logsAsked is what a build echoes of the log settings, both halves filled in.
func logsAsked(c *api.LogsConfig) *api.LogsLocation {
	l := &api.LogsLocation{
		CloudWatchLogs: &api.CloudWatchLogsConfig{Status: api.LogsConfigStatusTypeEnabled},
		S3Logs:         &api.S3LogsConfig{Status: api.LogsConfigStatusTypeDisabled, EncryptionDisabled: new(false)},
	}
	if c != nil {
		l.CloudWatchLogs = either(c.CloudWatchLogs, l.CloudWatchLogs)
		l.S3Logs = either(c.S3Logs, l.S3Logs)
	}
	return l
}

// checkVersions refuses the version of a folder in S3, which has none.
func checkVersions(of *api.Project, primary string) error {
	folder := func(s *api.ProjectSource) bool {
		return s.Type == api.SourceTypeS3 && strings.HasSuffix(text(s.Location), "/")
	}
	wrong := primary != "" && folder(of.Source)
	for i := range of.SecondarySources {
		s := &of.SecondarySources[i]
		for _, v := range of.SecondarySourceVersions {
			wrong = wrong || (v.SourceVersion != "" && v.SourceIdentifier == text(s.SourceIdentifier) && folder(s))
		}
	}
	if wrong {
		return fault.New(fault.Invalid, "Source version should be empty for S3 folder source location")
	}
	return nil
}

// either returns the first of two optional values that is there.
func either[T any](first, second *T) *T {
	if first != nil {
		return first
	}
	return second
}

// given returns the first of the texts that says something, or nil.
func given(texts ...*string) *string {
	for _, t := range texts {
		if text(t) != "" {
			return t
		}
	}
	return nil
}
