import type { Build, Project } from "@aws-sdk/client-codebuild";
import { describe, expect, test } from "vitest";
import { formOfBuild, formOfProject, problemsOf, sound, startInput, type StartForm } from "./start";

const project: Project = {
  name: "app",
  sourceVersion: "main",
  timeoutInMinutes: 60,
  queuedTimeoutInMinutes: 480,
  source: { type: "GITHUB", location: "https://github.com/octo/app.git", gitCloneDepth: 1, reportBuildStatus: true },
  artifacts: { type: "NO_ARTIFACTS" },
  environment: {
    type: "LINUX_CONTAINER",
    computeType: "BUILD_GENERAL1_SMALL",
    image: "aws/codebuild/standard:7.0",
    privilegedMode: false,
    environmentVariables: [
      { name: "STAGE", value: "test" },
      { name: "KEY", value: "/app/key", type: "PARAMETER_STORE" },
    ],
  },
};
const base = formOfProject(project);
const changed = (change: Partial<StartForm>) => startInput("app", base, { ...base, ...change });

describe("the request", () => {
  test("nothing changed is the project alone", () => expect(startInput("app", base, base)).toEqual({ projectName: "app" }));

  test.each<[Partial<StartForm>, object]>([
    [{ sourceVersion: " feature/x " }, { sourceVersion: "feature/x" }],
    [{ sourceVersion: "" }, {}],
    [{ sourceLocation: "https://github.com/octo/fork" }, { sourceLocationOverride: "https://github.com/octo/fork" }],
    [{ gitCloneDepth: "0" }, { gitCloneDepthOverride: 0 }],
    [{ reportBuildStatus: false }, { reportBuildStatusOverride: false }],
    [{ buildspec: "version: 0.2\n" }, { buildspecOverride: "version: 0.2\n" }],
    [{ timeout: "5", queuedTimeout: "" }, { timeoutInMinutesOverride: 5 }],
    [{ computeType: "BUILD_GENERAL1_LARGE" }, { computeTypeOverride: "BUILD_GENERAL1_LARGE" }],
    [{ image: "ubuntu:24.04", privileged: true }, { imageOverride: "ubuntu:24.04", privilegedModeOverride: true }],
    [{ artifactsType: "S3", artifactsLocation: "bucket" }, { artifactsOverride: { type: "S3", location: "bucket" } }],
  ])("%j", (change, want) => expect(changed(change)).toEqual({ projectName: "app", ...want }));

  test("has the variables that are new or other than the project's", () => {
    const [stage, key] = base.variables;
    if (stage === undefined || key === undefined) throw new Error("the project has two");
    const variables = [{ ...stage, value: "live" }, key, { name: "NEW", value: "1", type: "PLAINTEXT" as const, ofProject: false }, { name: "", value: "", type: "PLAINTEXT" as const, ofProject: false }];
    expect(changed({ variables }).environmentVariablesOverride).toEqual([
      { name: "STAGE", value: "live", type: "PLAINTEXT" },
      { name: "NEW", value: "1", type: "PLAINTEXT" },
    ]);
  });
});

test("an earlier build is sent as what it had other than the project", () => {
  const build: Build = {
    sourceVersion: "pr/7",
    timeoutInMinutes: 60,
    source: { type: "GITHUB", location: "https://github.com/octo/app.git", gitCloneDepth: 1, reportBuildStatus: true },
    environment: {
      type: "LINUX_CONTAINER",
      computeType: "BUILD_GENERAL1_SMALL",
      image: "ubuntu:24.04",
      environmentVariables: [
        { name: "STAGE", value: "test", type: "PLAINTEXT" },
        { name: "DEBUG", value: "1", type: "PLAINTEXT" },
      ],
    },
  };
  expect(startInput("app", base, formOfBuild(project, build))).toEqual({
    projectName: "app",
    sourceVersion: "pr/7",
    imageOverride: "ubuntu:24.04",
    environmentVariablesOverride: [{ name: "DEBUG", value: "1", type: "PLAINTEXT" }],
  });
});

describe("what the server would refuse", () => {
  test("is told at its field", () => {
    const variables = [
      { name: "A", value: "", type: "PLAINTEXT" as const, ofProject: false },
      { name: "A", value: "", type: "PLAINTEXT" as const, ofProject: false },
      { name: "1", value: "", type: "PLAINTEXT" as const, ofProject: false },
      { name: "", value: "x", type: "PLAINTEXT" as const, ofProject: false },
    ];
    const problems = problemsOf({ ...base, timeout: "4", queuedTimeout: "481", variables });
    expect(problems.timeout).toContain("from 5 to 2160");
    expect(problems.queuedTimeout).toContain("from 5 to 480");
    expect(problems.variables.map((p) => p !== undefined)).toEqual([false, true, true, true]);
    expect(sound(problems)).toBe(false);
  });

  test("is nothing of a project as it is", () => expect(sound(problemsOf(base))).toBe(true));
});
