import type { CredentialMatch, CredentialSummary, ImportCredentialInput, ServerType } from "../api/slipway.gen";
import { methodOf, methodsOf, selfHosted, type Method } from "./providers";

/** What the form holds besides the token, which is kept apart from everything else. */
export interface Draft {
  readonly method: string;
  readonly username: string;
  readonly host: string;
  readonly caBundle: string;
  readonly name: string;
  readonly matchHost: string;
  readonly matchOwner: string;
  readonly matchRepository: string;
  /** A day such as 2027-05-31, or nothing. */
  readonly expires: string;
}

/** What is wrong with what the form holds, by field. */
export type Faults = Partial<Record<keyof Draft | "token", string>>;

/** An empty form, or that for another token of a credential that there is. */
export function draftOf(serverType: ServerType, replaces?: CredentialSummary): Draft {
  const same = methodsOf(serverType).find((m) => m.authType === replaces?.authType);
  return {
    method: (same ?? methodsOf(serverType)[0]).id,
    username: replaces?.username ?? "",
    host: replaces?.hosts?.join(", ") ?? "",
    caBundle: "",
    name: replaces?.name ?? "",
    matchHost: replaces?.match?.host ?? "",
    matchOwner: replaces?.match?.owner ?? "",
    matchRepository: replaces?.match?.repository ?? "",
    expires: "",
  };
}

/**
 * Returns what is wrong with a draft and its token, as far as it can be told
 * without asking the server. What replaces another keeps its hosts.
 */
