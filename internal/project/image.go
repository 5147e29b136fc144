package project

import (
	"slices"
	"strings"

	"slipway/internal/api"
)

const curated = "aws/codebuild/"

// curatedFor says on which environment types a family of curated images runs,
// the longest prefix of a name first. A family that is not here, perhaps one
// newer than this list, may run anywhere.
var curatedFor = []struct {
	prefix string
	types  []api.EnvironmentType
}{
	{"amazonlinux-x86_64-lambda-standard:", lambdaX86},
	{"amazonlinux-aarch64-lambda-standard:", lambdaARM},
	{"amazonlinux-x86_64-standard:", linuxX86},
	{"amazonlinux2-x86_64-standard:", linuxX86},
	{"amazonlinux-aarch64-standard:", linuxARM},
	{"amazonlinux2-aarch64-standard:", linuxARM},
	{"standard:", linuxX86},
	{"ubuntu-base:", linuxX86},
	{"windows-base:", windows},
	{"macos-arm-base:", mac},
}

var (
	linuxX86  = []api.EnvironmentType{api.EnvironmentTypeLinuxContainer, api.EnvironmentTypeLinuxGpuContainer, api.EnvironmentTypeLinuxEc2}
	linuxARM  = []api.EnvironmentType{api.EnvironmentTypeArmContainer, api.EnvironmentTypeArmEc2}
	lambdaX86 = []api.EnvironmentType{api.EnvironmentTypeLinuxLambdaContainer}
	lambdaARM = []api.EnvironmentType{api.EnvironmentTypeArmLambdaContainer}
	windows   = []api.EnvironmentType{api.EnvironmentTypeWindowsContainer, api.EnvironmentTypeWindowsServer2019Container, api.EnvironmentTypeWindowsServer2022Container, api.EnvironmentTypeWindowsEc2}
	mac       = []api.EnvironmentType{api.EnvironmentTypeMacArm}
)

func (f *faults) image(at path, e *api.ProjectEnvironment) {
	if e.Image == "" || strings.ContainsFunc(e.Image, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		f.add(at, "image", "Invalid input: image is required and must not contain control characters")
		return
	}
	family, isCurated := strings.CutPrefix(e.Image, curated)
	asRole := e.ImagePullCredentialsType == api.ImagePullCredentialsTypeServiceRole
	if isCurated && asRole {
		f.add(at, "imagePullCredentialsType", "Invalid input: cannot use a CodeBuild curated image with imagePullCredentialsType SERVICE_ROLE")
	}
	if e.RegistryCredential != nil && !asRole {
		f.add(at, "registryCredential", "Invalid input: registryCredential needs imagePullCredentialsType SERVICE_ROLE")
	}
	if !isCurated || onFleet(e) {
		return
	}
	for _, known := range curatedFor {
		if strings.HasPrefix(family, known.prefix) && !slices.Contains(known.types, e.Type) {
			f.add(at, "image", "AWS CodeBuild curated image %s is not supported for projects with environment type %s and compute type %s", e.Image, e.Type, e.ComputeType)
			return
		}
	}
}
