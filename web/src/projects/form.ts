import type {
  ArtifactsType,
  BatchReportModeType,
  BucketOwnerAccess,
  CacheMode,
  CacheType,
  ComputeType,
  EnvironmentType,
  EnvironmentVariableType,
  Project,
  PullRequestBuildCommentApproval,
  SourceAuthType,
  SourceType,
  WebhookBuildType,
  WebhookFilter,
} from "@aws-sdk/client-codebuild";
import type { ServerType } from "../api/slipway.gen";
import { isInline } from "./buildspec";

export type FilterGroups = readonly (readonly WebhookFilter[])[];

/** A variable as it is typed. */
export interface VariableForm {
  readonly name: string;
  readonly value: string;
  readonly type: EnvironmentVariableType;
}

export interface TagForm {
  readonly key: string;
  readonly value: string;
}

export interface SourceForm {
  readonly type: SourceType;
  readonly location: string;
  /** How the source signs in: "" says nothing about it. */
  readonly auth: SourceAuthType | "";
  readonly authResource: string;
  readonly version: string;
  readonly cloneDepth: string;
  readonly submodules: boolean;
  readonly reportStatus: boolean;
  readonly statusContext: string;
  readonly statusUrl: string;
  readonly insecureSsl: boolean;
}

export interface WebhookForm {
  readonly on: boolean;
  readonly buildType: WebhookBuildType | "";
  readonly filterGroups: FilterGroups;
  readonly approval: PullRequestBuildCommentApproval | "";
  readonly manual: boolean;
}

export interface EnvironmentForm {
  readonly image: string;
  readonly type: EnvironmentType;
  readonly computeType: ComputeType;
  readonly privileged: boolean;
  readonly variables: readonly VariableForm[];
}

export interface BuildspecForm {
  readonly kind: "file" | "inline";
  readonly file: string;
  readonly inline: string;
}

export interface BatchForm {
  readonly on: boolean;
  readonly serviceRole: string;
  readonly timeout: string;
  readonly maximumBuilds: string;
  readonly combineArtifacts: boolean;
  readonly report: BatchReportModeType | "";
}

export interface ArtifactsForm {
  readonly type: ArtifactsType;
  readonly location: string;
  readonly path: string;
  readonly name: string;
  readonly overrideName: boolean;
  readonly namespace: "" | "NONE" | "BUILD_ID";
  readonly packaging: "" | "NONE" | "ZIP";
  readonly encryptionDisabled: boolean;
}

export interface CacheForm {
  readonly type: CacheType;
  readonly location: string;
  readonly modes: readonly CacheMode[];
  readonly namespace: string;
}

export interface LogsForm {
  readonly cloudWatch: boolean;
  readonly group: string;
  readonly stream: string;
  readonly s3: boolean;
  readonly s3Location: string;
  readonly s3EncryptionDisabled: boolean;
  readonly s3OwnerAccess: BucketOwnerAccess | "";
}

/** What stands in the form of a project. Numbers are texts, as they are typed. */
export interface ProjectForm {
  readonly name: string;
  readonly description: string;
  readonly badge: boolean;
  readonly concurrentLimit: string;
  readonly autoRetryLimit: string;
  readonly tags: readonly TagForm[];
  readonly source: SourceForm;
  readonly webhook: WebhookForm;
  readonly environment: EnvironmentForm;
  readonly serviceRole: string;
  readonly timeout: string;
  readonly queuedTimeout: string;
  readonly buildspec: BuildspecForm;
  readonly batch: BatchForm;
  readonly artifacts: ArtifactsForm;
  readonly cache: CacheForm;
  readonly logs: LogsForm;
}

