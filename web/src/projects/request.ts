import type {
  CreateProjectInput,
  CreateWebhookInput,
  EnvironmentVariable,
  LogsConfig,
  Project,
  ProjectArtifacts,
  ProjectBuildBatchConfig,
  ProjectCache,
  ProjectEnvironment,
  ProjectSource,
  UpdateProjectInput,
  UpdateWebhookInput,
  Webhook,
} from "@aws-sdk/client-codebuild";
import { serverOf, type ProjectForm } from "./form";

// What a form says becomes a request here. A setting that was absent and is
// still empty stays absent, and what the form does not show is taken from the
// project as it was, so that editing loses nothing.

/** The request that makes the project of a form; with what only was has, if it is given. */
export function createRequest(form: ProjectForm, was: Project = {}): CreateProjectInput {
  const { secondarySources, secondarySourceVersions, secondaryArtifacts, encryptionKey, vpcConfig, fileSystemLocations } = was;
  return present({
    name: form.name,
    description: text(form.description, was.description),
    source: source(form, was.source),
    secondarySources,
    sourceVersion: text(form.source.version, was.sourceVersion),
    secondarySourceVersions,
    artifacts: artifacts(form, was.artifacts),
    secondaryArtifacts,
    cache: cache(form, was.cache),
    environment: environment(form, was.environment),
    serviceRole: form.serviceRole,
    timeoutInMinutes: number(form.timeout),
    queuedTimeoutInMinutes: number(form.queuedTimeout),
    encryptionKey,
    tags: form.tags.length > 0 || was.tags !== undefined ? form.tags.map((t) => ({ ...t })) : undefined,
    vpcConfig,
    badgeEnabled: flag(form.badge, was.badge?.badgeEnabled),
    logsConfig: logs(form, was.logsConfig),
    fileSystemLocations,
    buildBatchConfig: form.batch.on ? batch(form, was.buildBatchConfig) : undefined,
    concurrentBuildLimit: number(form.concurrentLimit),
    autoRetryLimit: number(form.autoRetryLimit),
  });
}

/**
 * The request that makes the project was into that of a form. What the form does
 * not show is left out and thereby stays; what was taken away is said in the way
 * that CodeBuild has for it.
 */
export function updateRequest(form: ProjectForm, was: Project): UpdateProjectInput {
  const whole = createRequest(form, was);
  const removed = <T>(now: T | undefined, before: T | undefined, none: T): T | undefined => (now === undefined && before !== undefined ? none : now);
  return present({
    name: form.name,
    description: whole.description,
    source: whole.source,
    sourceVersion: whole.sourceVersion,
    artifacts: whole.artifacts,
    cache: whole.cache,
    environment: whole.environment,
    serviceRole: whole.serviceRole,
    timeoutInMinutes: removed(whole.timeoutInMinutes, was.timeoutInMinutes, defaultTimeout),
    queuedTimeoutInMinutes: removed(whole.queuedTimeoutInMinutes, was.queuedTimeoutInMinutes, defaultQueuedTimeout),
    tags: whole.tags,
    badgeEnabled: whole.badgeEnabled,
    logsConfig: whole.logsConfig,
    buildBatchConfig: removed(whole.buildBatchConfig, was.buildBatchConfig, {}),
    concurrentBuildLimit: removed(whole.concurrentBuildLimit, was.concurrentBuildLimit, -1),
    autoRetryLimit: removed(whole.autoRetryLimit, was.autoRetryLimit, 0),
  });
}

/** What CodeBuild takes for a timeout that is not given, in minutes. */
export const defaultTimeout = 60;
export const defaultQueuedTimeout = 480;

/** What has to be done about a project's webhook. */
export type WebhookChange =
  | { readonly kind: "none" }
  | { readonly kind: "create"; readonly input: CreateWebhookInput }
  | { readonly kind: "update"; readonly input: UpdateWebhookInput }
  | { readonly kind: "delete"; readonly input: { readonly projectName: string } };

