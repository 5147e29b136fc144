import { describe, expect, test } from "vitest";
import { conditions, eventPattern, eventsOf, filterName, filterTypesOf, groupEvents, groupWords, newFilter, ofWebhook, refusedFilter, templates, toWebhook, withEvents, type FilterGroup } from "./filters";

const main: FilterGroup = [
  { type: "EVENT", pattern: "PUSH,PULL_REQUEST_CREATED" },
  { type: "HEAD_REF", pattern: "^refs/heads/main$" },
  { type: "FILE_PATH", pattern: "^docs/", excludeMatchedPattern: true },
];

describe("events of a group", () => {
  test("are named between commas, with blanks or without", () => expect(groupEvents(main)).toEqual(["PUSH", "PULL_REQUEST_CREATED"]));
  test("are written in the order of CodeBuild's guide", () => expect(eventPattern(["RELEASED", "PUSH", "RELEASED"])).toBe("PUSH, RELEASED"));
  test("change where they stand", () => expect(withEvents(main, ["PUSH"])[0]).toEqual({ type: "EVENT", pattern: "PUSH" }));
  test("come first if there were none", () => expect(withEvents([{ type: "HEAD_REF", pattern: "x" }], ["PUSH"]).map((f) => f.type)).toEqual(["EVENT", "HEAD_REF"]));
  test("are not those of a filter that excludes", () =>
    expect(groupEvents([{ type: "EVENT", pattern: "PUSH", excludeMatchedPattern: true }])).toEqual([]));
});

test("conditions are told apart by whether they exclude, and keep their places", () => {
  expect(conditions(main, false).map((c) => c.index)).toEqual([1]);
  expect(conditions(main, true).map((c) => c.index)).toEqual([2]);
});

test("a second EVENT filter is a condition of its own", () => {
  const group = [...main, { type: "EVENT", pattern: "PUSH" }];
  expect(conditions(group, false).map((c) => c.index)).toEqual([1, 3]);
  expect(filterName(group, 3, 1)).toBe("EVENT in filter group 1");
});

test("filters have names of their own", () => {
  const group = [...main, { type: "HEAD_REF", pattern: "x" }];
  expect([1, 2, 3].map((i) => filterName(group, i, 2))).toEqual(["HEAD_REF in filter group 2", "excluded FILE_PATH in filter group 2", "HEAD_REF (2) in filter group 2"]);
});

test("what CodeBuild takes comes back as it was", () => expect(ofWebhook(toWebhook([main]))).toEqual([main]));

test.each([
  [main, "PUSH or PULL_REQUEST_CREATED and HEAD_REF matches ^refs/heads/main$ and FILE_PATH does not match ^docs/"],
  [[{ type: "EVENT", pattern: "PUSH" }], "PUSH"],
  [[{ type: "EVENT", pattern: "PUSH, RELEASED", excludeMatchedPattern: true }], "not PUSH or RELEASED"],
])("group %# in words", (group, want) => expect(groupWords(group)).toBe(want));

describe("types of filter", () => {
  const types = (server: keyof typeof eventsOf, url = "https://git.example.com/a/b") => filterTypesOf(server, url).map((t) => t.type);
  test("of Bitbucket know no releases and no workflows", () =>
    expect(types("BITBUCKET")).toEqual(["HEAD_REF", "BASE_REF", "FILE_PATH", "COMMIT_MESSAGE", "ACTOR_ACCOUNT_ID"]));
  test("name repositories only for all of an organization or group", () => {
    expect(types("GITHUB")).not.toContain("REPOSITORY_NAME");
    expect(types("GITHUB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")).toContain("ORGANIZATION_NAME");
    expect(types("GITLAB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")).toContain("REPOSITORY_NAME");
    expect(types("GITLAB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")).not.toContain("ORGANIZATION_NAME");
  });
  test("to begin with are ones that the group's events have", () => {
    const all = filterTypesOf("GITHUB", "https://github.com/a/b");
    expect(newFilter([{ type: "EVENT", pattern: "WORKFLOW_JOB_QUEUED" }], all, false).type).toBe("ACTOR_ACCOUNT_ID");
    expect(newFilter(main, all, true)).toEqual({ type: "COMMIT_MESSAGE", pattern: "", excludeMatchedPattern: true });
  });
});

test("templates name events that the provider has", () => {
  for (const server of ["GITHUB", "BITBUCKET", "GITLAB"] as const) {
    for (const t of templates(server)) expect(eventsOf[server]).toEqual(expect.arrayContaining([...groupEvents(t.group)]));
  }
});

describe("a refusal", () => {
  const groups = [main, [{ type: "HEAD_REF", pattern: "(?=x)" }]];
  test("is told of the filter that it names", () =>
    expect(refusedFilter(groups, "The pattern '(?=x)' of the HEAD_REF filter cannot be used: invalid or unsupported Perl syntax at '(?='.")).toEqual({ group: 1, index: 0 }));
  test("may be about none", () => expect(refusedFilter(groups, "A webhook cannot have more than 100 filter groups")).toBeUndefined());
  test("cuts long patterns", () => {
    const long = [[{ type: "HEAD_REF", pattern: `(${"x".repeat(300)}` }]];
    expect(refusedFilter(long, `The pattern '(${"x".repeat(199)}…' of the HEAD_REF filter cannot be used: why`)).toEqual({ group: 0, index: 0 });
  });
});
