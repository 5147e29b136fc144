package project

import (
	"slices"
	"strings"

	"slipway/internal/api"
)

// CheckEnvironment holds a build environment against the rules for its type,
// image and variables.
func CheckEnvironment(e *api.ProjectEnvironment) error {
	if e == nil {
		return invalid("Project environment is required")
	}
	if !onFleet(e) { // whose type then counts in place of the project's
		if err := checkCompute(e); err != nil {
			return err
		}
	}
	if err := checkImage(e); err != nil {
		return err
	}
	if d := e.DockerServer; d != nil && len(d.SecurityGroupIDs) > maxSecurityGroups {
		return invalid("Invalid docker server: the maximum number of security groups is %d", maxSecurityGroups)
	}
	return CheckVariables(e.EnvironmentVariables)
}

func onFleet(e *api.ProjectEnvironment) bool {
	return e.Fleet != nil && text(e.Fleet.FleetARN) != ""
}

func checkCompute(e *api.ProjectEnvironment) error {
	if isLambda(e) != strings.HasPrefix(string(e.ComputeType), "BUILD_LAMBDA_") {
		return invalid("Invalid compute type provided")
	}
	if e.PrivilegedMode != nil && *e.PrivilegedMode {
		switch {
		case strings.HasPrefix(string(e.Type), "WINDOWS_"):
			return invalid("PrivilegedMode is not supported for %s projects", e.Type)
		case isLambda(e):
			return invalid("Cannot specify privilegedMode for lambda compute")
		}
	}
	return nil
}

func isLambda(e *api.ProjectEnvironment) bool {
	return e.Type == api.EnvironmentTypeLinuxLambdaContainer || e.Type == api.EnvironmentTypeArmLambdaContainer
}

// CheckVariables holds the variables that users set against the rules for
// names and values. None of its sentences repeats a value.
func CheckVariables(all []api.EnvironmentVariable) error {
	seen := make(map[string]bool, len(all))
	for i := range all {
		name := all[i].Name
		switch {
		case strings.HasPrefix(name, "CODEBUILD_"):
			return invalid("No user environment variables can start with CODEBUILD_")
		case name == "" || strings.ContainsFunc(name, unfitForName):
			return invalid("EnvironmentVariable name must not be empty or contain an equals sign, white space or control characters")
		case seen[name]:
			return invalid("EnvironmentVariable name cannot be duplicated")
		case strings.ContainsRune(all[i].Value, 0): // no process can be started with one
			return invalid("EnvironmentVariable value must not contain a NUL character")
		}
		seen[name] = true
	}
	return nil
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
