import type { StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import type {
  Ability,
  CredentialBasis,
  CredentialHealth,
  CredentialJob,
  CredentialMatch,
  CredentialPurpose,
  CredentialState,
  CredentialSummary,
  JobAbility,
  TokenKind,
} from "../api/slipway.gen";
import { providerName } from "./providers";

/** The word by which a credential is named, in addresses and on the command line. */
export function handle(c: Pick<CredentialSummary, "name" | "serverType">): string {
  return named(c) ? c.name : c.serverType.toLowerCase();
}

/** What a credential is called. */
export function title(c: Pick<CredentialSummary, "name" | "serverType">): string {
  return named(c) ? c.name : `Default for ${providerName(c.serverType)}`;
}

function named<C extends Pick<CredentialSummary, "name">>(c: C): c is C & { readonly name: string } {
  return c.name !== undefined && c.name !== "";
}

const states: Readonly<Record<CredentialState, readonly [StatusIndicatorProps.Type, string, string]>> = {
  VALID: ["success", "Works", "it works"],
  LIMITED: ["warning", "Works for some things", "it works, but not for everything"],
  INVALID: ["error", "Does not work", "it does not work"],
  EXPIRED: ["error", "Expired", "it has expired"],
  UNREACHABLE: ["warning", "Provider not reached", "the provider could not be asked"],
  UNCHECKED: ["pending", "Not checked", "it was not checked"],
};

/** How a credential is, in a word or two, and the kind of news that is. */
export function stateWords(h: CredentialHealth | undefined): { type: StatusIndicatorProps.Type; text: string } {
  if (h === undefined) return { type: "pending", text: states.UNCHECKED[1] };
  if (canNothing(h)) return { type: "error", text: "Can do nothing" };
  const [type, text] = states[h.state];
  return { type, text };
}

/** How a credential is, in words that follow "the token: ". */
export function stateSentence(h: CredentialHealth): string {
  if (!canNothing(h)) return states[h.state][2];
  const at = h.repository === undefined || h.repository === "" ? "" : ` at ${h.repository}`;
  return `the provider knows it, but it can do nothing${at}`;
}

function canNothing(h: CredentialHealth): boolean {
  return h.state === "LIMITED" && h.jobs !== undefined && h.jobs.length > 0 && h.jobs.every((j) => j.ability === "NO");
}

/** Whether a provider refuses a credential. */
export function dead(state: CredentialState): boolean {
  return state === "INVALID" || state === "EXPIRED";
}

const kinds: Readonly<Record<TokenKind, string>> = {
  GITHUB_CLASSIC: "GitHub personal access token (classic)",
  GITHUB_FINE_GRAINED: "GitHub fine-grained personal access token",
  GITHUB_OAUTH: "GitHub OAuth token",
  GITHUB_APP_USER: "GitHub App token of a user",
  GITHUB_APP_INSTALLATION: "GitHub App installation token",
  GITHUB_APP_REFRESH: "GitHub App refresh token",
  BITBUCKET_API_TOKEN: "Bitbucket API token",
  BITBUCKET_ACCESS_TOKEN: "Bitbucket access token",
  BITBUCKET_REPOSITORY_TOKEN: "Bitbucket repository access token",
  BITBUCKET_PROJECT_TOKEN: "Bitbucket project access token",
  BITBUCKET_WORKSPACE_TOKEN: "Bitbucket workspace access token",
  BITBUCKET_APP_PASSWORD: "Bitbucket app password",
  GITLAB_PERSONAL: "GitLab personal access token",
  GITLAB_PROJECT: "GitLab project access token",
  GITLAB_GROUP: "GitLab group access token",
  GITLAB_DEPLOY: "GitLab deploy token",
  GITLAB_OAUTH: "GitLab OAuth token",
  GITLAB_CI_JOB: "GitLab CI job token",
  GITLAB_TRIGGER: "GitLab trigger token",
  GITLAB_RUNNER: "GitLab runner token",
  UNKNOWN: "Not known",
};

/** What kind of token a credential holds. */
export function kindWords(kind: TokenKind): string {
  return kinds[kind];
}

const jobs: Readonly<Record<CredentialJob, readonly [string, string]>> = {
  CLONE: ["Clone", "Fetch the source of builds."],
  COMMIT_STATUS: ["Commit status", "Report build statuses on commits and pull requests."],
  WEBHOOK: ["Webhook", "Create, change and delete webhooks at the repository."],
  PULL_REQUEST_FILES: ["Pull request files", "Read which files a pull request changes, for FILE_PATH filters."],
};

/** What a job is called, and what it is for. */
export function jobWords(job: CredentialJob): { name: string; why: string } {
  const [name, why] = jobs[job];
  return { name, why };
}

const abilities: Readonly<Record<Ability, readonly [StatusIndicatorProps.Type, string]>> = {
  YES: ["success", "Works"],
  NO: ["error", "Does not work"],
  UNKNOWN: ["pending", "Not known"],
};

/** Whether a job can be done, in words. */
export function abilityWords(ability: Ability): { type: StatusIndicatorProps.Type; text: string } {
  const [type, text] = abilities[ability];
  return { type, text };
}

/** Why a job cannot be done or is not known to work; nothing if there is nothing to say. */
export function whyNot(job: JobAbility): string {
  if (job.message !== undefined && job.message !== "") return job.message;
  const missing = job.missing ?? [];
  if (missing.length === 0) return "";
  return missing.length === 1 ? `The scope ${missing.join("")} is missing.` : `The scopes ${missing.join(", ")} are missing.`;
}

/** Whether what is to be done about a job is said for the whole credential already: that step names all scopes that are missing. */
export function stepTold(job: JobAbility, h: CredentialHealth): boolean {
  return (job.nextStep ?? "") === (h.nextStep ?? "") || dead(h.state) || (h.cause === "MISSING_SCOPE" && job.cause === h.cause);
}

/** Whose token it is. */
export function ownerWords(h: CredentialHealth | undefined): string {
  if (h?.owner === undefined || h.owner === "") return "–";
  return h.ownerIsBot === true ? `${h.owner} (a bot)` : h.owner;
}

/** The scopes of a token as its provider tells them; undefined if it does not. */
export function scopeWords(h: CredentialHealth): string | undefined {
  if (h.scopesKnown !== true) return undefined;
  return h.scopes === undefined || h.scopes.length === 0 ? "none" : h.scopes.join(", ");
}

/** For which repositories a credential is, such as *\/acme/app-*; undefined if it has no match. */
export function matchWords(m: CredentialMatch | undefined): string | undefined {
  if (m === undefined) return undefined;
  const part = (s: string | undefined) => (s === undefined || s === "" ? "*" : s);
  return [part(m.host), part(m.owner), part(m.repository)].join("/");
}

const purposes: Readonly<Record<CredentialPurpose, string>> = {
  FETCH: "Fetch source",
  COMMIT_STATUS: "Commit status",
  WEBHOOK: "Webhook",
  EVENT: "Event",
  POLL: "Poll",
  CHECK: "Check",
};

/** What a credential was given out for. */
export function purposeWords(purpose: CredentialPurpose): string {
  return purposes[purpose];
}

const bases: Readonly<Record<CredentialBasis, string>> = {
  SOURCE_AUTH: "What the source names",
  NO_SOURCE_AUTH: "What a primary source without a repository names",
  NAMED: "Named credential",
  DEFAULT: "The account's default",
};

/** Why a credential is considered for a repository. */
export function basisWords(basis: CredentialBasis): string {
  return bases[basis];
}
