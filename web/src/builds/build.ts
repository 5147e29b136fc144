import type { Build, BuildPhase } from "@aws-sdk/client-codebuild";
import { milliseconds } from "../parts/time";
import { buildName, phaseWords } from "./words";

/** Whether the build is still under way. */
export function inProgress(build: Pick<Build, "buildStatus">): boolean {
  return build.buildStatus === "IN_PROGRESS";
}

const marks: Readonly<Record<string, string>> = { SUCCEEDED: "✓", FAILED: "✗", FAULT: "✗", TIMED_OUT: "✗", STOPPED: "■", IN_PROGRESS: "…" };

/** What the browser's tab says: the status first, since tabs are narrow. */
export function tabTitle(build: Build): string {
  const mark = marks[build.buildStatus ?? ""] ?? "";
  return `${mark} ${buildName(build)}`.trim();
}

/** What is announced when the status or the phase changes. */
export function announcement(build: Build): string {
  const name = buildName(build);
  switch (build.buildStatus) {
    case "SUCCEEDED":
      return `Build ${name} succeeded.`;
    case "FAILED":
    case "FAULT":
      return `Build ${name} failed.`;
    case "TIMED_OUT":
      return `Build ${name} timed out.`;
    case "STOPPED":
      return `Build ${name} was stopped.`;
    default:
      return build.currentPhase === undefined ? `Build ${name} is in progress.` : `Build ${name} is in progress: ${phaseWords(build.currentPhase)}.`;
  }
}

/** What went wrong, where, and by which command. */
export interface Failure {
  readonly phase: string;
  readonly command?: string;
  readonly message: string;
  readonly statusCode?: string;
}

/** Why the build failed: the first phase that did. Undefined for a build that did not fail. */
export function failureOf(build: Build): Failure | undefined {
  if (build.buildStatus !== "FAILED" && build.buildStatus !== "FAULT" && build.buildStatus !== "TIMED_OUT") return undefined;
  const phase = build.phases?.find((p) => p.phaseStatus !== undefined && p.phaseStatus !== "SUCCEEDED");
  if (phase?.phaseType === undefined) return { phase: build.currentPhase ?? "", message: "" };
  const context = phase.contexts?.find((c) => (c.message ?? "") !== "");
  const { command, message } = splitMessage(context?.message ?? "");
  return {
    phase: phase.phaseType,
    message,
    ...(command === undefined ? {} : { command }),
    ...(context?.statusCode === undefined || context.statusCode === "" ? {} : { statusCode: context.statusCode }),
  };
}

/** CodeBuild puts command and reason into one sentence; people want to see the command by itself. */
function splitMessage(message: string): { command?: string; message: string } {
  const said = /^Error while executing command: ([\s\S]*)\. Reason: ([\s\S]*)$/.exec(message);
  if (said?.[1] === undefined || said[2] === undefined) return { message };
  return { command: said[1], message: said[2] };
}

/** How long a phase took, in seconds; of the running one so far. */
export function phaseSeconds(phase: BuildPhase, now: number): number | undefined {
  if (phase.startTime === undefined) return undefined;
  const end = phase.endTime === undefined ? now : milliseconds(phase.endTime);
  return Math.max(0, (end - milliseconds(phase.startTime)) / 1000);
}

/** How long the build waited for its turn: its phase QUEUED. */
export function queuedSeconds(build: Build, now: number): number | undefined {
  const queued = build.phases?.find((p) => p.phaseType === "QUEUED");
  return queued === undefined ? undefined : phaseSeconds(queued, now);
}

/** Where a commit is to be seen at its provider; undefined if that is not known. */
export function commitLink(type: string | undefined, location: string | undefined, commit: string | undefined): string | undefined {
  if (location === undefined || commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit) || !/^https?:\/\/[^/@]+\//.test(location)) return undefined;
  const repository = location.replace(/\/$/, "").replace(/\.git$/, "");
  switch (type) {
    case "GITHUB":
    case "GITHUB_ENTERPRISE":
      return `${repository}/commit/${commit}`;
    case "GITLAB":
    case "GITLAB_SELF_MANAGED":
      return `${repository}/-/commit/${commit}`;
    case "BITBUCKET":
      return `${repository}/commits/${commit}`;
    default:
      return undefined;
  }
}

/** Whether a source is a repository at a provider, which commit statuses and webhooks are for. */
export function atProvider(type: string | undefined): boolean {
  return type !== undefined && ["GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET"].includes(type);
}

const sourceNames: Readonly<Record<string, string>> = {
  GITHUB: "GitHub",
  GITHUB_ENTERPRISE: "GitHub Enterprise Server",
  GITLAB: "GitLab",
  GITLAB_SELF_MANAGED: "GitLab Self Managed",
  BITBUCKET: "Bitbucket",
  CODECOMMIT: "CodeCommit",
  CODEPIPELINE: "CodePipeline",
  S3: "Amazon S3",
  NO_SOURCE: "No source",
};

/** A source type in words. */
export function sourceWords(type: string | undefined): string {
  return sourceNames[type ?? ""] ?? type ?? "–";
}

/** Where the build takes its commands from, in words; the text of an inline buildspec is shown elsewhere. */
export function buildspecWords(buildspec: string | undefined): string {
  if (buildspec === undefined || buildspec === "") return "buildspec.yml in the source";
  return inlineBuildspec(buildspec) ? "Inline commands" : buildspec;
}

/** Whether a buildspec is its text and not a path to it. */
export function inlineBuildspec(buildspec: string | undefined): boolean {
  return buildspec !== undefined && (buildspec.includes("\n") || /^\s*(version|\{)/.test(buildspec));
}
