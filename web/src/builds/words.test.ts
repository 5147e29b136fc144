import { describe, expect, test } from "vitest";
import { buildName, count, failureWords, phaseWords, projectOf, shortCommit, shortVersion, startedByWebhook } from "./words";

describe("names", () => {
  test("a build has its number, or its id", () => {
    expect(buildName({ projectName: "app", buildNumber: 12 })).toBe("app #12");
    expect(buildName({ id: "app:1-2", buildNumber: 3 })).toBe("app #3");
    expect(buildName({ id: "app:1-2" })).toBe("app:1-2");
  });

  test("an id begins with its project", () => {
    expect(projectOf("app:1-2")).toBe("app");
    expect(projectOf("nothing")).toBe("");
  });
});

describe("versions", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  test.each([
    [commit, "01234567"],
    ["refs/heads/feature/x", "feature/x"],
    ["refs/tags/v1", "v1"],
    ["pr/7", "pr/7"],
    ["deadbeef", "deadbeef"],
  ])("%s is %s", (version, want) => expect(shortVersion(version)).toBe(want));

  test("a name is no commit", () => expect(shortCommit("main")).toBe("main"));
});

test("why a build failed", () => {
  expect(failureWords({ failedPhase: "BUILD", message: "exit status 1" })).toBe("BUILD: exit status 1");
  expect(failureWords({ message: "exit status 1" })).toBe("exit status 1");
  expect(failureWords({})).toBe("");
});

test("phases", () => expect(phaseWords("UPLOAD_ARTIFACTS")).toBe("Upload artifacts"));

test("webhooks are told by the provider's user agent", () => {
  expect(startedByWebhook("GitHub-Hookshot/044aadd")).toBe(true);
  expect(startedByWebhook("Bitbucket-Webhooks/2.0")).toBe(true);
  expect(startedByWebhook("GitLab/17.1")).toBe(true);
  expect(startedByWebhook("alice")).toBe(false);
  expect(startedByWebhook(undefined)).toBe(false);
});

test("counts", () => {
  expect(count(1, "build")).toBe("1 build");
  expect(count(3, "build was", "builds were")).toBe("3 builds were");
});
