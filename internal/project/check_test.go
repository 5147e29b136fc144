package project

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// Sentences that begin with "ours:" are our own wording, where CodeBuild's is
// not known; clients cannot rely on them.
func TestWhatIsRefused(t *testing.T) {
	const github = `"type": "GITHUB", "location": "https://github.com/o/r"`
	second := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{`+github+`, "sourceIdentifier": "s"},`, n), ",")
	}
	strs := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`"x",`, n), ",")
	}
	env := func(of, image, compute, more string) string {
		return fmt.Sprintf(`{"environment": {"type": %q, "image": %q, "computeType": %q %s}}`, of, image, compute, more)
	}
	for _, test := range []struct{ name, change, want string }{
		{"a name of 300 characters", `{"name": "` + strings.Repeat("a", 300) + `"}`, "Project name length cannot be greater than 150 characters"},
		{"a long name of wide characters", `{"name": "` + strings.Repeat("𝕏", 151) + `"}`, "Project name length cannot be greater than 150 characters"},
		{"a name of one character", `{"name": "a"}`, "ours: Project name must have"},
		{"a name that begins with a hyphen", `{"name": "-ab"}`, "ours: Project name must have"},
		{"a name with a path", `{"name": "../../etc"}`, "ours: Project name must have"},
		{"a name with a line break behind", `{"name": "ab\n"}`, "ours: Project name must have"},
		{"a name written right to left", `{"name": "ab\u202ecd"}`, "ours: Project name must have"},
		{"a name with letters that only look Latin", `{"name": "pаypal"}`, "ours: Project name must have"},
		{"a long description", `{"description": "` + strings.Repeat("é", 256) + `"}`, "Max description length is 255"},

		{"an unknown source type", `{"source": {"type": "SVN", "location": "x"}}`, "Invalid type provided: Project source type"},
		{"no location", `{"source": {"type": "GITHUB"}}`, "Project source location is required"},
		{"an empty location", `{"source": {"type": "S3", "location": ""}}`, "Project source location is required"},
		{"no location on a secondary source", `{"secondarySources": [{"type": "GITHUB", "sourceIdentifier": "a"}]}`, "Project source location is required"},
		{"a GitHub location elsewhere", `{"source": {"type": "GITHUB", "location": "https://example.com/o/r"}}`, "Invalid project source: source location must be a valid GitHub repository URL"},
		{"no source with a location", `{"source": {"type": "NO_SOURCE", "location": "x"}}`, "Invalid input: source location must be empty for source type NO_SOURCE"},
		{"statuses without a source", `{"source": {"type": "NO_SOURCE", "reportBuildStatus": false}}`, "Source type NO_SOURCE does not support ReportBuildStatus"},
		{"statuses for S3", `{"source": {"type": "S3", "location": "bucket/k", "reportBuildStatus": true}}`, "Source type S3 does not support ReportBuildStatus"},
		{"statuses for CodeCommit", `{"source": {"type": "CODECOMMIT", "location": "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/r", "reportBuildStatus": true}}`, "Source type CODECOMMIT does not support ReportBuildStatus"},
		{"submodules in S3", `{"source": {"type": "S3", "location": "bucket/k", "gitSubmodulesConfig": {"fetchSubmodules": false}}}`, "Git submodules config is not supported for S3 source"},
		{"submodules in a pipeline", `{"source": {"type": "CODEPIPELINE", "gitSubmodulesConfig": {"fetchSubmodules": true}}}`, "Git submodules config is not supported for CodePipeline source"},
		{"a negative depth", `{"source": {` + github + `, "gitCloneDepth": -1}}`, "ours: Invalid input: gitCloneDepth"},
		{"an identifier with a hyphen", `{"source": {` + github + `, "sourceIdentifier": "a-b"}}`, "Invalid input: identifier must contain only alphanumeric characters and underscores and be less than 128 characters in length"},
		{"an identifier of 128 characters", `{"source": {` + github + `, "sourceIdentifier": "` + strings.Repeat("a", 128) + `"}}`, "Invalid input: identifier must contain only alphanumeric characters and underscores and be less than 128 characters in length"},
		{"a connection that is none", `{"source": {` + github + `, "auth": {"type": "CODECONNECTIONS", "resource": "arn:aws:iam::1:role/x"}}}`, "ours: Invalid input: source auth resource must be a valid CodeConnections arn"},
		{"a secret that is none", `{"source": {` + github + `, "auth": {"type": "SECRETS_MANAGER"}}}`, "ours: Invalid input: source auth resource must be a valid Secrets Manager secret arn"},
		{"a secondary source without identifier", `{"secondarySources": [{` + github + `}]}`, "Invalid input: sourceIdentifier is required for secondary sources"},
		{"two secondary sources of one name", `{"secondarySources": [` + second(2) + `]}`, "Invalid input: sourceIdentifier cannot be duplicated"},
		{"a secondary source named like the primary", `{"source": {` + github + `, "sourceIdentifier": "s"}, "secondarySources": [` + second(1) + `]}`, "Invalid input: sourceIdentifier cannot be duplicated"},
		{"thirteen secondary sources", `{"secondarySources": [` + second(13) + `]}`, "Invalid input: the maximum number of secondary sources is 12"},
		{"a version of no source", `{"secondarySourceVersions": [{"sourceIdentifier": "x", "sourceVersion": "v"}]}`, "Invalid input: secondary source identifier does not exist"},
		{"a version of the primary source", `{"source": {` + github + `, "sourceIdentifier": "p"}, "secondarySourceVersions": [{"sourceIdentifier": "p", "sourceVersion": "v"}]}`, "Invalid input: secondary source identifier does not exist"},
		{"two versions of one source", `{"secondarySources": [` + second(1) + `], "secondarySourceVersions": [{"sourceIdentifier": "s"}, {"sourceIdentifier": "s"}]}`, "ours: Invalid input: sourceIdentifier cannot be duplicated"},

		{"a pipeline only as source", `{"source": {"type": "CODEPIPELINE"}}`, "Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE"},
		{"a pipeline only for artifacts", `{"artifacts": {"type": "CODEPIPELINE"}}`, "Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE"},
		{"S3 artifacts without a bucket", `{"artifacts": {"type": "S3"}}`, "Invalid artifacts: location is required"},
		{"a bucket with a slash", `{"artifacts": {"type": "S3", "location": "b/c"}}`, "ours: Invalid artifacts: location must be the name of a bucket"},
		{"no artifacts at a place", `{"artifacts": {"type": "NO_ARTIFACTS", "location": "b"}}`, "Invalid artifacts: artifact type NO_ARTIFACTS should have null location"},
		{"no artifacts, not encrypted", `{"artifacts": {"type": "NO_ARTIFACTS", "encryptionDisabled": false}}`, "Invalid artifacts: artifact type NO_ARTIFACTS should have null encryptionDisabled"},
		{"a pipeline's artifacts, not encrypted", `{"artifacts": {"type": "CODEPIPELINE", "encryptionDisabled": true}}`, "Invalid artifacts: artifact type CODEPIPELINE should have null encryptionDisabled"},
		{"secondary artifacts without identifier", `{"secondaryArtifacts": [{"type": "S3", "location": "b"}]}`, "Invalid input: artifactIdentifier is required for secondary artifacts"},
		{"two secondary artifacts of one name", `{"secondaryArtifacts": [{"type": "S3", "location": "b", "artifactIdentifier": "a"}, {"type": "S3", "location": "c", "artifactIdentifier": "a"}]}`, "Invalid input: artifactIdentifier cannot be duplicated"},
		{"secondary artifacts for a pipeline", `{"secondaryArtifacts": [{"type": "CODEPIPELINE"}]}`, "Invalid input: artifactType CODEPIPELINE is not allowed for secondaryArtifacts"},
		{"secondary artifacts that are none", `{"secondaryArtifacts": [{"type": "NO_ARTIFACTS"}]}`, "Invalid input: artifactType NO_ARTIFACTS is not allowed for secondaryArtifacts"},
		{"thirteen secondary artifacts", `{"secondaryArtifacts": [` + strings.TrimSuffix(strings.Repeat(`{"type": "S3"},`, 13), ",") + `]}`, "Invalid input: the maximum number of artifact definitions in secondaryArtifacts is 12"},

		{"an S3 cache nowhere", `{"cache": {"type": "S3"}}`, "Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix"},
		{"an S3 cache that is no bucket", `{"cache": {"type": "S3", "location": "/prefix"}}`, "Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix"},
		{"a local cache of nothing", `{"cache": {"type": "LOCAL", "modes": []}}`, "At least one mode must be provided for cache type: LOCAL"},
		{"a source cache without a source", `{"source": {"type": "NO_SOURCE"}, "cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE", "LOCAL_SOURCE_CACHE"]}}`, "Cache mode LOCAL_SOURCE_CACHE is not available for source type NO_SOURCE"},
		{"a local cache on ARM", `{"cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}, "environment": {"type": "ARM_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_LARGE"}}`, "Invalid cache type: local caching is not supported for projects with environment type ARM_CONTAINER and compute type BUILD_GENERAL1_LARGE"},
		{"a local cache on a large machine", `{"cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}, "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_2XLARGE"}}`, "Invalid cache type: local caching is not supported for projects with environment type LINUX_CONTAINER and compute type BUILD_GENERAL1_2XLARGE"},

		{"Lambda compute in a container", env("LINUX_CONTAINER", "i", "BUILD_LAMBDA_1GB", ""), "Invalid compute type provided"},
		{"a Lambda container on a machine", env("ARM_LAMBDA_CONTAINER", "i", "BUILD_GENERAL1_SMALL", ""), "Invalid compute type provided"},
		{"an ARM image on x86", env("LINUX_CONTAINER", "aws/codebuild/amazonlinux2-aarch64-standard:3.0", "BUILD_GENERAL1_SMALL", ""), "AWS CodeBuild curated image aws/codebuild/amazonlinux2-aarch64-standard:3.0 is not supported for projects with environment type LINUX_CONTAINER and compute type BUILD_GENERAL1_SMALL"},
		{"an x86 image on ARM", env("ARM_CONTAINER", "aws/codebuild/standard:7.0", "BUILD_GENERAL1_LARGE", ""), "AWS CodeBuild curated image aws/codebuild/standard:7.0 is not supported for projects with environment type ARM_CONTAINER and compute type BUILD_GENERAL1_LARGE"},
		{"a curated image pulled with the role", env("LINUX_CONTAINER", "aws/codebuild/standard:7.0", "BUILD_GENERAL1_SMALL", `, "imagePullCredentialsType": "SERVICE_ROLE"`), "Invalid input: cannot use a CodeBuild curated image with imagePullCredentialsType SERVICE_ROLE"},
		{"a registry login without the role", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "registryCredential": {"credential": "c", "credentialProvider": "SECRETS_MANAGER"}`), "ours: Invalid input: registryCredential needs"},
		{"privileged on Windows", env("WINDOWS_SERVER_2019_CONTAINER", "i", "BUILD_GENERAL1_MEDIUM", `, "privilegedMode": true`), "PrivilegedMode is not supported for WINDOWS_SERVER_2019_CONTAINER projects"},
		{"privileged on Lambda", env("LINUX_LAMBDA_CONTAINER", "i", "BUILD_LAMBDA_1GB", `, "privilegedMode": true`), "Cannot specify privilegedMode for lambda compute"},
		{"a variable of ours", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "environmentVariables": [{"name": "CODEBUILD_X", "value": ""}]`), "No user environment variables can start with CODEBUILD_"},
		{"a variable twice", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "environmentVariables": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]`), "EnvironmentVariable name cannot be duplicated"},
		{"a variable that sets another", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "environmentVariables": [{"name": "A=B", "value": ""}]`), "ours: EnvironmentVariable name must not"},
		{"a variable with a NUL", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "environmentVariables": [{"name": "A", "value": "hunter2\u0000"}]`), "ours: EnvironmentVariable value must not contain a NUL character"},
		{"a Docker server with six groups", env("LINUX_CONTAINER", "i", "BUILD_GENERAL1_SMALL", `, "dockerServer": {"computeType": "BUILD_GENERAL1_SMALL", "securityGroupIds": [`+strs(6)+`]}`), "ours: Invalid docker server: the maximum number of security groups is 5"},

		{"a role that is a name", `{"serviceRole": "admin"}`, "Invalid service role"},
		{"a role that is a user", `{"serviceRole": "arn:aws:iam::123456789012:user/x"}`, "Invalid service role"},
		{"a role of another account", `{"serviceRole": "arn:aws:iam::210987654321:role/x"}`, "Invalid service role: Service role account ID does not match caller's account"},
		{"a key of another Region", `{"encryptionKey": "arn:aws:kms:eu-west-1:123456789012:key/1"}`, "Invalid encryption key: region does not match current region"},
		{"a key that is none", `{"encryptionKey": "arn:aws:s3:::bucket"}`, "ours: Invalid encryption key: it must be"},
		{"a tag of AWS", `{"tags": [{"key": "aws:x", "value": "1"}]}`, "Caller is an end user and not allowed to mutate system tags."},
		{"a tag twice", `{"tags": [{"key": "x"}, {"key": "x"}]}`, "ours: Invalid tags: a tag key cannot be duplicated"},
		{"a tag without a key", `{"tags": [{"value": "x"}]}`, "ours: Invalid tags: every tag needs a key"},
		{"six security groups", `{"vpcConfig": {"vpcId": "v", "subnets": ["s"], "securityGroupIds": [` + strs(6) + `]}}`, "Invalid vpc config: the maximum number of security groups is 5"},
		{"seventeen subnets", `{"vpcConfig": {"vpcId": "v", "subnets": [` + strs(17) + `], "securityGroupIds": ["g"]}}`, "Invalid vpc config: the maximum number of subnets is 16"},
		{"a VPC without subnets", `{"vpcConfig": {"vpcId": "v", "securityGroupIds": ["g"]}}`, "ours: Invalid vpc config: vpcId, subnets and securityGroupIds must be given together"},
		{"a badge on S3", `{"badgeEnabled": true, "source": {"type": "S3", "location": "bucket/k"}}`, "Build badges are not supported for S3 source"},
		{"a badge on no source", `{"badgeEnabled": true, "source": {"type": "NO_SOURCE"}}`, "Build badges are not supported for projects with no source"},
		{"a badge on a pipeline", `{"badgeEnabled": true, "source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}}`, "Build badges are not supported for CodePipeline source"},
		{"logs in S3 nowhere", `{"logsConfig": {"s3Logs": {"status": "ENABLED", "location": ""}}}`, "Invalid logsConfig: s3Logs location must be provided if status is 'ENABLED'"},
		{"a log group with a colon", `{"logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "a:b"}}}`, "ours: Invalid logsConfig: cloudWatchLogs groupName"},
		{"a log stream with an asterisk", `{"logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "streamName": "*"}}}`, "ours: Invalid logsConfig: cloudWatchLogs streamName"},
		{"a file system without privileges", `{"fileSystemLocations": [{"type": "EFS", "location": "fs:/d"}]}`, "Privileged Mode has to be set for projects with File System Locations"},
		{"a file system without a colon", `{"fileSystemLocations": [{"type": "EFS", "location": "fs"}]}`, "File System Location is invalid, should be in the form 'FileSystemDNS':'FileSystemDirectory'"},
		{"no concurrent builds", `{"concurrentBuildLimit": 0}`, "Project level concurrent builds limit should be greater than 0"},
		{"a new project without a limit to remove", `{"concurrentBuildLimit": -1}`, "Project level concurrent builds limit should be greater than 0"},
		{"negative retries", `{"autoRetryLimit": -1}`, "ours: Invalid input: autoRetryLimit must not be negative"},
		{"a batch of four minutes", `{"buildBatchConfig": {"timeoutInMins": 4}}`, "TimeoutInMins must be between 5 and 2160"},
		{"a batch of 2161 minutes", `{"buildBatchConfig": {"timeoutInMins": 2161}}`, "TimeoutInMins must be between 5 and 2160"},
		{"a batch of 101 builds", `{"buildBatchConfig": {"restrictions": {"maximumBuildsAllowed": 101}}}`, "ours: MaximumBuildsAllowed must be between 1 and 100"},
		{"a batch role that is none", `{"buildBatchConfig": {"serviceRole": "x"}}`, "Invalid service role"},

		{"the first of two mistakes wins", `{"name": "!", "serviceRole": "x"}`, "ours: Project name must have"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := tree(t, encoded(t, minimal(t)))
			for k, v := range tree(t, test.change) {
				m[k] = v
			}
			_, err := New(scope, decoded[api.CreateProjectInput](t, encoded(t, m)), then)
			want, ours := strings.CutPrefix(test.want, "ours: ")
			if got := fault.Message(err); fault.KindOf(err) != fault.Invalid || got != want && !(ours && strings.HasPrefix(got, want)) {
				t.Errorf("New = %v, want Invalid: %s", err, test.want)
			}
			if strings.Contains(fault.Message(err), "ot authorized to perform") {
				t.Error("Terraform would take this for a role that is not there yet, and try again for minutes")
			}
		})
	}
}