export function faultsOf(serverType: ServerType, draft: Draft, token: string, replaces = false, now = Date.now()): Faults {
  const method = methodOf(serverType, draft.method);
  const faults: Faults = {};
  const tokenFault = faultOfToken(serverType, method, token.trim());
  if (tokenFault !== undefined) faults.token = tokenFault;
  const username = draft.username.trim();
  if (method.username?.required === true && username === "") {
    faults.username = "Enter the username. With an API token it is the e-mail address of your Atlassian account.";
  } else if (method.authType === "BASIC_AUTH" && token.trim().startsWith("ATAT") && !username.includes("@")) {
    faults.username = "This is an API token: Bitbucket takes it only with the e-mail address of the Atlassian account that made it.";
  } else if (method.username !== undefined && token.trim().startsWith("gldt-") && username === "") {
    faults.username = "This is a deploy token: enter the username that GitLab showed beside it, such as gitlab+deploy-token-1.";
  }
  if (selfHosted(serverType)) {
    const hosts = hostsOf(draft.host);
    const odd = hosts.find((h) => !hostForm.test(h));
    if (hosts.length === 0 && !replaces) faults.host = "Enter the host. The token is sent nowhere else.";
    else if (odd !== undefined) faults.host = "A host reads host, host:port or host/path, such as git.example.com:8443.";
    if (draft.caBundle.includes("PRIVATE KEY")) faults.caBundle = "This holds a private key. Give only the parts from BEGIN CERTIFICATE to END CERTIFICATE.";
    else if (draft.caBundle.trim() !== "" && !draft.caBundle.includes("-----BEGIN CERTIFICATE-----")) {
      faults.caBundle = "This is not in PEM form: it must hold -----BEGIN CERTIFICATE-----.";
    }
  }
  const name = draft.name.trim();
  if (name !== "" && !nameForm.test(name)) faults.name = "A name begins with a letter or digit and holds only letters, digits and . _ @ + -";
  else if (name.length > 64) faults.name = "A name can have at most 64 characters.";
  else if (name === "" && matchOf(serverType, draft) !== undefined) faults.name = "What applies to some repositories only needs a name, such as acme-deploy.";
  if (draft.expires !== "") {
    const at = secondsOf(draft.expires);
    if (at === undefined) faults.expires = "Enter a day such as 2027/05/31.";
    else if (at * 1000 <= now) faults.expires = "This day is over. Make a new token, and give the day on which that expires.";
  }
  return faults;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
const hostForm = /^([a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?((\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)$/;

/** What tokens begin with, and whose they are. Looks count for warnings that save a round, never for what is possible. */
const prefixes: readonly (readonly [string, "GitHub" | "Bitbucket" | "GitLab"])[] = [
  ["github_pat_", "GitHub"],
  ["ghp_", "GitHub"],
  ["gho_", "GitHub"],
  ["ghu_", "GitHub"],
  ["ghs_", "GitHub"],
  ["ghr_", "GitHub"],
  ["ATAT", "Bitbucket"],
  ["ATCT", "Bitbucket"],
  ["ATBB", "Bitbucket"],
  ["glpat-", "GitLab"],
  ["gldt-", "GitLab"],
];

function faultOfToken(serverType: ServerType, method: Method, token: string): string | undefined {
  if (token === "") return "Enter the token.";
  if (/\s/.test(token)) return "A token has no spaces or line breaks: copy the token alone, in one line.";
  const looks = prefixes.find(([prefix]) => token.startsWith(prefix))?.[1];
  const family = serverType.startsWith("GITHUB") ? "GitHub" : serverType.startsWith("GITLAB") ? "GitLab" : "Bitbucket";
  if (looks !== undefined && looks !== family) return `This looks like a token of ${looks}. Choose that as the source provider, or enter a token of ${family}.`;
  if (serverType === "BITBUCKET" && method.authType === "BASIC_AUTH" && token.startsWith("ATCT")) {
    return "This is an access token of a repository, project or workspace. Choose to connect with a Bitbucket access token.";
  }
  if (serverType === "BITBUCKET" && method.authType === "PERSONAL_ACCESS_TOKEN" && token.startsWith("ATAT")) {
    return "This is an API token, which goes with an e-mail address. Choose to connect with a Bitbucket app password or API token.";
  }
  return undefined;
}

/** The hosts that a text lists, as the server has them: without a scheme and a slash at the end. */
export function hostsOf(text: string): string[] {
  const plain = (host: string) => {
    const [name = "", ...path] = host.replace(/^https?:\/\//i, "").replace(/\/$/, "").split("/");
    return [name.toLowerCase(), ...path].join("/");
  };
  return text
    .split(/[\s,]+/)
    .filter((host) => host !== "")
    .map(plain);
}

function matchOf(serverType: ServerType, draft: Draft): CredentialMatch | undefined {
  const parts = {
    ...(selfHosted(serverType) && draft.matchHost.trim() !== "" ? { host: draft.matchHost.trim() } : {}),
    ...(draft.matchOwner.trim() === "" ? {} : { owner: draft.matchOwner.trim() }),
    ...(draft.matchRepository.trim() === "" ? {} : { repository: draft.matchRepository.trim() }),
  };
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function secondsOf(day: string): number | undefined {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : NaN; // midnight, UTC
  return Number.isNaN(at) ? undefined : at / 1000;
}

/** What to send to store a draft with its token. What the provider or way of connecting does not take is left out. */
export function requestOf(serverType: ServerType, draft: Draft, token: string): ImportCredentialInput {
  const method = methodOf(serverType, draft.method);
  const username = method.username === undefined ? "" : draft.username.trim();
  const hosts = selfHosted(serverType) ? hostsOf(draft.host) : [];
  const caBundle = selfHosted(serverType) ? draft.caBundle.trim() : "";
  const name = draft.name.trim();
  const match = matchOf(serverType, draft);
  const expires = secondsOf(draft.expires);
  return {
    serverType,
    authType: method.authType,
    token: token.trim(),
    ...(username === "" ? {} : { username }),
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(caBundle === "" ? {} : { caBundle: caBundle + "\n" }),
    ...(name === "" ? {} : { name }),
    ...(match === undefined ? {} : { match }),
    ...(expires === undefined ? {} : { expires }),
  };
}

/** The first host of a text that may be still being typed; undefined unless it certainly is one. */
export function hostSoFar(text: string): string | undefined {
  const given = text.trim().replace(/^https?:\/\//, "").split(/[\s,/]/)[0] ?? "";
  const likely = given.length <= 253 && hostForm.test(given) && /[.:]/.test(given) && !prefixes.some(([prefix]) => given.startsWith(prefix));
  return likely ? given : undefined;
}
