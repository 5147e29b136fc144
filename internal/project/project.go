// Package project holds the rules of build projects: which settings are valid,
// what is filled in, what an update changes.
package project

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// A Project is a build project and where it lives.
type Project struct {
	Scope  arn.Scope
	Public api.Project // exactly what BatchGetProjects answers
}

// What CodeBuild fills in, in minutes.
const (
	defaultTimeout       = 60
	defaultQueuedTimeout = 480
)

// New returns the project that in asks for, with CodeBuild's defaults filled in
// and everything else exactly as it was sent. Settings are checked in the order
// of Faults; the first that is wrong is answered as Invalid, beside the project
// as it would be. in is not changed.
func New(scope arn.Scope, in *api.CreateProjectInput, now time.Time) (Project, error) {
	p := Project{Scope: scope, Public: api.Project{
		ARN:                     new(scope.Project(in.Name)),
		Name:                    new(in.Name),
		Created:                 api.At(now),
		LastModified:            api.At(now),
		Artifacts:               in.Artifacts,
		AutoRetryLimit:          in.AutoRetryLimit,
		Badge:                   badge(in.BadgeEnabled),
		BuildBatchConfig:        in.BuildBatchConfig,
		Cache:                   in.Cache,
		ConcurrentBuildLimit:    in.ConcurrentBuildLimit,
		Description:             in.Description,
		EncryptionKey:           in.EncryptionKey,
		Environment:             in.Environment,
		FileSystemLocations:     in.FileSystemLocations,
		LogsConfig:              in.LogsConfig,
		QueuedTimeoutInMinutes:  in.QueuedTimeoutInMinutes,
		SecondaryArtifacts:      in.SecondaryArtifacts,
		SecondarySourceVersions: in.SecondarySourceVersions,
		SecondarySources:        in.SecondarySources,
		ServiceRole:             new(in.ServiceRole),
		Source:                  in.Source,
		SourceVersion:           in.SourceVersion,
		Tags:                    in.Tags,
		TimeoutInMinutes:        in.TimeoutInMinutes,
		VPCConfig:               in.VPCConfig,
	}}
	p.fill()
	return p, p.Check()
}

// Update returns p with what in gives: members that are absent stay, lists and
// structures are replaced whole, the name and the time of creation never
// change. An empty vpcConfig or buildBatchConfig and a concurrentBuildLimit of
// -1 remove the setting. The outcome is checked like a new project, and returned
// beside the fault. Neither p nor in is changed.
func Update(p Project, in *api.UpdateProjectInput, now time.Time) (Project, error) {
	to := &p.Public
	to.LastModified = api.At(now)
	to.Artifacts = either(in.Artifacts, to.Artifacts)
	to.AutoRetryLimit = either(in.AutoRetryLimit, to.AutoRetryLimit)
	to.BuildBatchConfig = either(in.BuildBatchConfig, to.BuildBatchConfig)
	to.Cache = either(in.Cache, to.Cache)
	to.ConcurrentBuildLimit = either(in.ConcurrentBuildLimit, to.ConcurrentBuildLimit)
	to.Description = either(in.Description, to.Description)
	to.EncryptionKey = either(in.EncryptionKey, to.EncryptionKey)
	to.Environment = either(in.Environment, to.Environment)
	to.FileSystemLocations = given(in.FileSystemLocations, to.FileSystemLocations)
	to.LogsConfig = either(in.LogsConfig, to.LogsConfig)
	to.QueuedTimeoutInMinutes = either(in.QueuedTimeoutInMinutes, to.QueuedTimeoutInMinutes)
	to.SecondaryArtifacts = given(in.SecondaryArtifacts, to.SecondaryArtifacts)
	to.SecondarySourceVersions = given(in.SecondarySourceVersions, to.SecondarySourceVersions)
	to.SecondarySources = given(in.SecondarySources, to.SecondarySources)
	to.ServiceRole = either(in.ServiceRole, to.ServiceRole)
	to.Source = either(in.Source, to.Source)
	to.SourceVersion = either(in.SourceVersion, to.SourceVersion)
	to.Tags = given(in.Tags, to.Tags)
	to.TimeoutInMinutes = either(in.TimeoutInMinutes, to.TimeoutInMinutes)
	to.VPCConfig = either(in.VPCConfig, to.VPCConfig)
	if in.BadgeEnabled != nil {
		to.Badge = badge(in.BadgeEnabled)
	}
	if n := in.ConcurrentBuildLimit; n != nil && *n == -1 {
		to.ConcurrentBuildLimit = nil
	}
	p.fill()
	return p, p.Check()
}

