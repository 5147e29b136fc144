import type { Project } from "@aws-sdk/client-codebuild";
import { describe, expect, test } from "vitest";
import { emptyForm, formOf, type ProjectForm } from "./form";
import { createRequest, updateRequest, webhookChange, webhookRequest } from "./request";

/** What a server fills in and answers for the least that a project needs. */
const least: Project = {
  name: "app",
  arn: "arn:aws:codebuild:us-east-1:000000000000:project/app",
  source: { type: "GITHUB", location: "https://github.com/octo/app", insecureSsl: false },
  secondarySources: [],
  artifacts: { type: "NO_ARTIFACTS" },
  secondaryArtifacts: [],
  cache: { type: "NO_CACHE" },
  environment: { type: "LINUX_CONTAINER", image: "local", computeType: "BUILD_GENERAL1_SMALL", environmentVariables: [], privilegedMode: false, imagePullCredentialsType: "CODEBUILD" },
  serviceRole: "arn:aws:iam::000000000000:role/build",
  timeoutInMinutes: 60,
  queuedTimeoutInMinutes: 480,
  encryptionKey: "arn:aws:kms:us-east-1:000000000000:alias/aws/s3",
  tags: [],
  badge: { badgeEnabled: false },
};

/** A project with every setting that there is. */
const most: Project = {
  ...least,
  description: "",
  source: {
    type: "GITHUB_ENTERPRISE",
    location: "https://git.example.com/octo/app.git",
    gitCloneDepth: 0,
    gitSubmodulesConfig: { fetchSubmodules: false },
    buildspec: "version: 0.2\nphases:\n  build:\n    commands: [make]\n",
    auth: { type: "SECRETS_MANAGER", resource: "arn:aws:secretsmanager:us-east-1:000000000000:secret:slipway/ci-AbCdEf" },
    reportBuildStatus: false,
    buildStatusConfig: { context: "ci", targetUrl: "" },
    insecureSsl: true,
    sourceIdentifier: "main",
  },
  secondarySources: [{ type: "GITHUB", location: "https://github.com/octo/lib", sourceIdentifier: "lib" }],
  sourceVersion: "main",
  secondarySourceVersions: [{ sourceIdentifier: "lib", sourceVersion: "v1" }],
  artifacts: {
    type: "S3",
    location: "bucket",
    path: "",
    name: "app",
    namespaceType: "BUILD_ID",
    packaging: "ZIP",
    overrideArtifactName: false,
    encryptionDisabled: true,
    artifactIdentifier: "a",
    bucketOwnerAccess: "FULL",
  },
  secondaryArtifacts: [{ type: "S3", location: "bucket", artifactIdentifier: "b" }],
  cache: { type: "LOCAL", modes: ["LOCAL_SOURCE_CACHE"] },
  environment: {
    type: "LINUX_CONTAINER",
    image: "registry.example.com/build:1",
    computeType: "BUILD_GENERAL1_LARGE",
    privilegedMode: true,
    certificate: "bucket/ca.pem",
    registryCredential: { credential: "registry", credentialProvider: "SECRETS_MANAGER" },
    imagePullCredentialsType: "SERVICE_ROLE",
    dockerServer: { computeType: "BUILD_GENERAL1_SMALL", securityGroupIds: ["sg-1"] },
    environmentVariables: [
      { name: "A", value: "", type: "PLAINTEXT" },
      { name: "B", value: "/p", type: "PARAMETER_STORE" },
      { name: "C", value: "s:k" },
    ],
  },
  tags: [{ key: "team", value: "" }],
  vpcConfig: { vpcId: "vpc-1", subnets: ["subnet-1"], securityGroupIds: ["sg-1"] },
  badge: { badgeEnabled: true, badgeRequestUrl: "https://ci.example.com/badge" },
  logsConfig: { cloudWatchLogs: { status: "DISABLED", groupName: "", streamName: "s" }, s3Logs: { status: "ENABLED", location: "bucket/logs", encryptionDisabled: false, bucketOwnerAccess: "NONE" } },
  fileSystemLocations: [{ type: "EFS", location: "fs:/", mountPoint: "/mnt", identifier: "efs" }],
  buildBatchConfig: { serviceRole: "arn:aws:iam::000000000000:role/batch", combineArtifacts: false, timeoutInMins: 480, restrictions: { maximumBuildsAllowed: 5, computeTypesAllowed: ["BUILD_GENERAL1_SMALL"] }, batchReportMode: "REPORT_AGGREGATED_BATCH" },
  concurrentBuildLimit: 2,
  autoRetryLimit: 1,
  webhook: {
    url: "https://git.example.com/api/v3/repos/octo/app/hooks/1",
    payloadUrl: "https://ci.example.com/webhooks/1",
    buildType: "BUILD",
    filterGroups: [[{ type: "EVENT", pattern: "PUSH" }, { type: "HEAD_REF", pattern: "^refs/heads/main$", excludeMatchedPattern: false }]],
    pullRequestBuildPolicy: { requiresCommentApproval: "FORK_PULL_REQUESTS", approverRoles: ["GITHUB_ADMIN"] },
  },
};

