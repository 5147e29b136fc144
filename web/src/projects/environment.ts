import type { ComputeType, EnvironmentType } from "@aws-sdk/client-codebuild";

/** Images to begin with, and what each is. */
export const images: readonly (readonly [image: string, what: string])[] = [
  ["local", "This server's own machine and its tools"],
  ["aws/codebuild/amazonlinux-x86_64-standard:5.0", "Amazon Linux 2023, x86_64"],
  ["aws/codebuild/amazonlinux2-x86_64-standard:5.0", "Amazon Linux 2023, x86_64, under its older name"],
  ["aws/codebuild/amazonlinux-aarch64-standard:3.0", "Amazon Linux 2023, ARM"],
  ["aws/codebuild/standard:7.0", "Ubuntu 22.04, x86_64"],
  ["aws/codebuild/standard:6.0", "Ubuntu 22.04, x86_64, older tools"],
  ["aws/codebuild/windows-base:2022-1.0", "Windows Server 2022"],
];

const environments: Readonly<Record<EnvironmentType, string>> = {
  LINUX_CONTAINER: "Linux container",
  ARM_CONTAINER: "ARM container",
  LINUX_GPU_CONTAINER: "Linux GPU container",
  LINUX_LAMBDA_CONTAINER: "Linux Lambda container",
  ARM_LAMBDA_CONTAINER: "ARM Lambda container",
  LINUX_EC2: "Linux EC2",
  ARM_EC2: "ARM EC2",
  WINDOWS_CONTAINER: "Windows container",
  WINDOWS_SERVER_2019_CONTAINER: "Windows Server 2019 container",
  WINDOWS_SERVER_2022_CONTAINER: "Windows Server 2022 container",
  WINDOWS_EC2: "Windows EC2",
  MAC_ARM: "macOS on ARM",
};

const computes: Readonly<Record<ComputeType, string>> = {
  BUILD_GENERAL1_SMALL: "Small",
  BUILD_GENERAL1_MEDIUM: "Medium",
  BUILD_GENERAL1_LARGE: "Large",
  BUILD_GENERAL1_XLARGE: "X-Large",
  BUILD_GENERAL1_2XLARGE: "2X-Large",
  BUILD_LAMBDA_1GB: "Lambda, 1 GB",
  BUILD_LAMBDA_2GB: "Lambda, 2 GB",
  BUILD_LAMBDA_4GB: "Lambda, 4 GB",
  BUILD_LAMBDA_8GB: "Lambda, 8 GB",
  BUILD_LAMBDA_10GB: "Lambda, 10 GB",
  ATTRIBUTE_BASED_COMPUTE: "By attributes",
  CUSTOM_INSTANCE_TYPE: "Custom instance type",
};

/** All environment types, the usual first. */
export const environmentTypes = Object.keys(environments) as readonly EnvironmentType[]; // a record has no other keys

/** The compute types that an environment of a type can have. */
export function computeTypes(type: EnvironmentType): readonly ComputeType[] {
  const lambda = type === "LINUX_LAMBDA_CONTAINER" || type === "ARM_LAMBDA_CONTAINER";
  return (Object.keys(computes) as ComputeType[]).filter((c) => c.startsWith(lambda ? "BUILD_LAMBDA_" : "BUILD_GENERAL1_"));
}

export function environmentName(type: EnvironmentType | undefined): string {
  return type === undefined ? "–" : environments[type];
}

export function computeName(type: ComputeType | undefined): string {
  return type === undefined ? "–" : computes[type];
}
