import { describe, expect, test } from "vitest";
import { announcement, buildspecWords, commitLink, failureOf, inlineBuildspec, queuedSeconds, tabTitle } from "./build";

describe("why a build failed", () => {
  test("the first phase that failed, with its command by itself", () => {
    const failure = failureOf({
      buildStatus: "FAILED",
      phases: [
        { phaseType: "INSTALL", phaseStatus: "SUCCEEDED", contexts: [{ statusCode: "", message: "" }] },
        {
          phaseType: "BUILD",
          phaseStatus: "FAILED",
          contexts: [{ statusCode: "COMMAND_EXECUTION_ERROR", message: "Error while executing command: make test. Reason: exit status 2" }],
        },
        { phaseType: "POST_BUILD", phaseStatus: "FAILED", contexts: [{ message: "other" }] },
      ],
    });
    expect(failure).toEqual({ phase: "BUILD", command: "make test", message: "exit status 2", statusCode: "COMMAND_EXECUTION_ERROR" });
  });

  test("other words stay as they are", () => {
    expect(failureOf({ buildStatus: "FAULT", phases: [{ phaseType: "PROVISIONING", phaseStatus: "FAULT", contexts: [{ message: "no room" }] }] })).toEqual({
      phase: "PROVISIONING",
      message: "no room",
    });
    expect(failureOf({ buildStatus: "TIMED_OUT", currentPhase: "QUEUED" })).toEqual({ phase: "QUEUED", message: "" });
  });

  test("a build that did not fail has no reason", () => {
    expect(failureOf({ buildStatus: "SUCCEEDED" })).toBeUndefined();
    expect(failureOf({ buildStatus: "STOPPED", phases: [{ phaseType: "BUILD", phaseStatus: "STOPPED" }] })).toBeUndefined();
  });
});

describe("links to commits", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  test.each([
    ["GITHUB", "https://github.com/octo/app.git", `https://github.com/octo/app/commit/${commit}`],
    ["GITLAB_SELF_MANAGED", "http://git.local:8080/a/b/c", `http://git.local:8080/a/b/c/-/commit/${commit}`],
    ["BITBUCKET", "https://bitbucket.org/o/r.git", `https://bitbucket.org/o/r/commits/${commit}`],
    ["S3", "https://bucket/x", undefined],
    ["GITHUB", "javascript:alert(1)//", undefined],
    ["GITHUB", "https://token@github.com/octo/app", undefined],
  ])("%s %s", (type, location, want) => expect(commitLink(type, location, commit)).toBe(want));

  test("a branch is no commit", () => expect(commitLink("GITHUB", "https://github.com/octo/app", "main")).toBeUndefined());
});

test("titles and announcements", () => {
  const build = { projectName: "app", buildNumber: 12 };
  expect(tabTitle({ ...build, buildStatus: "SUCCEEDED" })).toBe("✓ app #12");
  expect(tabTitle({ ...build, buildStatus: "IN_PROGRESS" })).toBe("… app #12");
  expect(announcement({ ...build, buildStatus: "FAILED" })).toBe("Build app #12 failed.");
  expect(announcement({ ...build, buildStatus: "IN_PROGRESS", currentPhase: "PRE_BUILD" })).toBe("Build app #12 is in progress: Pre build.");
});

test("buildspecs", () => {
  expect(buildspecWords(undefined)).toBe("buildspec.yml in the source");
  expect(buildspecWords("ci/build.yml")).toBe("ci/build.yml");
  expect(buildspecWords("version: 0.2\n")).toBe("Inline commands");
  expect(inlineBuildspec("")).toBe(false);
});

test("how long a build was queued", () => {
  const phases = [{ phaseType: "QUEUED" as const, startTime: new Date(1000) }];
  expect(queuedSeconds({ phases }, 4000)).toBe(3);
  expect(queuedSeconds({}, 4000)).toBeUndefined();
});