/** The project's settings as CreateProject takes them. */
function settings(p: Project): Record<string, unknown> {
  const { badge, ...rest } = p;
  const kept = Object.entries(rest).filter(([member]) => member !== "arn" && member !== "webhook");
  return { ...Object.fromEntries(kept), badgeEnabled: badge?.badgeEnabled };
}

const edit = (p: Project, change: (f: ProjectForm) => Partial<ProjectForm>) => {
  const form = formOf(p);
  return { ...form, ...change(form) };
};

describe("a project that is shown and saved", () => {
  test.each([
    ["the least", least],
    ["the most", most],
    ["an empty buildspec", { ...least, source: { ...least.source, type: "GITHUB", buildspec: "" } } satisfies Project],
    ["a buildspec file", { ...least, source: { ...least.source, type: "GITHUB", buildspec: "ci/build.yml" } } satisfies Project],
    ["no source", { ...least, source: { type: "NO_SOURCE", buildspec: "version: 0.2\n", insecureSsl: false } } satisfies Project],
    ["S3", { ...least, source: { type: "S3", location: "bucket/key.zip", insecureSsl: false } } satisfies Project],
    ["logs to S3 only", { ...least, logsConfig: { s3Logs: { status: "DISABLED" } } } satisfies Project],
  ])("keeps every setting: %s", (_, p) => {
    expect(createRequest(formOf(p), p)).toStrictEqual(dropped(settings(p)));
    const update = updateRequest(formOf(p), p);
    expect({ ...dropped(settings(p)), ...update }).toStrictEqual(dropped(settings(p)));
    expect(webhookChange(formOf(p), p.webhook)).toEqual({ kind: "none" });
  });

  test("an update leaves out what the form does not show", () => {
    const update = updateRequest(formOf(most), most);
    for (const member of ["secondarySources", "secondarySourceVersions", "secondaryArtifacts", "encryptionKey", "vpcConfig", "fileSystemLocations"]) {
      expect(update).not.toHaveProperty(member);
    }
  });

  test("what is taken away is said in CodeBuild's way", () => {
    const form = edit(most, (f) => ({
      batch: { ...f.batch, on: false },
      concurrentLimit: "",
      autoRetryLimit: "",
      timeout: "",
      tags: [],
      source: { ...f.source, version: "", cloneDepth: "" },
      buildspec: { ...f.buildspec, kind: "file" },
    }));
    const update = updateRequest(form, most);
    expect(update).toMatchObject({ buildBatchConfig: {}, concurrentBuildLimit: -1, autoRetryLimit: 0, timeoutInMinutes: 60, tags: [], sourceVersion: "" });
    expect(update.source).not.toHaveProperty("gitCloneDepth");
    expect(update.source).not.toHaveProperty("buildspec");
  });

  test("a cache is set, changed and taken away", () => {
    const cacheOf = (p: Project, c: Partial<ProjectForm["cache"]>) => updateRequest(edit(p, (f) => ({ cache: { ...f.cache, ...c } })), p).cache;
    expect(cacheOf(least, { type: "LOCAL", modes: ["LOCAL_CUSTOM_CACHE"] })).toStrictEqual({ type: "LOCAL", modes: ["LOCAL_CUSTOM_CACHE"] });
    expect(cacheOf(least, { type: "S3", location: "bucket/cache", namespace: "team" })).toStrictEqual({ type: "S3", location: "bucket/cache", cacheNamespace: "team" });
    expect(cacheOf(most, { type: "S3", location: "bucket/cache" })).toStrictEqual({ type: "S3", location: "bucket/cache" });
    expect(cacheOf(most, { type: "NO_CACHE" })).toStrictEqual({ type: "NO_CACHE" });
    expect(createRequest(emptyForm("000000000000"))).not.toHaveProperty("cache");
  });

  test("another provider takes nothing of the old one along but the buildspec", () => {
    const form = edit(most, (f) => ({ source: { ...f.source, type: "NO_SOURCE", auth: "" } }));
    expect(updateRequest(form, most).source).toStrictEqual({ type: "NO_SOURCE", sourceIdentifier: "main", buildspec: most.source?.buildspec });
  });

  test("artifacts that end leave no bucket", () => {
    const form = edit(most, (f) => ({ artifacts: { ...f.artifacts, type: "NO_ARTIFACTS" } }));
    expect(updateRequest(form, most).artifacts).toStrictEqual({ type: "NO_ARTIFACTS" });
  });
});