const servers: ReadonlySet<string> = new Set<ServerType>(["GITHUB", "BITBUCKET", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED"]);

/** The server type of a source, or undefined if it is of no provider. */
export function serverOf(type: SourceType | undefined): ServerType | undefined {
  return type !== undefined && servers.has(type) ? (type as ServerType) : undefined; // the set holds no others
}

/** The form of a new project in an account. */
export function emptyForm(account: string): ProjectForm {
  return {
    name: "",
    description: "",
    badge: false,
    concurrentLimit: "",
    autoRetryLimit: "",
    tags: [],
    source: {
      type: "GITHUB",
      location: "",
      auth: "OAUTH",
      authResource: "",
      version: "",
      cloneDepth: "1",
      submodules: false,
      reportStatus: false,
      statusContext: "",
      statusUrl: "",
      insecureSsl: false,
    },
    webhook: { on: false, buildType: "BUILD", filterGroups: [], approval: "", manual: false },
    environment: { image: "local", type: "LINUX_CONTAINER", computeType: "BUILD_GENERAL1_SMALL", privileged: false, variables: [] },
    serviceRole: `arn:aws:iam::${account}:role/service-role/codebuild-service-role`,
    timeout: "60",
    queuedTimeout: "480",
    buildspec: { kind: "file", file: "", inline: "" },
    batch: { on: false, serviceRole: "", timeout: "", maximumBuilds: "", combineArtifacts: false, report: "" },
    artifacts: { type: "NO_ARTIFACTS", location: "", path: "", name: "", overrideName: false, namespace: "", packaging: "", encryptionDisabled: false },
    cache: { type: "NO_CACHE", location: "", modes: [], namespace: "" },
    logs: { cloudWatch: true, group: "", stream: "", s3: false, s3Location: "", s3EncryptionDisabled: false, s3OwnerAccess: "" },
  };
}

/** The form that shows a project. */
export function formOf(p: Project): ProjectForm {
  const { source: s, environment: e, artifacts: a, cache: c, webhook: w, buildBatchConfig: b, logsConfig: l } = p;
  const inline = isInline(s?.buildspec);
  return {
    name: p.name ?? "",
    description: p.description ?? "",
    badge: p.badge?.badgeEnabled ?? false,
    concurrentLimit: digits(p.concurrentBuildLimit),
    autoRetryLimit: digits(p.autoRetryLimit),
    tags: (p.tags ?? []).map((t) => ({ key: t.key ?? "", value: t.value ?? "" })),
    source: {
      type: s?.type ?? "NO_SOURCE",
      location: s?.location ?? "",
      auth: s?.auth?.type ?? "",
      authResource: s?.auth?.resource ?? "",
      version: p.sourceVersion ?? "",
      cloneDepth: digits(s?.gitCloneDepth),
      submodules: s?.gitSubmodulesConfig?.fetchSubmodules ?? false,
      reportStatus: s?.reportBuildStatus ?? false,
      statusContext: s?.buildStatusConfig?.context ?? "",
      statusUrl: s?.buildStatusConfig?.targetUrl ?? "",
      insecureSsl: s?.insecureSsl ?? false,
    },
    webhook: {
      on: w !== undefined,
      buildType: w?.buildType ?? "",
      filterGroups: w?.filterGroups ?? [],
      approval: w?.pullRequestBuildPolicy?.requiresCommentApproval ?? "",
      manual: w?.manualCreation ?? false,
    },
    environment: {
      image: e?.image ?? "",
      type: e?.type ?? "LINUX_CONTAINER",
      computeType: e?.computeType ?? "BUILD_GENERAL1_SMALL",
      privileged: e?.privilegedMode ?? false,
      variables: (e?.environmentVariables ?? []).map((v) => ({ name: v.name ?? "", value: v.value ?? "", type: v.type ?? "PLAINTEXT" })),
    },
    serviceRole: p.serviceRole ?? "",
    timeout: digits(p.timeoutInMinutes),
    queuedTimeout: digits(p.queuedTimeoutInMinutes),
    buildspec: { kind: inline ? "inline" : "file", file: inline ? "" : (s?.buildspec ?? ""), inline: inline ? (s?.buildspec ?? "") : "" },
    batch: {
      on: b !== undefined,
      serviceRole: b?.serviceRole ?? "",
      timeout: digits(b?.timeoutInMins),
      maximumBuilds: digits(b?.restrictions?.maximumBuildsAllowed),
      combineArtifacts: b?.combineArtifacts ?? false,
      report: b?.batchReportMode ?? "",
    },
    artifacts: {
      type: a?.type ?? "NO_ARTIFACTS",
      location: a?.location ?? "",
      path: a?.path ?? "",
      name: a?.name ?? "",
      overrideName: a?.overrideArtifactName ?? false,
      namespace: a?.namespaceType ?? "",
      packaging: a?.packaging ?? "",
      encryptionDisabled: a?.encryptionDisabled ?? false,
    },
    cache: { type: c?.type ?? "NO_CACHE", location: c?.location ?? "", modes: c?.modes ?? [], namespace: c?.cacheNamespace ?? "" },
    logs: {
      cloudWatch: l?.cloudWatchLogs?.status !== "DISABLED",
      group: l?.cloudWatchLogs?.groupName ?? "",
      stream: l?.cloudWatchLogs?.streamName ?? "",
      s3: l?.s3Logs?.status === "ENABLED",
      s3Location: l?.s3Logs?.location ?? "",
      s3EncryptionDisabled: l?.s3Logs?.encryptionDisabled ?? false,
      s3OwnerAccess: l?.s3Logs?.bucketOwnerAccess ?? "",
    },
  };
}

function digits(n: number | undefined): string {
  return n === undefined ? "" : n.toString();
}
