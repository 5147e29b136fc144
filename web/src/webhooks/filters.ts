import type { WebhookFilter, WebhookFilterType } from "@aws-sdk/client-codebuild";
import type { ServerType, TestFilter } from "../api/slipway.gen";

/** One condition of a filter group. */
export type Filter = TestFilter;

/** Conditions that must all hold. */
export type FilterGroup = readonly Filter[];

/** Filter groups of which any may match, as create-webhook takes them. */
export type FilterGroups = readonly FilterGroup[];

const gitHubEvents = [
  "PUSH",
  "PULL_REQUEST_CREATED",
  "PULL_REQUEST_UPDATED",
  "PULL_REQUEST_REOPENED",
  "PULL_REQUEST_MERGED",
  "PULL_REQUEST_CLOSED",
  "RELEASED",
  "PRERELEASED",
  "WORKFLOW_JOB_QUEUED",
] as const;
const gitLabEvents = gitHubEvents.filter((e) => e !== "PRERELEASED");

/** The events that each provider tells of, in the order of CodeBuild's guide. */
export const eventsOf: Readonly<Record<ServerType, readonly string[]>> = {
  GITHUB: gitHubEvents,
  GITHUB_ENTERPRISE: gitHubEvents,
  GITLAB: gitLabEvents,
  GITLAB_SELF_MANAGED: gitLabEvents,
  BITBUCKET: gitHubEvents.slice(0, 6).filter((e) => e !== "PULL_REQUEST_REOPENED"),
};

/** What each event is, in a few words. */
export const eventWords: Readonly<Record<string, string>> = {
  PUSH: "A branch or tag is pushed",
  PULL_REQUEST_CREATED: "A pull request is opened",
  PULL_REQUEST_UPDATED: "Commits are pushed to a pull request",
  PULL_REQUEST_REOPENED: "A closed pull request is opened again",
  PULL_REQUEST_MERGED: "A pull request is merged",
  PULL_REQUEST_CLOSED: "A pull request is closed without a merge",
  RELEASED: "A release is published",
  PRERELEASED: "A pre-release is published",
  WORKFLOW_JOB_QUEUED: "A workflow job waits for a runner",
};

/** What is known of a type of filter. */
export interface FilterType {
  readonly type: string;
  /** What its pattern is held against. */
  readonly words: string;
  /** A pattern to begin with. */
  readonly example: string;
}

const filterTypes: readonly FilterType[] = [
  { type: "HEAD_REF", words: "The full ref that was pushed or that a pull request comes from", example: "^refs/heads/main$" },
  { type: "BASE_REF", words: "The full ref that a pull request goes into", example: "^refs/heads/main$" },
  { type: "FILE_PATH", words: "Paths that changed; one that matches is enough", example: "^src/" },
  { type: "COMMIT_MESSAGE", words: "The message of the head commit", example: "\\[skip ci\\]" },
  { type: "ACTOR_ACCOUNT_ID", words: "The provider's id of the account whose doing it is", example: "^12345$" },
  { type: "TAG_NAME", words: "The tag of a release", example: "^v[0-9]" },
  { type: "RELEASE_NAME", words: "The name of a release", example: "^Release " },
  { type: "WORKFLOW_NAME", words: "The name of the workflow that waits", example: "^CI$" },
  { type: "REPOSITORY_NAME", words: "The name of the repository", example: "^app$" },
  { type: "ORGANIZATION_NAME", words: "The name of the organization", example: "^acme$" },
];

/** The location of a source that stands for all repositories of an organization or group. */
const everyRepository = "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION";

/** The types of filter that a provider's webhooks have for a repository, besides EVENT. */
export function filterTypesOf(server: ServerType, repositoryUrl: string): readonly FilterType[] {
  const known = eventsOf[server];
  return filterTypes.filter(({ type }) => {
    if (type === "REPOSITORY_NAME") return repositoryUrl === everyRepository;
    if (type === "ORGANIZATION_NAME") return repositoryUrl === everyRepository && server.startsWith("GITHUB");
    return known.some((event) => carries(event, type));
  });
}

/** What is known of a type of filter, also one that we have never heard of. */
export function filterType(type: string): FilterType {
  return filterTypes.find((t) => t.type === type) ?? { type, words: "", example: "" };
}

/** Whether an event has a value for a type of filter: the server refuses a group with one that has none. */
export function carries(event: string, type: string): boolean {
  const pull = event.startsWith("PULL_REQUEST_");
  const release = event === "RELEASED" || event === "PRERELEASED";
  switch (type) {
    case "HEAD_REF":
      return event === "PUSH" || pull || release;
    case "BASE_REF":
      return pull;
    case "FILE_PATH":
    case "COMMIT_MESSAGE":
      return event === "PUSH" || pull;
    case "TAG_NAME":
    case "RELEASE_NAME":
      return release;
    case "WORKFLOW_NAME":
      return event === "WORKFLOW_JOB_QUEUED";
  }
  return true;
}

