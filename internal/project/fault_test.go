package project

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/fault"
)

func TestEveryFaultIsToldWithItsMember(t *testing.T) {
	in := decoded[api.CreateProjectInput](t, `{
		"name": "!", "description": "`+strings.Repeat("x", 256)+`", "serviceRole": "admin", "encryptionKey": "arn:aws:s3:::x", "concurrentBuildLimit": 0, "autoRetryLimit": -1, "badgeEnabled": true,
		"source": {"type": "NO_SOURCE", "location": "x", "reportBuildStatus": true, "gitCloneDepth": -1, "auth": {"type": "CODECONNECTIONS"}},
		"secondarySources": [{"type": "GITHUB", "location": "https://github.com/o/r", "sourceIdentifier": "a"}, {"type": "GITHUB", "sourceIdentifier": "a"}, {"type": "SVN"}],
		"secondarySourceVersions": [{"sourceIdentifier": "a"}, {"sourceIdentifier": "a"}, {"sourceIdentifier": "b"}],
		"artifacts": {"type": "CODEPIPELINE", "encryptionDisabled": true}, "secondaryArtifacts": [{"type": "S3"}],
		"cache": {"type": "LOCAL"}, "tags": [{"key": "a"}, {"key": "a"}], "vpcConfig": {"vpcId": "v"},
		"environment": {"type": "LINUX_CONTAINER", "computeType": "BUILD_LAMBDA_1GB", "image": "", "environmentVariables": [{"name": "A", "value": "hunter2"}, {"name": "CODEBUILD_B", "value": "hunter2"}, {"name": "A", "value": "hunter2"}]},
		"logsConfig": {"s3Logs": {"status": "ENABLED"}, "cloudWatchLogs": {"status": "ENABLED", "groupName": "a:b"}},
		"fileSystemLocations": [{"type": "EFS", "location": "fs"}], "buildBatchConfig": {"timeoutInMins": 1, "serviceRole": "x"}
	}`)
	p, err := New(scope, in, then)
	var members []string
	for _, f := range p.Faults() {
		members = append(members, f.Member)
		if strings.Contains(f.Message, "hunter2") {
			t.Errorf("a value is repeated: %s", f.Message)
		}
	}
	want := strings.Fields(`name description source.location source.reportBuildStatus source.gitCloneDepth source.auth.resource
		secondarySources[1].location secondarySources[1].sourceIdentifier secondarySources[2].type
		secondarySourceVersions[1].sourceIdentifier secondarySourceVersions[2].sourceIdentifier
		artifacts.encryptionDisabled secondaryArtifacts[0].artifactIdentifier secondaryArtifacts[0].location artifacts.type
		cache.modes environment.computeType environment.image environment.environmentVariables[1].name environment.environmentVariables[2].name
		serviceRole encryptionKey tags[1].key vpcConfig badgeEnabled logsConfig.cloudWatchLogs.groupName logsConfig.s3Logs.location
		fileSystemLocations[0].location environment.privilegedMode buildBatchConfig.timeoutInMins buildBatchConfig.serviceRole
		concurrentBuildLimit autoRetryLimit`)
	if diff := cmp.Diff(want, members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if fault.Message(err) != p.Faults()[0].Message {
		t.Errorf("New = %v, want the first fault: %s", err, p.Faults()[0].Message)
	}
}

func TestAProjectOfNothingHasFaults(t *testing.T) {
	p, _ := New(scope, &api.CreateProjectInput{}, then)
	var all []string
	for _, f := range p.Faults() {
		all = append(all, f.Member+": "+f.Message)
	}
	want := []string{
		"name: Project name must have 2 to 150 letters, digits, hyphens or underscores and begin with a letter or digit", "source: Project source is required",
		"artifacts: Project artifacts are required", "environment: Project environment is required", "serviceRole: Invalid service role",
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	in := &api.CreateProjectInput{Tags: make([]api.Tag, 10_000)}
	if p, _ := New(scope, in, then); len(p.Faults()) != maxFaults {
		t.Errorf("%d faults, want %d", len(p.Faults()), maxFaults)
	}
}
