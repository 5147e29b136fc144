package build

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"slipway/internal/api"
)

// ServiceVariables returns the variables that CodeBuild itself gives a build,
// all that the server knows of; those that only the agent can know, such as
// CODEBUILD_SRC_DIR, it adds. consoleURL is the console's; with "" there is no
// CODEBUILD_BUILD_URL.
func (b Build) ServiceVariables(consoleURL string) []api.EnvironmentVariable {
	p := &b.Public
	var all []api.EnvironmentVariable
	add := func(name, value string) {
		all = append(all, api.EnvironmentVariable{Name: name, Type: api.EnvironmentVariableTypePlaintext, Value: value})
	}
	known := func(name, value string) {
		if value != "" {
			add(name, value)
		}
	}
	project := text(p.ProjectName)
	add("AWS_DEFAULT_REGION", b.Scope.Region)
	add("AWS_REGION", b.Scope.Region)
	add("CODEBUILD_BUILD_ARN", text(p.ARN))
	add("CODEBUILD_BUILD_ID", text(p.ID))
	if p.Environment != nil {
		add("CODEBUILD_BUILD_IMAGE", p.Environment.Image)
	}
	if p.BuildNumber != nil {
		add("CODEBUILD_BUILD_NUMBER", strconv.FormatInt(*p.BuildNumber, 10))
	}
	if consoleURL != "" {
		add("CODEBUILD_BUILD_URL", b.page(consoleURL))
	}
	add("CODEBUILD_CI", strconv.FormatBool(b.State.Local == nil))
	add("CODEBUILD_CONTAINER_NAME", "default")
	add("CODEBUILD_EXECUTION_ROLE_BUILD", "")
	add("CODEBUILD_INITIATOR", text(p.Initiator))
	add("CODEBUILD_KMS_KEY_ID", text(p.EncryptionKey))
	if b.State.Local != nil {
		add("CODEBUILD_LOCAL_BUILD", "true") // as with the local agent of AWS
	}
	add("CODEBUILD_LOG_PATH", b.LogStream())
	add("CODEBUILD_PROJECT_ARN", b.Scope.Project(project))
	add("CODEBUILD_PROJECT_UUID", uuid.NewSHA1(uuid.NameSpaceURL, []byte(b.Scope.Project(project))).String())
	add("CODEBUILD_START_TIME", strconv.FormatInt(p.StartTime.UnixMilli(), 10))

	known("CODEBUILD_SOURCE_REPO_URL", repositoryURL(p.Source))
	known("CODEBUILD_SOURCE_VERSION", b.State.SourceVersion)
	for i := range p.SecondarySources {
		s := &p.SecondarySources[i]
		known("CODEBUILD_SOURCE_REPO_URL_"+text(s.SourceIdentifier), repositoryURL(s))
	}
	for _, v := range p.SecondarySourceVersions {
		known("CODEBUILD_SOURCE_VERSION_"+v.SourceIdentifier, v.SourceVersion)
	}
	b.triggerVariables(add)
	return all
}

// page returns where people look at the build, in the console at a URL; "" if
// that is empty.
func (b Build) page(consoleURL string) string {
	if consoleURL == "" {
		return ""
	}
	return strings.TrimRight(consoleURL, "/") + "/builds/" + url.QueryEscape(text(b.Public.ID))
}

// repositoryURL is a source's location as builds are told of it.
func repositoryURL(s *api.ProjectSource) string {
	if s == nil || text(s.Location) == "" {
		return ""
	}
	if s.Type == api.SourceTypeS3 {
		return "s3://" + bucket(*s.Location)
	}
	return *s.Location
}
