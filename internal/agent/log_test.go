package agent_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

func TestTheLogOfABuildThatSucceeds(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
env:
  variables:
    GREETING: hello
phases:
  install:
    runtime-versions:
      golang: 1.26
  build:
    commands:
      - echo "$GREETING world"
      - true
      - printf 'no line end'
      - |
        echo to stderr >&2
        pwd
`))
		want := strings.ReplaceAll(`# Waiting for agent ping
# Waiting for DOWNLOAD_SOURCE
# Phase is DOWNLOAD_SOURCE
# CODEBUILD_SRC_DIR=/codebuild/output/srcN/src
# YAML location is /codebuild/readonly/buildspec.yml
# No commands found for phase name: install
# Processing environment variables
# Skipping install of runtimes. Runtime version selection is not supported by this build image
# Moving to directory /codebuild/output/srcN/src
# Cache is not defined in the buildspec
# Skip cache due to: no paths specified to be cached
# Registering with agent
# Phases found in YAML: 2
#  INSTALL: 0 commands
#  BUILD: 4 commands
# Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED
# Phase context status code:  Message: 
# Entering phase INSTALL
# Phase complete: INSTALL State: SUCCEEDED
# Phase context status code:  Message: 
# Entering phase PRE_BUILD
# Phase complete: PRE_BUILD State: SUCCEEDED
# Phase context status code:  Message: 
# Entering phase BUILD
# Running command echo "$GREETING world"
hello world

# Running command true
# Running command printf 'no line end'
no line end

# Running command echo to stderr >&2
pwd

to stderr
/codebuild/output/srcN/src

# Phase complete: BUILD State: SUCCEEDED
# Phase context status code:  Message: 
# Entering phase POST_BUILD
# Phase complete: POST_BUILD State: SUCCEEDED
# Phase context status code:  Message: 
# Set report auto-discover timeout to 5 seconds
# Expanding base directory path:  .
# Assembling file list
# Expanding .
# Expanding file paths for base directory .
# Assembling file list
# Expanding **/*
# No matching auto-discover report paths found
# Report auto-discover file discovery took N seconds
# Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED
# Phase context status code:  Message: 
`, "# ", "[Container] TIME ")
		if d := cmp.Diff(want, a.steady(log)); d != "" {
			t.Error("the log (-want +got)\n", d)
		}
		if a.status() != api.StatusTypeSucceeded {
			t.Error("the build ends", a.status())
		}
	})
}

func TestTheLogOfABuildThatFails(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
phases:
  build:
    commands:
      - |
        echo before
        nosuchtool --flag
      - echo not reached
`))
		_, log, _ = strings.Cut(a.steady(log), "Entering phase BUILD\n")
		want := strings.ReplaceAll(`# Running command echo before
nosuchtool --flag

before
/codebuild/output/tmp/script.sh: 5: nosuchtool: not found

# Command did not exit successfully echo before
nosuchtool --flag
 exit status 127
# Phase complete: BUILD State: FAILED
# Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: echo before
nosuchtool --flag
. Reason: exit status 127
# Entering phase POST_BUILD
# Phase complete: POST_BUILD State: SUCCEEDED
# Phase context status code:  Message: 
# Set report auto-discover timeout to 5 seconds
# Expanding base directory path:  .
# Assembling file list
# Expanding .
# Expanding file paths for base directory .
# Assembling file list
# Expanding **/*
# No matching auto-discover report paths found
# Report auto-discover file discovery took N seconds
# Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED
# Phase context status code:  Message: 
`, "# ", "[Container] TIME ")
		if d := cmp.Diff(want, log); d != "" {
			t.Error("the log (-want +got)\n", d)
		}
		code, message := a.context(api.BuildPhaseTypeBuild)
		if code != "COMMAND_EXECUTION_ERROR" || message != "Error while executing command: echo before\nnosuchtool --flag\n. Reason: exit status 127" {
			t.Errorf("the context is %q %q", code, message)
		}
		if a.status() != api.StatusTypeFailed {
			t.Error("the build ends", a.status())
		}
	})
}
