package build

import (
	"slices"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// override puts the overrides of in, other than those of the source version
// and the debug session, into a copy of a project. It refuses what only an
// override can get wrong; whether the outcome is a valid project is not its
// concern.
func override(to *api.Project, in *api.StartBuildInput) error {
	if err := overrideArtifacts(to, in); err != nil {
		return err
	}
	if err := overrideSource(to, in); err != nil {
		return err
	}
	if err := overrideEnvironment(to, in); err != nil {
		return err
	}
	if n := in.TimeoutInMinutesOverride; n != nil && (*n < minTimeout || *n > maxTimeout) {
		return fault.New(fault.Invalid, "TimeoutInMins must be between %d and %d", minTimeout, maxTimeout)
	}
	if n := in.QueuedTimeoutInMinutesOverride; n != nil && (*n < minQueueTimeout || *n > maxQueueTimeout) {
		return fault.New(fault.Invalid, "QueuedTimeoutInMins must be between %d and %d", minQueueTimeout, maxQueueTimeout)
	}
	overrideSecondarySources(to, in)
	to.AutoRetryLimit = either(in.AutoRetryLimitOverride, to.AutoRetryLimit)
	to.Cache = either(in.CacheOverride, to.Cache)
	to.EncryptionKey = either(in.EncryptionKeyOverride, to.EncryptionKey)
	to.LogsConfig = either(in.LogsConfigOverride, to.LogsConfig)
	to.QueuedTimeoutInMinutes = either(in.QueuedTimeoutInMinutesOverride, to.QueuedTimeoutInMinutes)
	to.ServiceRole = either(in.ServiceRoleOverride, to.ServiceRole)
	to.TimeoutInMinutes = either(in.TimeoutInMinutesOverride, to.TimeoutInMinutes)
	return nil
}

func overrideArtifacts(to *api.Project, in *api.StartBuildInput) error {
	if to.Artifacts != nil && to.Artifacts.Type == api.ArtifactsTypeCodepipeline && in.ArtifactsOverride == nil {
		return fault.New(fault.Invalid, "ArtifactsOverride must be set when using artifacts type CodePipelines")
	}
	to.Artifacts = either(in.ArtifactsOverride, to.Artifacts)
	if in.SecondaryArtifactsOverride != nil {
		to.SecondaryArtifacts = in.SecondaryArtifactsOverride
	}
	return nil
}

func overrideSource(to *api.Project, in *api.StartBuildInput) error {
	var s api.ProjectSource
	if to.Source != nil {
		s = *to.Source
	}
	if t := in.SourceTypeOverride; t != "" && t != s.Type {
		s = adapted(s, t)
	}
	s.Location = either(in.SourceLocationOverride, s.Location)
	s.Buildspec = either(in.BuildspecOverride, s.Buildspec)
	s.GitCloneDepth = either(in.GitCloneDepthOverride, s.GitCloneDepth)
	s.GitSubmodulesConfig = either(in.GitSubmodulesConfigOverride, s.GitSubmodulesConfig)
	s.InsecureSSL = either(in.InsecureSSLOverride, s.InsecureSSL)
	s.ReportBuildStatus = either(in.ReportBuildStatusOverride, s.ReportBuildStatus)
	s.BuildStatusConfig = either(in.BuildStatusConfigOverride, s.BuildStatusConfig)
	s.Auth = either(in.SourceAuthOverride, s.Auth)
	to.Source = &s
	if fromProvider(s.Type) {
		return nil
	}
	if in.BuildStatusConfigOverride != nil {
		return fault.New(fault.Invalid, "Source type %s does not support BuildStatusConfig", s.Type)
	}
	if in.SourceAuthOverride != nil {
		return fault.New(fault.Invalid, "Source type %s does not support SourceAuth", s.Type)
	}
	return nil
}

// adapted returns the project's source as one of another type, without what
// the project set for its own type and this one cannot have. A login that was
// meant for one provider never goes to another.
func adapted(s api.ProjectSource, to api.SourceType) api.ProjectSource {
	s.Type = to
	s.Auth = nil
	if !fromProvider(to) {
		s.ReportBuildStatus, s.BuildStatusConfig = nil, nil
		if to != api.SourceTypeCodecommit {
			s.GitCloneDepth, s.GitSubmodulesConfig = nil, nil
		}
	}
	if to == api.SourceTypeNoSource || to == api.SourceTypeCodepipeline {
		s.Location = nil
	}
	return s
}

// fromProvider reports whether sources of this type come from a provider with
// logins and commit statuses.
func fromProvider(t api.SourceType) bool {
	switch t {
	case api.SourceTypeGithub, api.SourceTypeGithubEnterprise, api.SourceTypeGitlab, api.SourceTypeGitlabSelfManaged, api.SourceTypeBitbucket:
		return true
	}
	return false
}

// overrideSecondarySources replaces the sources, their versions, or both. The
// project's version of a source that is no longer there goes with it.
func overrideSecondarySources(to *api.Project, in *api.StartBuildInput) {
	if in.SecondarySourcesOverride != nil {
		to.SecondarySources = in.SecondarySourcesOverride
		to.SecondarySourceVersions = slices.DeleteFunc(slices.Clone(to.SecondarySourceVersions), func(v api.ProjectSourceVersion) bool {
			return !slices.ContainsFunc(to.SecondarySources, func(s api.ProjectSource) bool { return text(s.SourceIdentifier) == v.SourceIdentifier })
		})
	}
	if in.SecondarySourcesVersionOverride != nil {
		to.SecondarySourceVersions = in.SecondarySourcesVersionOverride
	}
}

func overrideEnvironment(to *api.Project, in *api.StartBuildInput) error {
	var e api.ProjectEnvironment
	if to.Environment != nil {
		e = *to.Environment
	}
	if in.EnvironmentTypeOverride != "" {
		e.Type = in.EnvironmentTypeOverride
	}
	if in.ComputeTypeOverride != "" {
		e.ComputeType = in.ComputeTypeOverride
	}
	if in.ImageOverride != nil {
		e.Image = *in.ImageOverride
	}
	if in.ImagePullCredentialsTypeOverride != "" {
		e.ImagePullCredentialsType = in.ImagePullCredentialsTypeOverride
	}
	e.PrivilegedMode = either(in.PrivilegedModeOverride, e.PrivilegedMode)
	e.Certificate = either(in.CertificateOverride, e.Certificate)
	e.RegistryCredential = either(in.RegistryCredentialOverride, e.RegistryCredential)
	if f := in.FleetOverride; f != nil {
		e.Fleet = f
		if text(f.FleetARN) == "" { // this build runs on demand, whatever the project says
			e.Fleet = nil
		}
	}
	var err error
	if e.EnvironmentVariables, err = merge(e.EnvironmentVariables, in.EnvironmentVariablesOverride); err != nil {
		return err
	}
	to.Environment = &e
	return nil
}

// merge returns the project's variables with the build's, which replace those
// of the same name and otherwise come after them.
func merge(of, with []api.EnvironmentVariable) ([]api.EnvironmentVariable, error) {
	merged := append([]api.EnvironmentVariable{}, of...)
	at := make(map[string]int, len(merged)+len(with))
	for i, v := range merged {
		at[v.Name] = i
	}
	seen := make(map[string]bool, len(with))
	for _, v := range with {
		if seen[v.Name] {
			return nil, fault.New(fault.Invalid, "EnvironmentVariable name cannot be duplicated")
		}
		seen[v.Name] = true
		if v.Type == "" {
			v.Type = api.EnvironmentVariableTypePlaintext
		}
		if i, ok := at[v.Name]; ok {
			merged[i] = v
		} else {
			merged = append(merged, v)
		}
	}
	return merged, nil
}
