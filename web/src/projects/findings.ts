import type { ProjectFinding } from "../api/slipway.gen";

/** A member of the request that a field of the form stands for, and how the field is called. */
export const fields: readonly (readonly [member: string, label: string])[] = [
  ["name", "Project name"],
  ["description", "Description"],
  ["badgeEnabled", "Build badge"],
  ["concurrentBuildLimit", "Concurrent build limit"],
  ["autoRetryLimit", "Auto-retry limit"],
  ["tags", "Tags"],
  ["source", "Source provider"],
  ["source.location", "Repository"],
  ["source.auth", "Credential"],
  ["source.gitCloneDepth", "Git clone depth"],
  ["source.gitSubmodulesConfig", "Git submodules"],
  ["source.reportBuildStatus", "Build status"],
  ["source.buildStatusConfig.context", "Status context"],
  ["source.buildStatusConfig.targetUrl", "Target URL"],
  ["source.insecureSsl", "Insecure SSL"],
  ["source.buildspec", "Buildspec"],
  ["sourceVersion", "Source version"],
  ["environment.image", "Image"],
  ["environment.type", "Environment type"],
  ["environment.computeType", "Compute"],
  ["environment.privilegedMode", "Privileged"],
  ["environment.environmentVariables", "Environment variables"],
  ["serviceRole", "Service role"],
  ["timeoutInMinutes", "Timeout"],
  ["queuedTimeoutInMinutes", "Queued timeout"],
  ["buildBatchConfig", "Batch configuration"],
  ["buildBatchConfig.serviceRole", "Batch service role"],
  ["buildBatchConfig.timeoutInMins", "Batch timeout"],
  ["buildBatchConfig.restrictions", "Maximum builds allowed in batch"],
  ["artifacts", "Artifacts type"],
  ["artifacts.location", "Bucket name"],
  ["artifacts.name", "Artifacts name"],
  ["artifacts.path", "Artifacts path"],
  ["cache", "Cache type"],
  ["cache.location", "Cache bucket"],
  ["cache.modes", "Cache modes"],
  ["logsConfig.cloudWatchLogs", "CloudWatch logs"],
  ["logsConfig.cloudWatchLogs.groupName", "Group name"],
  ["logsConfig.cloudWatchLogs.streamName", "Stream name"],
  ["logsConfig.s3Logs", "S3 logs location"],
];

const labels = new Map(fields);

/** How the field of a member is called. */
export function labelOf(member: string): string {
  return labels.get(member) ?? member;
}

/** The field that a member of the request belongs to: its own, or that of what holds it; undefined if none does. */
export function fieldOf(member: string | undefined): string | undefined {
  let at = member ?? "";
  for (;;) {
    if (labels.has(at)) return at;
    const end = Math.max(at.lastIndexOf("."), at.lastIndexOf("["));
    if (end <= 0) return undefined;
    at = at.slice(0, end);
  }
}

export interface FieldFindings {
  readonly errors: readonly ProjectFinding[];
  readonly warnings: readonly ProjectFinding[];
}

export interface Assigned {
  readonly byField: ReadonlyMap<string, FieldFindings>;
  /** What belongs to no field. */
  readonly others: readonly ProjectFinding[];
}

/** Gives each finding to its field. */
export function assign(findings: readonly ProjectFinding[]): Assigned {
  const byField = new Map<string, { errors: ProjectFinding[]; warnings: ProjectFinding[] }>();
  const others: ProjectFinding[] = [];
  for (const f of findings) {
    const field = fieldOf(f.member);
    if (field === undefined) {
      others.push(f);
      continue;
    }
    const of = byField.get(field) ?? { errors: [], warnings: [] };
    byField.set(field, of);
    (f.level === "ERROR" ? of.errors : of.warnings).push(f);
  }
  return { byField, others };
}

/** What is found of one member of an element of a list, such as the name of variable 2. */
export function ofElement(findings: readonly ProjectFinding[], list: string, index: number, name: string): string | undefined {
  const member = `${list}[${index}].${name}`;
  const found = findings.filter((f) => f.member === member).map((f) => f.message);
  return found.length === 0 ? undefined : found.join(" ");
}

/** The finding, in other words where the server's are about JSON: nothing was typed there. */
export function inPlainWords(f: ProjectFinding): ProjectFinding {
  return f.message === "Member must not be null" ? { ...f, message: "A value is needed here." } : f;
}

/** The id of the field of a member, for links to it. */
export function idOf(member: string): string {
  return `field-${member.replaceAll(".", "-")}`;
}
