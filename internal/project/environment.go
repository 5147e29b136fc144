package project

import (
	"slices"
	"strings"

	"slipway/internal/api"
)

// environment holds a build environment against the rules for its type, image
// and variables.
func (f *faults) environment(e *api.ProjectEnvironment) {
	const at path = "environment"
	if e == nil {
		f.add(at, "", "Project environment is required")
		return
	}
	if !onFleet(e) { // whose type then counts in place of the project's
		f.compute(at, e)
	}
	f.image(at, e)
	if d := e.DockerServer; d != nil && len(d.SecurityGroupIDs) > maxSecurityGroups {
		f.add(at, "dockerServer.securityGroupIds", "Invalid docker server: the maximum number of security groups is %d", maxSecurityGroups)
	}
	f.variables(at.field("environmentVariables"), e.EnvironmentVariables)
}

func onFleet(e *api.ProjectEnvironment) bool {
	return e.Fleet != nil && text(e.Fleet.FleetARN) != ""
}

func (f *faults) compute(at path, e *api.ProjectEnvironment) {
	if isLambda(e) != strings.HasPrefix(string(e.ComputeType), "BUILD_LAMBDA_") {
		f.add(at, "computeType", "Invalid compute type provided")
	}
	if e.PrivilegedMode != nil && *e.PrivilegedMode {
		switch {
		case strings.HasPrefix(string(e.Type), "WINDOWS_"):
			f.add(at, "privilegedMode", "PrivilegedMode is not supported for %s projects", e.Type)
		case isLambda(e):
			f.add(at, "privilegedMode", "Cannot specify privilegedMode for lambda compute")
		}
	}
}

func isLambda(e *api.ProjectEnvironment) bool {
	return e.Type == api.EnvironmentTypeLinuxLambdaContainer || e.Type == api.EnvironmentTypeArmLambdaContainer
}

// variables holds the variables that users set against the rules for names and
// values. None of its sentences repeats a value.
func (f *faults) variables(at path, all []api.EnvironmentVariable) {
	seen := make(map[string]bool, len(all))
	for i := range all {
		name := all[i].Name
		switch {
		case strings.HasPrefix(name, "CODEBUILD_"):
			f.add(at.element(i), "name", "No user environment variables can start with CODEBUILD_")
		case name == "" || strings.ContainsFunc(name, unfitForName):
			f.add(at.element(i), "name", "EnvironmentVariable name must not be empty or contain an equals sign, white space or control characters")
		case seen[name]:
			f.add(at.element(i), "name", "EnvironmentVariable name cannot be duplicated")
		case strings.ContainsRune(all[i].Value, 0): // no process can be started with one
			f.add(at.element(i), "value", "EnvironmentVariable value must not contain a NUL character")
		}
		seen[name] = true
	}
}

func unfitForName(r rune) bool { return r == '=' || r <= ' ' || r == 0x7f }

// filledEnvironment is e with the members that CodeBuild always answers. A
// fleet without an ARN is how clients say that there is none.
func filledEnvironment(e *api.ProjectEnvironment) *api.ProjectEnvironment {
	if e == nil {
		return nil
	}
	filled := *e
	if filled.ImagePullCredentialsType == "" {
		filled.ImagePullCredentialsType = api.ImagePullCredentialsTypeCodebuild
	}
	filled.PrivilegedMode = either(e.PrivilegedMode, new(false))
	if !onFleet(e) {
		filled.Fleet = nil
	}
	filled.EnvironmentVariables = slices.Clone(given(e.EnvironmentVariables, []api.EnvironmentVariable{}))
	for i := range filled.EnvironmentVariables {
		if v := &filled.EnvironmentVariables[i]; v.Type == "" {
			v.Type = api.EnvironmentVariableTypePlaintext
		}
	}
	return &filled
}