// Check holds a whole project against CodeBuild's rules and answers the first
// that is broken, as Invalid: see Faults.
func (p Project) Check() error { return p.faults().first() }

// Faults holds a whole project against CodeBuild's rules and answers all that
// are broken, at most a hundred, in this order: the name, the description, the
// sources, the artifacts, both together, the cache, the environment, the service
// role, the encryption key, tags, VPC, badge, logs, file systems, batch settings
// and limits. What the model's own constraints cover (enumerations, the ranges
// of timeouts) is checked before an operation is called, and not again here.
func (p Project) Faults() []Fault { return p.faults().all }

func (p Project) faults() *faults {
	of, f := &p.Public, new(faults)
	f.name(text(of.Name))
	f.description(of.Description)
	f.source("source", of.Source, true)
	f.secondarySources(of.SecondarySources)
	f.primaryIdentifier(of.Source, of.SecondarySources)
	f.secondarySourceVersions(of.SecondarySourceVersions, of.SecondarySources)
	f.artifacts("artifacts", of.Artifacts, true)
	f.secondaryArtifacts(of.SecondaryArtifacts)
	f.pipeline(of.Source, of.Artifacts)
	f.cache(of.Cache)
	f.environment(of.Environment)
	f.cacheFits(of.Cache, of.Source, of.Environment)
	f.serviceRole("serviceRole", p.Scope, text(of.ServiceRole))
	f.encryptionKey(p.Scope, text(of.EncryptionKey))
	f.tags(of.Tags)
	f.vpc(of.VPCConfig)
	f.badge(of.Badge, of.Source)
	f.logs(of.LogsConfig)
	f.fileSystems(of.FileSystemLocations, of.Environment)
	f.batch(p.Scope, of.BuildBatchConfig)
	f.limits(of.ConcurrentBuildLimit, of.AutoRetryLimit)
	return f
}

// fill sets what CodeBuild answers though nobody sent it, and drops what means
// "none". Structures that it completes are copied first, since they may belong
// to an input.
func (p *Project) fill() {
	to := &p.Public
	to.Source = filledSource(to.Source)
	to.Artifacts = filledArtifacts(to.Artifacts, to.Name)
	to.Environment = filledEnvironment(to.Environment)
	to.SecondaryArtifacts = filledSecondaryArtifacts(to.SecondaryArtifacts)
	to.SecondarySources = given(to.SecondarySources, []api.ProjectSource{})
	to.Tags = given(to.Tags, []api.Tag{})
	to.Cache = either(to.Cache, &api.ProjectCache{Type: api.CacheTypeNoCache})
	to.EncryptionKey = either(to.EncryptionKey, new(p.Scope.Of("kms", "alias/aws/s3")))
	to.TimeoutInMinutes = either(to.TimeoutInMinutes, new(defaultTimeout))
	to.QueuedTimeoutInMinutes = either(to.QueuedTimeoutInMinutes, new(defaultQueuedTimeout))
	if v := to.VPCConfig; v != nil && text(v.VPCID) == "" && len(v.Subnets) == 0 && len(v.SecurityGroupIDs) == 0 {
		to.VPCConfig = nil
	}
	if b := to.BuildBatchConfig; b != nil && *b == (api.ProjectBuildBatchConfig{}) {
		to.BuildBatchConfig = nil
	}
}

// either returns the first of two optional values that is there.
func either[T any](first, second *T) *T {
	if first != nil {
		return first
	}
	return second
}

// given returns the first of two lists that is there; an empty one is.
func given[T any](first, second []T) []T {
	if first != nil {
		return first
	}
	return second
}

// text returns an optional string, "" if it is absent.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }
