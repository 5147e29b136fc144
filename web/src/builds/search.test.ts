import { describe, expect, test } from "vitest";
import type { BuildSummary } from "../api/slipway.gen";
import { filtered, filtersOf, noFilters, rowsWhileReading, searchInput, withFilters, type BuildFilters } from "./search";

const all: BuildFilters = { projectName: "app", statuses: ["FAILED", "STOPPED"], text: "fix / me", started: { kind: "last", amount: 7, unit: "day" } };

describe("filters in an address", () => {
  test.each<[string, BuildFilters]>([
    ["", noFilters],
    ["projectName=app&status=FAILED%2CSTOPPED&text=fix+%2F+me&started=7days", all],
    ["started=2026-11-01T00%3A00%3A00Z%2F2026-11-02T00%3A00%3A00Z", { ...noFilters, started: { kind: "between", from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z" } }],
  ])("%s is read and written", (address, filters) => {
    expect(filtersOf(new URLSearchParams(address))).toEqual(filters);
    expect(withFilters(new URLSearchParams(), filters).toString()).toBe(address);
  });

  test("what is not understood is no filter", () => {
    expect(filtersOf(new URLSearchParams("status=GREEN&started=soon&text=&projectName="))).toEqual(noFilters);
    expect(filtersOf(new URLSearchParams("started=a/b")).started).toEqual({ kind: "any" });
  });

  test("a change keeps what others have there, and goes to the first page", () => {
    expect(withFilters(new URLSearchParams("tab=builds&page=3&after=x&text=old"), { ...noFilters, text: "new" }).toString()).toBe("tab=builds&text=new");
  });

  test("the project alone is no filter", () => {
    expect(filtered({ ...noFilters, projectName: "app" })).toBe(false);
    expect(filtered({ ...noFilters, statuses: ["FAILED"] })).toBe(true);
  });
});

test("the question to the server has what is filtered only", () => {
  expect(searchInput(noFilters, undefined, 0)).toEqual({ maxResults: 50 });
  expect(searchInput(all, "next", 700_000_000)).toEqual({
    maxResults: 50,
    projectName: "app",
    statuses: ["FAILED", "STOPPED"],
    text: "fix / me",
    startedAfter: 700_000 - 7 * 86400,
    nextToken: "next",
  });
  expect(searchInput({ ...noFilters, started: { kind: "between", from: "1970-01-01T00:00:10Z", to: "1970-01-01T01:00:00+01:00" } }, undefined, 0)).toEqual({
    maxResults: 50,
    startedAfter: 10,
    startedBefore: 0,
  });
});

describe("rows while somebody reads", () => {
  const build = (id: string, buildStatus: BuildSummary["buildStatus"] = "SUCCEEDED"): BuildSummary => ({ id, projectName: "app", buildStatus });

  test("new builds wait, and the others tell what is new", () => {
    const shown = [build("b", "IN_PROGRESS"), build("a")];
    const latest = [build("d"), build("c"), build("b")];
    expect(rowsWhileReading(shown, latest, true)).toEqual({ rows: [build("b"), build("a")], waiting: 2 });
  });

  test("nobody reads: all are shown", () => {
    const latest = [build("b"), build("a")];
    expect(rowsWhileReading([build("a")], latest, false)).toEqual({ rows: latest, waiting: 0 });
  });

  test("builds that are gone vanish", () => {
    expect(rowsWhileReading([build("b"), build("a")], [build("a")], true)).toEqual({ rows: [build("a")], waiting: 0 });
  });

  test("the first builds are shown at once", () => {
    expect(rowsWhileReading([], [build("a")], true)).toEqual({ rows: [build("a")], waiting: 0 });
  });
});
