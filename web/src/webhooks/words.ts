import type { DeliveryState, FilterGroupVerdict, FilterVerdict, ProjectVerdict, ProviderHookState, ServerType, SignatureVerdict, VerdictOutcome } from "../api/slipway.gen";

/** How Cloudscape's status indicator shows something, and in which words. */
export type Words = readonly [type: "success" | "error" | "warning" | "info" | "pending" | "stopped" | "in-progress", text: string];

/** The providers as people write their names. */
export const providers: Readonly<Record<ServerType, string>> = {
  GITHUB: "GitHub",
  GITHUB_ENTERPRISE: "GitHub Enterprise",
  BITBUCKET: "Bitbucket",
  GITLAB: "GitLab",
  GITLAB_SELF_MANAGED: "GitLab Self Managed",
};

export const signatureWords: Readonly<Record<SignatureVerdict, Words>> = {
  VALID: ["success", "Valid"],
  VALID_OLD_SECRET: ["success", "Valid, with the secret before the present one"],
  INVALID: ["error", "Invalid"],
  MISSING: ["error", "Missing"],
  STALE: ["warning", "Stale: signed too long ago"],
  POLLED: ["info", "None: found by polling"],
  TEST: ["info", "None: delivered again or tested here"],
};

export const stateWords: Readonly<Record<DeliveryState, Words>> = {
  PENDING: ["pending", "Not evaluated yet"],
  DONE: ["success", "Evaluated"],
  REFUSED: ["error", "Refused"],
};

export const outcomeWords: Readonly<Record<VerdictOutcome, Words>> = {
  BUILD: ["success", "Built"],
  NO_MATCH: ["stopped", "Did not build"],
  WITHHELD: ["pending", "Waits for approval"],
  IGNORED: ["stopped", "Ignored"],
  FAILED: ["error", "Failed to start a build"],
};

/** What came of a delivery in a list, in a sentence's length. */
export function cameWords(outcome: VerdictOutcome, reason: string): Words {
  const [type, text] = outcomeWords[outcome];
  const why = plain(reason).replace(/\.$/, "");
  switch (outcome) {
    case "NO_MATCH":
      return [type, why === "" ? text : why];
    case "WITHHELD":
      return [type, "Withheld: waits for approval"]; // why, and what to do, is long
    case "IGNORED":
      return [type, why === "" ? text : `Ignored: ${why}`];
    case "FAILED":
      return [type, why === "" ? text : `Failed: ${why}`];
    case "BUILD":
      return [type, text];
  }
}

/** Outcomes of what is only held against filters. */
export const wouldWords: Readonly<Record<VerdictOutcome, Words>> = {
  BUILD: ["success", "Would build"],
  NO_MATCH: ["stopped", "Would not build"],
  WITHHELD: ["pending", "Would wait for approval"],
  IGNORED: ["stopped", "Would be ignored"],
  FAILED: ["error", "Would fail to start a build"],
};

export const hookStateWords: Readonly<Record<ProviderHookState, Words>> = {
  ACTIVE: ["success", "Active"],
  DISABLED: ["error", "Disabled at the provider"],
  MISSING: ["error", "Missing at the provider"],
  MANUAL: ["info", "Set up by hand"],
  POLLED: ["info", "Polled"],
  UNKNOWN: ["warning", "Unknown"],
};

/** A stranger's text as it may be shown: nothing in it turns the direction of reading or hides. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (c) => (c === "\n" || c === "\t" ? c : " "));
}

/** Why no build came of a verdict: which filters said no, by group. */
export function whyNot({ outcome, groups = [], reason = "" }: ProjectVerdict): string {
  if (outcome !== "NO_MATCH" || groups.length === 0) return reason;
  const said = groups.map((g, i) => {
    const names = refusals(g).map((f) => (f.excludeMatchedPattern === true ? `excluded ${f.type}` : f.type));
    return names.length === 0 ? "" : `${names.join(" and ")} said no${groups.length > 1 ? ` in group ${i + 1}` : ""}`;
  });
  const words = said.filter((s) => s !== "").join("; ");
  return words === "" ? reason : words;
}

/** The filters of a group that said no. */
export function refusals(group: FilterGroupVerdict): readonly FilterVerdict[] {
  return (group.filters ?? []).filter((f) => !f.matched);
}

/** What an event was about: "PUSH, head refs/heads/main, commit 0123…". */
export function about(v: ProjectVerdict): string {
  const parts = [v.event ?? ""];
  if (v.pullRequest !== undefined && v.pullRequest !== 0) parts.push(`pull request ${v.pullRequest}`);
  const named: readonly (readonly [string, string | undefined])[] = [
    ["head", v.headRef],
    ["base", v.baseRef],
    ["commit", v.commitId],
    ["actor", [v.actor, v.actorAccountId].filter((part) => part !== undefined && part !== "").join(" ")],
  ];
  for (const [name, value] of named) if (value !== undefined && value !== "") parts.push(`${name} ${plain(value)}`);
  return parts.filter((part) => part !== "").join(", ");
}