/** The names in the pattern of an EVENT filter. */
export function eventNames(pattern: string): readonly string[] {
  return pattern
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** The pattern of an EVENT filter that names events, in the order of CodeBuild's guide. */
export function eventPattern(names: readonly string[]): string {
  const place = (name: string) => {
    const i = gitHubEvents.findIndex((e) => e === name);
    return i < 0 ? gitHubEvents.length : i;
  };
  return [...new Set(names)].sort((a, b) => place(a) - place(b)).join(", ");
}

/** Where in a group the filter is that lists its events; -1 if it has none. */
export function eventIndex(group: FilterGroup): number {
  return group.findIndex((f) => f.type === "EVENT" && f.excludeMatchedPattern !== true);
}

/** The events that a group is about. */
export function groupEvents(group: FilterGroup): readonly string[] {
  const filter = group[eventIndex(group)];
  return filter === undefined ? [] : eventNames(filter.pattern);
}

/** The group about other events. */
export function withEvents(group: FilterGroup, names: readonly string[]): FilterGroup {
  const at = eventIndex(group);
  const filter: Filter = { type: "EVENT", pattern: eventPattern(names) };
  return at < 0 ? [filter, ...group] : group.with(at, { ...group[at], ...filter });
}

/** A filter and its place in its group. */
export interface PlacedFilter {
  readonly index: number;
  readonly filter: Filter;
}

/** The filters of a group besides its events: those under which to build, or those under which not to. */
export function conditions(group: FilterGroup, exclude: boolean): readonly PlacedFilter[] {
  const events = eventIndex(group);
  return group.map((filter, index) => ({ filter, index })).filter(({ filter, index }) => index !== events && (filter.excludeMatchedPattern === true) === exclude);
}

/** What a filter is called among those of its groups: "HEAD_REF in filter group 1". */
export function filterName(group: FilterGroup, index: number, groupNumber: number): string {
  const filter = group[index];
  if (filter === undefined) return `filter group ${groupNumber}`;
  const alike = group.slice(0, index).filter((f) => f.type === filter.type && (f.excludeMatchedPattern === true) === (filter.excludeMatchedPattern === true));
  const same = filter.type === "EVENT" && filter.excludeMatchedPattern !== true ? alike.length - 1 : alike.length;
  const what = filter.excludeMatchedPattern === true ? `excluded ${filter.type}` : filter.type;
  return `${what}${same > 0 ? ` (${same + 1})` : ""} in filter group ${groupNumber}`;
}

/** A ready-made filter group. */
export interface Template {
  readonly id: string;
  readonly title: string;
  readonly group: FilterGroup;
}

/** Groups that most projects want, with patterns that match what they say and nothing else. */
export function templates(server: ServerType): readonly Template[] {
  const opened = eventPattern(["PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED"].filter((e) => eventsOf[server].includes(e)));
  return [
    { id: "main", title: "Pushes to main", group: [event("PUSH"), { type: "HEAD_REF", pattern: "^refs/heads/main$" }] },
    { id: "pull", title: "Pull requests", group: [event(opened)] },
    { id: "pull-main", title: "Pull requests into main", group: [event(opened), { type: "BASE_REF", pattern: "^refs/heads/main$" }] },
    { id: "tags", title: "Tags v*", group: [event("PUSH"), { type: "HEAD_REF", pattern: "^refs/tags/v.*$" }] },
  ];
}

function event(pattern: string): Filter {
  return { type: "EVENT", pattern };
}

/** The filter group that a new webhook begins with: pushes and what pull requests bring. */
export function firstGroup(server: ServerType): FilterGroup {
  return [event(eventPattern(gitHubEvents.slice(0, 4).filter((e) => eventsOf[server].includes(e))))];
}

/** A filter group to begin with: pushes. */
export const newGroup: FilterGroup = [event("PUSH")];

/** A filter to begin with, of a type that all events of the group have a value for. */
export function newFilter(group: FilterGroup, types: readonly FilterType[], exclude: boolean): Filter {
  const events = groupEvents(group);
  const taken = new Set(group.map((f) => f.type));
  const fitting = types.filter(({ type }) => events.every((e) => carries(e, type)));
  const { type } = fitting.find((t) => !taken.has(t.type)) ?? fitting[0] ?? filterType("ACTOR_ACCOUNT_ID");
  return exclude ? { type, pattern: "", excludeMatchedPattern: true } : { type, pattern: "" };
}

/** Filter groups as the API of CodeBuild takes them. */
export function toWebhook(groups: FilterGroups): WebhookFilter[][] {
  return groups.map((group) =>
    group.map((f) => ({
      type: f.type as WebhookFilterType, // the server says which it knows
      pattern: f.pattern,
      ...(f.excludeMatchedPattern === true ? { excludeMatchedPattern: true } : {}),
    })),
  );
}

/** Filter groups as the API of CodeBuild gives them. */
export function ofWebhook(groups: readonly (readonly WebhookFilter[])[] | undefined): FilterGroups {
  return (groups ?? []).map((group) =>
    group.map((f) => ({
      type: f.type ?? "",
      pattern: f.pattern ?? "",
      ...(f.excludeMatchedPattern === true ? { excludeMatchedPattern: true } : {}),
    })),
  );
}

/** A filter group in words: "PUSH and HEAD_REF matches ^refs/heads/main$". */
export function groupWords(group: FilterGroup): string {
  return group.map(filterWords).join(" and ");
}

function filterWords({ type, pattern, excludeMatchedPattern: excluded = false }: Filter): string {
  if (type !== "EVENT") return `${type} ${excluded ? "does not match" : "matches"} ${pattern}`;
  const names = eventNames(pattern);
  if (names.length === 0) return excluded ? "any event" : "no event";
  const all = new Intl.ListFormat("en", { type: "disjunction" }).format(names);
  return excluded ? `not ${all}` : all;
}

/** Tells which filter a refusal of the server is about, if it says so. */
export function refusedFilter(groups: FilterGroups, message: string): { readonly group: number; readonly index: number } | undefined {
  const found = /^The pattern '(.*?)(…?)' of the (\w+) filter cannot be used/s.exec(message);
  if (found === null) return undefined;
  const [, pattern = "", cut, type] = found;
  for (const [group, filters] of groups.entries()) {
    const index = filters.findIndex((f) => f.type === type && (cut === "" ? f.pattern === pattern : f.pattern.startsWith(pattern)));
    if (index >= 0) return { group, index };
  }
  return undefined;
}
