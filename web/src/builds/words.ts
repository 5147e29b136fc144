import type { BuildStatus } from "../api/slipway.gen";

/** A status in words. */
export const statusWords: Readonly<Record<BuildStatus, string>> = {
  SUCCEEDED: "Succeeded",
  FAILED: "Failed",
  FAULT: "Fault",
  TIMED_OUT: "Timed out",
  IN_PROGRESS: "In progress",
  STOPPED: "Stopped",
};

/** A build in words: its project and number, or its id if it has no number. */
export function buildName(build: { readonly projectName?: string | undefined; readonly buildNumber?: number | undefined; readonly id?: string | undefined }): string {
  const project = build.projectName ?? projectOf(build.id ?? "");
  if (build.buildNumber !== undefined) return `${project} #${build.buildNumber}`;
  return build.id ?? project;
}

/** The project that an id of a build begins with. */
export function projectOf(id: string): string {
  return id.slice(0, Math.max(id.lastIndexOf(":"), 0));
}

/** A commit, short, if it looks like one; other versions as they are. */
export function shortCommit(version: string): string {
  return /^[0-9a-f]{12,64}$/.test(version) ? version.slice(0, 8) : version;
}

/** A source version as people say it: a branch without refs/heads/, a tag without refs/tags/, a commit short. */
export function shortVersion(version: string): string {
  return shortCommit(version.replace(/^refs\/(heads|tags)\//, ""));
}

/** A phase in words: "PRE_BUILD" is "Pre build". */
export function phaseWords(phase: string): string {
  const words = phase.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Why a build failed, in one line: its phase and what was wrong there. */
export function failureWords(build: { readonly failedPhase?: string | undefined; readonly message?: string | undefined }): string {
  const phase = build.failedPhase === undefined ? "" : build.failedPhase;
  return [phase, build.message ?? ""].filter((part) => part !== "").join(": ");
}

/** Whether a provider's webhook started the build: then its initiator is the provider's user agent. */
export function startedByWebhook(initiator: string | undefined): boolean {
  return initiator !== undefined && /^(GitHub-Hookshot|Bitbucket-Webhooks|GitLab)(\/|$)/.test(initiator);
}

/** How many of something, in words. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
