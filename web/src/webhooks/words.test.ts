import { describe, expect, test } from "vitest";
import { lines, pieces, pretty } from "./payload";
import { about, cameWords, plain, whyNot } from "./words";

const no = { type: "HEAD_REF", pattern: "^x$", matched: false };
const yes = { type: "EVENT", pattern: "PUSH", matched: true };

describe("why nothing was built", () => {
  test.each([
    [[{ matched: false, filters: [yes, no] }], "HEAD_REF said no"],
    [[{ matched: false, filters: [no] }, { matched: false, filters: [{ ...no, type: "FILE_PATH", excludeMatchedPattern: true }] }], "HEAD_REF said no in group 1; excluded FILE_PATH said no in group 2"],
    [[], "No filter group matched."],
  ])("%#", (groups, want) => expect(whyNot({ projectName: "app", outcome: "NO_MATCH", reason: "No filter group matched.", groups })).toBe(want));
  test("is the reason if the filters did not decide", () =>
    expect(whyNot({ projectName: "app", outcome: "WITHHELD", reason: "It waits.", groups: [{ matched: true, filters: [yes] }] })).toBe("It waits."));
});

test("an event in words leaves out what it has not", () => {
  expect(about({ projectName: "app", outcome: "BUILD", event: "PULL_REQUEST_CREATED", pullRequest: 7, headRef: "refs/heads/x", baseRef: "", actor: "octo", actorAccountId: "1" })).toBe(
    "PULL_REQUEST_CREATED, pull request 7, head refs/heads/x, actor octo 1",
  );
});

test("a stranger's text turns nothing around", () => expect(plain("a\u202eb\u0000c\nd")).toBe("a b c\nd"));

describe("a payload", () => {
  test("is indented if it is JSON", () => expect([pretty('{"a":1}'), pretty("a=1")]).toEqual(['{\n  "a": 1\n}', "a=1"]));
  test("is cut at lines, and long lines anywhere", () => {
    const text = "aaaa\nbbbb\n" + "c".repeat(12);
    const cut = pieces(text, 6);
    expect(cut.join("")).toBe(text);
    expect(cut[0]).toBe("aaaa\n");
    expect(Math.max(...cut.map((p) => p.length))).toBeLessThanOrEqual(7);
    expect(cut.slice(0, 2).map(lines)).toEqual([1, 1]);
  });
});

test.each([
  ["NO_MATCH", "No filter group matched.", "No filter group matched"],
  ["NO_MATCH", "", "Did not build"],
  ["WITHHELD", "Filter group 1 matched. The author is no approver.", "Withheld: waits for approval"],
  ["IGNORED", "The branch or tag was deleted: there is nothing to build.", "Ignored: The branch or tag was deleted: there is nothing to build"],
  ["FAILED", "No build can be started: the queue is full.", "Failed: No build can be started: the queue is full"],
  ["BUILD", "Filter group 1 matched.", "Built"],
] as const)("a list says of %s, %s", (outcome, reason, words) => expect(cameWords(outcome, reason)[1]).toBe(words));
