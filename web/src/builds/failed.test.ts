import { describe, expect, test } from "vitest";
import { commandLink, commandPlace, exitHint, withoutStamp } from "./failed";

const commit = "0123456789abcdef0123456789abcdef01234567";
const command = { text: "make", file: "ci/build spec.yml", line: 7, exitStatus: 2 };

describe("commandLink", () => {
  test.each([
    ["GITHUB", "https://github.com/o/r.git", `https://github.com/o/r/blob/${commit}/ci/build%20spec.yml#L7`],
    ["GITHUB_ENTERPRISE", "https://ghe.example.com/o/r", `https://ghe.example.com/o/r/blob/${commit}/ci/build%20spec.yml#L7`],
    ["GITLAB", "https://gitlab.com/a/b/r", `https://gitlab.com/a/b/r/-/blob/${commit}/ci/build%20spec.yml#L7`],
    ["BITBUCKET", "https://bitbucket.org/o/r.git", `https://bitbucket.org/o/r/src/${commit}/ci/build%20spec.yml#lines-7`],
    ["S3", "bucket/source.zip", undefined],
    ["GITHUB", "https://token@github.com/o/r", undefined],
  ])("of %s at %s", (type, location, want) =>
    expect(commandLink({ source: { type: type as "GITHUB", location }, resolvedSourceVersion: commit }, command)).toBe(want),
  );
  test("needs a file and a commit", () => {
    const source = { type: "GITHUB", location: "https://github.com/o/r" } as const;
    expect(commandLink({ source, resolvedSourceVersion: commit }, { ...command, file: "" })).toBeUndefined();
    expect(commandLink({ source, resolvedSourceVersion: "main" }, command)).toBeUndefined();
  });
});

test("the place of a command", () => {
  expect(commandPlace(command)).toBe("ci/build spec.yml, line 7");
  expect(commandPlace({ text: "make", line: 3, exitStatus: 1 })).toBe("line 3 of the buildspec");
  expect(commandPlace({ text: "make", exitStatus: 1 })).toBeUndefined();
});

test("what exit statuses say", () => {
  expect(exitHint(1)).toBeUndefined();
  expect(exitHint(127)).toContain("PATH");
  expect(exitHint(137)).toContain("memory");
  expect(exitHint(134)).toContain("signal 6");
});

test("stamps are left out", () => {
  expect(withoutStamp("[Container] 2026/11/27 06:00:00.000000 Pulling image: 3 of 9 layers\n")).toBe("Pulling image: 3 of 9 layers");
  expect(withoutStamp("plain")).toBe("plain");
});