// What clients send though it looks wrong, and what is right at the edges.
func TestWhatIsAccepted(t *testing.T) {
	for _, test := range []struct{ name, change string }{
		{"a name of 150 characters", `{"name": "` + strings.Repeat("a", 150) + `"}`},
		{"a description of 255 wide characters", `{"description": "` + strings.Repeat("𝕏", 255) + `"}`},
		{"Terraform's S3 source with a clone depth", `{"source": {"type": "S3", "location": "bucket/k", "gitCloneDepth": 0, "insecureSsl": false, "buildspec": ""}}`},
		{"Terraform's cache without a location", `{"cache": {"type": "NO_CACHE", "location": ""}}`},
		{"Terraform's cache in a bucket", `{"cache": {"type": "S3", "location": "some-bucket"}}`},
		{"Terraform's pipeline", `{"source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE", "encryptionDisabled": false, "overrideArtifactName": false}}`},
		{"no source, empty location, a login for all sources", `{"source": {"type": "NO_SOURCE", "location": "", "auth": {"type": "SECRETS_MANAGER", "resource": "arn:aws:secretsmanager:us-west-2:123456789012:secret:x-AbCdEf"}}}`},
		{"an old connection", `{"source": {"type": "GITHUB", "location": "https://github.com/o/r", "auth": {"type": "CODECONNECTIONS", "resource": "arn:aws:codestar-connections:us-west-2:123456789012:connection/0a"}}}`},
		{"a fleet, whatever the type", `{"environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/macos-arm-base:14", "computeType": "BUILD_LAMBDA_1GB", "fleet": {"fleetArn": "arn:aws:codebuild:us-west-2:123456789012:fleet/f:1"}}}`},
		{"a curated image nobody here has heard of", `{"environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/java:openjdk-8", "computeType": "BUILD_GENERAL1_SMALL"}}`},
		{"ten thousand variables", `{"environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL", "environmentVariables": [` + manyVariables(10_000) + `]}}`},
		{"a default key as it is read", `{"encryptionKey": "arn:aws:kms:us-west-2:123456789012:alias/aws/s3"}`},
		{"a key of another account", `{"encryptionKey": "arn:aws:kms:us-west-2:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"}`},
		{"half a logsConfig", `{"logsConfig": {"s3Logs": {"status": "DISABLED"}}}`},
		{"a whole file system", `{"fileSystemLocations": [{"type": "EFS", "location": "fs-1.efs.us-west-2.amazonaws.com:/"}], "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL", "privilegedMode": true}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := tree(t, encoded(t, minimal(t)))
			for k, v := range tree(t, test.change) {
				m[k] = v
			}
			if _, err := New(scope, decoded[api.CreateProjectInput](t, encoded(t, m)), then); err != nil {
				t.Errorf("New = %v", err)
			}
		})
	}
}

func manyVariables(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"name": "V%d", "value": "1"}`, i)
	}
	return strings.Join(all, ",")
}