/** What makes the webhook was, or none, into what a form says. */
export function webhookChange(form: ProjectForm, was: Webhook | undefined): WebhookChange {
  const projectName = form.name;
  const w = form.webhook;
  const wanted = w.on && serverOf(form.source.type) !== undefined;
  if (!wanted) return was === undefined ? { kind: "none" } : { kind: "delete", input: { projectName } };
  const filterGroups = w.filterGroups.map((g) => g.map((f) => present({ ...f })));
  const policy = w.approval === "" ? undefined : { ...was?.pullRequestBuildPolicy, requiresCommentApproval: w.approval };
  if (was === undefined) {
    const input = present({
      projectName,
      buildType: w.buildType === "" ? undefined : w.buildType,
      filterGroups: filterGroups.length === 0 ? undefined : filterGroups,
      manualCreation: w.manual ? true : undefined,
      pullRequestBuildPolicy: policy,
    });
    return { kind: "create", input };
  }
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const input = present({
    projectName,
    filterGroups: same(filterGroups, was.filterGroups ?? []) ? undefined : filterGroups,
    buildType: w.buildType === "" || w.buildType === was.buildType ? undefined : w.buildType,
    pullRequestBuildPolicy: same(policy, was.pullRequestBuildPolicy) ? undefined : policy,
  });
  return Object.keys(input).length === 1 ? { kind: "none" } : { kind: "update", input };
}

/** The webhook of a form as it would be made anew, or undefined for none. */
export function webhookRequest(form: ProjectForm, was: Webhook | undefined): CreateWebhookInput | undefined {
  const change = webhookChange(form, undefined);
  if (change.kind !== "create") return undefined;
  const { branchFilter, scopeConfiguration, pullRequestBuildPolicy } = was ?? {};
  const roles = change.input.pullRequestBuildPolicy ?? pullRequestBuildPolicy;
  return present({
    ...change.input,
    branchFilter: change.input.filterGroups === undefined ? branchFilter : undefined,
    scopeConfiguration,
    pullRequestBuildPolicy: roles === undefined ? undefined : { ...pullRequestBuildPolicy, ...roles },
  });
}

function source(form: ProjectForm, before: ProjectSource | undefined): ProjectSource {
  const s = form.source;
  const was = before?.type === s.type ? before : undefined; // another provider has nothing of the old one's settings
  const buildspec = form.buildspec.kind === "inline" ? form.buildspec.inline : text(form.buildspec.file, isSet(was?.buildspec));
  const common = { ...was, type: s.type, sourceIdentifier: before?.sourceIdentifier, buildspec };
  if (s.type === "NO_SOURCE") {
    return present({ ...common, location: text("", was?.location), auth: auth(form, was) });
  }
  const git = s.type !== "S3" && s.type !== "CODEPIPELINE";
  const reports = serverOf(s.type) !== undefined;
  const status = { context: text(s.statusContext, was?.buildStatusConfig?.context), targetUrl: text(s.statusUrl, was?.buildStatusConfig?.targetUrl) };
  return present({
    ...common,
    location: text(s.location, was?.location),
    auth: auth(form, was),
    gitCloneDepth: git ? number(s.cloneDepth) : was?.gitCloneDepth,
    gitSubmodulesConfig: git && (s.submodules || was?.gitSubmodulesConfig !== undefined) ? { fetchSubmodules: s.submodules } : undefined,
    reportBuildStatus: reports ? flag(s.reportStatus, was?.reportBuildStatus) : undefined,
    buildStatusConfig:
      reports && (status.context !== undefined || status.targetUrl !== undefined || was?.buildStatusConfig !== undefined) ? present(status) : undefined,
    insecureSsl: flag(s.insecureSsl, was?.insecureSsl),
  });
}

/** An absent buildspec and an empty one are the same file; the form tells them apart no more. */
function isSet(buildspec: string | undefined): string | undefined {
  return buildspec === "" ? "" : undefined;
}

function auth(form: ProjectForm, was: ProjectSource | undefined): ProjectSource["auth"] {
  const { auth: type, authResource } = form.source;
  if (type === "") return undefined;
  const same = was?.auth?.type === type ? was.auth : undefined;
  return present({ ...same, type, resource: text(authResource, same?.resource) });
}

function environment(form: ProjectForm, was: ProjectEnvironment | undefined): ProjectEnvironment {
  const e = form.environment;
  return present({
    ...was,
    type: e.type,
    image: e.image,
    computeType: e.computeType,
    privilegedMode: flag(e.privileged, was?.privilegedMode),
    environmentVariables: e.variables.length > 0 || was?.environmentVariables !== undefined ? e.variables.map((v) => variable(v, was)) : undefined,
  });
}

