import type { SourceType } from "@aws-sdk/client-codebuild";
import type { CredentialSummary, ServerType } from "../api/slipway.gen";
import type { SourceForm } from "./form";

const names: Readonly<Record<string, string>> = {
  NO_SOURCE: "No source",
  GITHUB: "GitHub",
  BITBUCKET: "Bitbucket",
  GITHUB_ENTERPRISE: "GitHub Enterprise Server",
  GITLAB: "GitLab",
  GITLAB_SELF_MANAGED: "GitLab Self Managed",
  S3: "Amazon S3",
  CODECOMMIT: "AWS CodeCommit",
  CODEPIPELINE: "AWS CodePipeline",
};

/** The source types that a form offers. */
export const offered: readonly SourceType[] = ["NO_SOURCE", "GITHUB", "BITBUCKET", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "S3", "CODECOMMIT"];

/** What a source type is called. */
export function providerName(type: string | undefined): string {
  return names[type ?? ""] ?? type ?? "–";
}

/** What the URL of a repository looks like there. */
export function exampleUrl(type: ServerType): string {
  switch (type) {
    case "GITHUB":
      return "https://github.com/owner/repository";
    case "BITBUCKET":
      return "https://bitbucket.org/workspace/repository";
    case "GITLAB":
      return "https://gitlab.com/group/project";
    case "GITHUB_ENTERPRISE":
      return "https://github.example.com/owner/repository";
    case "GITLAB_SELF_MANAGED":
      return "https://gitlab.example.com/group/project";
  }
}

/** Whether the provider is on a host of the user's own, whose certificate may be unknown. */
export function selfHosted(type: ServerType): boolean {
  return type === "GITHUB_ENTERPRISE" || type === "GITLAB_SELF_MANAGED";
}

/** How a source names a credential; undefined if the credential has no name of its own. */
export function authOf(c: CredentialSummary): Pick<SourceForm, "auth" | "authResource"> | undefined {
  if (c.name === undefined || c.name === "") return undefined;
  if (c.arn.includes(":secretsmanager:")) return { auth: "SECRETS_MANAGER", authResource: c.arn };
  if (c.connectionArn !== undefined && c.connectionArn !== "") return { auth: "CODECONNECTIONS", authResource: c.connectionArn };
  return undefined;
}

/** The credential that a source names, or that speaks for the provider if it names none. */
export function holderOf(source: SourceForm, held: readonly CredentialSummary[]): CredentialSummary | undefined {
  if (source.auth === "SECRETS_MANAGER" || source.auth === "CODECONNECTIONS") {
    return held.find((c) => c.arn === source.authResource || c.connectionArn === source.authResource || c.resource === source.authResource);
  }
  return held.find((c) => c.name === undefined || c.name === "") ?? held[0];
}