describe("a new project", () => {
  const empty = emptyForm("000000000000");
  const form: ProjectForm = { ...empty, name: "app", source: { ...empty.source, location: "https://github.com/octo/app" } };

  test("says no more than was chosen", () => {
    expect(createRequest(form)).toStrictEqual({
      name: "app",
      source: { type: "GITHUB", location: "https://github.com/octo/app", auth: { type: "OAUTH" }, gitCloneDepth: 1 },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: { type: "LINUX_CONTAINER", image: "local", computeType: "BUILD_GENERAL1_SMALL" },
      serviceRole: "arn:aws:iam::000000000000:role/service-role/codebuild-service-role",
      timeoutInMinutes: 60,
      queuedTimeoutInMinutes: 480,
    });
  });

  test("is shown as it was typed", () => {
    const back = formOf(createRequest(form));
    expect(back).toStrictEqual({ ...form, webhook: { ...form.webhook, buildType: "" } });
  });

  test("without a source has no settings of one", () => {
    const none = { ...form, source: { ...form.source, type: "NO_SOURCE" as const, location: "", auth: "" as const, reportStatus: true, submodules: true } };
    expect(createRequest({ ...none, buildspec: { kind: "inline", file: "", inline: "version: 0.2\n" } }).source).toStrictEqual({ type: "NO_SOURCE", buildspec: "version: 0.2\n" });
  });
});

describe("the webhook", () => {
  const groups = [[{ type: "EVENT" as const, pattern: "PUSH" }]];

  test("is made", () => {
    const form = edit(least, (f) => ({ webhook: { ...f.webhook, on: true, buildType: "BUILD", filterGroups: groups, manual: true } }));
    expect(webhookChange(form, undefined)).toStrictEqual({ kind: "create", input: { projectName: "app", buildType: "BUILD", filterGroups: groups, manualCreation: true } });
  });

  test("is changed where it differs, and keeps its approver roles", () => {
    const form = edit(most, (f) => ({ webhook: { ...f.webhook, approval: "DISABLED" } }));
    expect(webhookChange(form, most.webhook)).toStrictEqual({
      kind: "update",
      input: { projectName: "app", pullRequestBuildPolicy: { requiresCommentApproval: "DISABLED", approverRoles: ["GITHUB_ADMIN"] } },
    });
    const wider = edit(most, (f) => ({ webhook: { ...f.webhook, filterGroups: [] } }));
    expect(webhookChange(wider, most.webhook)).toStrictEqual({ kind: "update", input: { projectName: "app", filterGroups: [] } });
  });

  test("keeps a branch filter that nobody touched", () => {
    const p: Project = { ...least, webhook: { branchFilter: "^main$" } };
    expect(webhookChange(formOf(p), p.webhook)).toEqual({ kind: "none" });
    expect(webhookRequest(formOf(p), p.webhook)).toStrictEqual({ projectName: "app", branchFilter: "^main$" });
  });

  test("is deleted when it is switched off or has no provider", () => {
    const off = edit(most, (f) => ({ webhook: { ...f.webhook, on: false } }));
    const none = edit(most, (f) => ({ source: { ...f.source, type: "NO_SOURCE" } }));
    for (const form of [off, none]) expect(webhookChange(form, most.webhook)).toEqual({ kind: "delete", input: { projectName: "app" } });
  });
});

/** The value as it is sent: JSON has no undefined. */
function dropped(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