function variable({ name, value, type }: ProjectForm["environment"]["variables"][number], was: ProjectEnvironment | undefined): EnvironmentVariable {
  const before = was?.environmentVariables?.find((v) => v.name === name);
  return present({ ...before, name, value, type: type === "PLAINTEXT" && before !== undefined && before.type === undefined ? undefined : type });
}

function artifacts(form: ProjectForm, before: ProjectArtifacts | undefined): ProjectArtifacts {
  const a = form.artifacts;
  const was = before?.type === a.type ? before : undefined;
  if (a.type !== "S3") return present({ ...was, type: a.type });
  return present({
    ...was,
    type: a.type,
    location: text(a.location, was?.location),
    path: text(a.path, was?.path),
    name: text(a.name, was?.name),
    overrideArtifactName: flag(a.overrideName, was?.overrideArtifactName),
    namespaceType: a.namespace === "" ? undefined : a.namespace,
    packaging: a.packaging === "" ? undefined : a.packaging,
    encryptionDisabled: flag(a.encryptionDisabled, was?.encryptionDisabled),
  });
}

function cache(form: ProjectForm, before: ProjectCache | undefined): ProjectCache | undefined {
  const c = form.cache;
  if (c.type === "NO_CACHE") return before === undefined ? undefined : before.type === "NO_CACHE" ? before : { type: "NO_CACHE" };
  const was = before?.type === c.type ? before : undefined;
  return present({
    ...was,
    type: c.type,
    location: c.type === "S3" ? text(c.location, was?.location) : was?.location,
    modes: c.type === "LOCAL" ? [...c.modes] : was?.modes,
    cacheNamespace: c.type === "S3" ? text(c.namespace, was?.cacheNamespace) : was?.cacheNamespace,
  });
}

function logs(form: ProjectForm, was: LogsConfig | undefined): LogsConfig | undefined {
  const l = form.logs;
  const w = was?.cloudWatchLogs;
  const s = was?.s3Logs;
  const groupName = text(l.group, w?.groupName);
  const streamName = text(l.stream, w?.streamName);
  const location = text(l.s3Location, s?.location);
  const wanted = { cloudWatch: !l.cloudWatch || groupName !== undefined || streamName !== undefined || w !== undefined, s3: l.s3 || s !== undefined };
  if (!wanted.cloudWatch && !wanted.s3) return was;
  return present({
    ...was,
    cloudWatchLogs: wanted.cloudWatch ? present({ ...w, status: l.cloudWatch ? ("ENABLED" as const) : ("DISABLED" as const), groupName, streamName }) : undefined,
    s3Logs: wanted.s3
      ? present({
          ...s,
          status: l.s3 ? ("ENABLED" as const) : ("DISABLED" as const),
          location,
          encryptionDisabled: flag(l.s3EncryptionDisabled, s?.encryptionDisabled),
          bucketOwnerAccess: l.s3OwnerAccess === "" ? undefined : l.s3OwnerAccess,
        })
      : undefined,
  });
}

function batch(form: ProjectForm, was: ProjectBuildBatchConfig | undefined): ProjectBuildBatchConfig {
  const b = form.batch;
  const maximumBuildsAllowed = number(b.maximumBuilds);
  const restricted = maximumBuildsAllowed !== undefined || was?.restrictions !== undefined;
  return present({
    ...was,
    serviceRole: b.serviceRole === "" ? undefined : b.serviceRole,
    timeoutInMins: number(b.timeout),
    combineArtifacts: flag(b.combineArtifacts, was?.combineArtifacts),
    restrictions: restricted ? present({ ...was?.restrictions, maximumBuildsAllowed }) : undefined,
    batchReportMode: b.report === "" ? undefined : b.report,
  });
}

/** A typed text; absent if it is empty and was absent. */
function text(value: string, was: string | undefined): string | undefined {
  return value === "" && was === undefined ? undefined : value;
}

/** A box; absent if it is not checked and was absent. */
function flag(value: boolean, was: boolean | undefined): boolean | undefined {
  return !value && was === undefined ? undefined : value;
}

/** A typed number; absent if it is empty or none. */
function number(value: string): number | undefined {
  const n = Number(value);
  return value.trim() === "" || Number.isNaN(n) ? undefined : n;
}

/** The same without members that are undefined. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T; // such members are optional
}
