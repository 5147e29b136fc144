import type { PullRequestBuildCommentApproval } from "@aws-sdk/client-codebuild";

/** Which pull requests wait for an approver's comment. */
export const approvals: readonly { readonly value: PullRequestBuildCommentApproval; readonly label: string; readonly description: string }[] = [
  { value: "ALL_PULL_REQUESTS", label: "All pull requests", description: "Of authors who may not write to the repository" },
  { value: "FORK_PULL_REQUESTS", label: "Pull requests from forks", description: "Of authors who may not write to the repository" },
  { value: "DISABLED", label: "None", description: "Every pull request that the filters let through builds at once" },
];

/** The choice of a webhook; one from before there were policies has none. */
export function approval(value: PullRequestBuildCommentApproval | undefined): (typeof approvals)[number] {
  return approvals.find((a) => a.value === value) ?? { value: "DISABLED", label: "None", description: "" };
}
