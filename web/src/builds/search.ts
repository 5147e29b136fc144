import type { BuildStatus, BuildSummary, SearchBuildsInput } from "../api/slipway.gen";

/** How many builds a page of the table holds. */
export const pageSize = 50;

/** Which builds are looked for; as the address of the page keeps it. */
export interface BuildFilters {
  readonly projectName: string | undefined;
  readonly statuses: readonly BuildStatus[];
  readonly text: string;
  readonly started: Started;
}

/** When the builds started: within some time before now, or between two moments, as ISO text with an offset. */
export type Started =
  | { readonly kind: "any" }
  | { readonly kind: "last"; readonly amount: number; readonly unit: StartedUnit }
  | { readonly kind: "between"; readonly from: string; readonly to: string };

const units = { minute: 60, hour: 3600, day: 86400, week: 7 * 86400 } as const;

export type StartedUnit = keyof typeof units;

const statuses: readonly BuildStatus[] = ["SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "IN_PROGRESS", "STOPPED"];

/** The names that filters have in an address. Others belong to the page around the table. */
const names = { projectName: "projectName", statuses: "status", text: "text", started: "started" } as const;

/** Where the table's page is in an address. */
export const pageNames = { page: "page", token: "after" } as const;

/** Reads filters from an address. What it does not understand is no filter. */
export function filtersOf(search: URLSearchParams): BuildFilters {
  const projectName = search.get(names.projectName);
  const asked = (search.get(names.statuses) ?? "").split(",");
  return {
    projectName: projectName === null || projectName === "" ? undefined : projectName,
    statuses: statuses.filter((s) => asked.includes(s)),
    text: search.get(names.text) ?? "",
    started: startedOf(search.get(names.started) ?? ""),
  };
}

/** The address with other filters, on the first page. */
export function withFilters(search: URLSearchParams, filters: BuildFilters): URLSearchParams {
  const next = new URLSearchParams(search);
  const set = (name: string, value: string) => (value === "" ? next.delete(name) : next.set(name, value));
  set(names.projectName, filters.projectName ?? "");
  set(names.statuses, filters.statuses.join(","));
  set(names.text, filters.text);
  set(names.started, startedText(filters.started));
  next.delete(pageNames.page);
  next.delete(pageNames.token);
  return next;
}

/** Whether anything is filtered, apart from the project. */
export function filtered(filters: BuildFilters): boolean {
  return filters.statuses.length > 0 || filters.text !== "" || filters.started.kind !== "any";
}

function startedOf(text: string): Started {
  const last = /^(\d{1,5})(minute|hour|day|week)s?$/.exec(text);
  if (last !== null) return { kind: "last", amount: Number(last[1]), unit: last[2] as StartedUnit };
  const [from, to, ...more] = text.split("/");
  if (from !== undefined && to !== undefined && more.length === 0 && isMoment(from) && isMoment(to)) return { kind: "between", from, to };
  return { kind: "any" };
}

function startedText(started: Started): string {
  switch (started.kind) {
    case "any":
      return "";
    case "last":
      return `${started.amount}${started.unit}s`;
    case "between":
      return `${started.from}/${started.to}`;
  }
}

function isMoment(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** The question to the server. Times count from now, in milliseconds since 1970. */
export function searchInput(filters: BuildFilters, token: string | undefined, now: number): SearchBuildsInput {
  const { started, statuses: wanted, text, projectName } = filters;
  const asked = text.trim();
  return {
    maxResults: pageSize,
    ...(projectName === undefined ? {} : { projectName }),
    ...(wanted.length === 0 ? {} : { statuses: wanted }),
    ...(asked === "" ? {} : { text: asked }),
    ...(started.kind === "last" ? { startedAfter: Math.floor(now / 1000) - started.amount * units[started.unit] } : {}),
    ...(started.kind === "between" ? { startedAfter: Date.parse(started.from) / 1000, startedBefore: Date.parse(started.to) / 1000 } : {}),
    ...(token === undefined ? {} : { nextToken: token }),
  };
}

/** Whether a build is still under way. */
export function underWay(build: Pick<BuildSummary, "buildStatus">): boolean {
  return build.buildStatus === "IN_PROGRESS";
}

/**
 * The rows to show when the newest ones arrive. While somebody reads, the rows
 * that are shown stay where they are, with what is new about each, and builds
 * that are new altogether wait.
 */
export function rowsWhileReading(
  shown: readonly BuildSummary[],
  latest: readonly BuildSummary[],
  reading: boolean,
): { readonly rows: readonly BuildSummary[]; readonly waiting: number } {
  if (!reading || shown.length === 0) return { rows: latest, waiting: 0 };
  const fresh = new Map(latest.map((b) => [b.id, b]));
  const known = new Set(shown.map((b) => b.id));
  const first = latest.findIndex((b) => known.has(b.id));
  const waiting = first === -1 ? latest.length : first;
  if (waiting === 0) return { rows: latest, waiting: 0 };
  return { rows: shown.map((b) => fresh.get(b.id) ?? b), waiting };
}

/** No filter at all. */
export const noFilters: BuildFilters = { projectName: undefined, statuses: [], text: "", started: { kind: "any" } };
