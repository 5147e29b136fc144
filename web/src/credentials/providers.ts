import type { AuthType, ServerType } from "../api/slipway.gen";

/** The source providers, in the order in which they are offered, by the names that CodeBuild's console gives them. */
export const providers: readonly { readonly serverType: ServerType; readonly name: string }[] = [
  { serverType: "GITHUB", name: "GitHub" },
  { serverType: "GITHUB_ENTERPRISE", name: "GitHub Enterprise Server" },
  { serverType: "BITBUCKET", name: "Bitbucket" },
  { serverType: "GITLAB", name: "GitLab" },
  { serverType: "GITLAB_SELF_MANAGED", name: "GitLab self-managed" },
];

/** What a provider is called. */
export function providerName(serverType: ServerType): string {
  return providers.find((p) => p.serverType === serverType)?.name ?? serverType;
}

/** The server type that a text names, such as one of an address; undefined if it names none. */
export function serverTypeOf(text: string | null | undefined): ServerType | undefined {
  return providers.find((p) => p.serverType === text)?.serverType;
}

/** Whether servers of a type are wherever their owners put them, so that a token must be told which of them it is for. */
export function selfHosted(serverType: ServerType): boolean {
  return serverType === "GITHUB_ENTERPRISE" || serverType === "GITLAB_SELF_MANAGED";
}

/** A way to connect a repository: a choice of the form, and what it asks for. */
export interface Method {
  readonly id: string;
  readonly authType: AuthType;
  /** The choice, beside its radio button. */
  readonly label: string;
  readonly description?: string;
  readonly username?: { readonly label: string; readonly description: string; readonly required: boolean };
  readonly tokenLabel: string;
  readonly save: string;
}

const deployUsername = {
  label: "Username",
  description: "Only for a deploy token: the one that GitLab showed beside it, such as gitlab+deploy-token-1.",
  required: false,
};

const methods: Readonly<Record<ServerType, readonly [Method, ...Method[]]>> = {
  GITHUB: [
    {
      id: "token",
      authType: "PERSONAL_ACCESS_TOKEN",
      label: "Connect with a GitHub personal access token",
      tokenLabel: "GitHub personal access token",
      save: "Save token",
    },
  ],
  GITHUB_ENTERPRISE: [
    {
      id: "token",
      authType: "PERSONAL_ACCESS_TOKEN",
      label: "Connect with a GitHub Enterprise Server personal access token",
      tokenLabel: "GitHub Enterprise Server personal access token",
      save: "Save token",
    },
  ],
  BITBUCKET: [
    {
      id: "basic",
      authType: "BASIC_AUTH",
      label: "Connect with a Bitbucket app password or API token",
      username: {
        label: "Bitbucket username",
        description: "For an API token: the e-mail address of the Atlassian account that made it.",
        required: true,
      },
      tokenLabel: "Bitbucket app password or API token",
      save: "Save Bitbucket credentials",
    },
    {
      id: "access",
      authType: "PERSONAL_ACCESS_TOKEN",
      label: "Connect with a Bitbucket access token",
      description: "An access token of a repository, project or workspace. It needs no username.",
      tokenLabel: "Bitbucket access token",
      save: "Save token",
    },
  ],
  GITLAB: [
    {
      id: "token",
      authType: "PERSONAL_ACCESS_TOKEN",
      label: "Connect with a GitLab personal access token",
      description: "An access token of a project or group works, too.",
      username: deployUsername,
      tokenLabel: "GitLab personal access token",
      save: "Save token",
    },
  ],
  GITLAB_SELF_MANAGED: [
    {
      id: "token",
      authType: "PERSONAL_ACCESS_TOKEN",
      label: "Connect with a GitLab self-managed personal access token",
      description: "An access token of a project or group works, too.",
      username: deployUsername,
      tokenLabel: "GitLab personal access token",
      save: "Save token",
    },
  ],
};

/** The ways to connect to a provider, the usual one first. */
export function methodsOf(serverType: ServerType): readonly [Method, ...Method[]] {
  return methods[serverType];
}

/** The way that an id names, or the usual one. */
export function methodOf(serverType: ServerType, id: string): Method {
  const all = methods[serverType];
  return all.find((m) => m.id === id) ?? all[0];
}

/** The words of the command line that import such a token from a file. */
export function importCommand(serverType: ServerType, method: Method): string {
  const words = ["slipway credential import --server-type", serverType];
  if (selfHosted(serverType)) words.push("--host", serverType === "GITHUB_ENTERPRISE" ? "ghe.example.com" : "gitlab.example.com");
  if (method.username?.required === true) words.push("--username", "me@example.com");
  return [...words, "--token-file", "token.txt"].join(" ");
}

/** The words of the command line that take a token from where AWS keeps it, as named by its ARN in a file. */
export function referenceCommand(serverType: ServerType, authType: "SECRETS_MANAGER" | "CODECONNECTIONS"): string {
  return `slipway credential import --server-type ${serverType} --auth-type ${authType} --token-file arn.txt`;
}
