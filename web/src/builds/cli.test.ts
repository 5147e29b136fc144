import { describe, expect, test } from "vitest";
import { quote, startCommand } from "./cli";

describe("words of a shell", () => {
  test.each([
    ["main", "main"],
    ["refs/heads/a=b", "refs/heads/a=b"],
    ["", "''"],
    ["two words", "'two words'"],
    ["it's", `'it'\\''s'`],
    ["$(rm -rf /)", "'$(rm -rf /)'"],
    ["=ls", "'=ls'"],
    ["a\nb", "'a\nb'"],
    ["~", "'~'"],
  ])("%j", (word, want) => expect(quote(word)).toBe(want));
});

test("a request is a command", () => {
  expect(
    startCommand(
      {
        projectName: "app",
        sourceVersion: "-odd",
        environmentVariablesOverride: [{ name: "A", value: "it's", type: "PLAINTEXT" }],
        privilegedModeOverride: false,
        reportBuildStatusOverride: true,
        timeoutInMinutesOverride: 30,
        queuedTimeoutInMinutesOverride: undefined,
      },
      "http://127.0.0.1:4680/",
      "us-east-1",
    ),
  ).toBe(
    [
      "aws codebuild start-build",
      "--endpoint-url http://127.0.0.1:4680/",
      "--region us-east-1",
      "--project-name app",
      "--source-version=-odd",
      `--environment-variables-override '[{"name":"A","value":"it'\\''s","type":"PLAINTEXT"}]'`,
      "--no-privileged-mode-override",
      "--report-build-status-override",
      "--timeout-in-minutes-override 30",
    ].join(" \\\n  "),
  );
});

test("what the AWS CLI would read from a file or fetch is given as text", () => {
  expect(startCommand({ projectName: "app", sourceVersion: "file:///etc/passwd", sourceLocationOverride: "https://github.com/a/b", buildspecOverride: "ci/file://x" }, "http://127.0.0.1:4680/", "us-east-1")).toBe(
    [
      "aws codebuild start-build",
      "--endpoint-url http://127.0.0.1:4680/",
      "--region us-east-1",
      "--project-name app",
      "--buildspec-override ci/file://x",
      `--cli-input-json '{"sourceVersion":"file:///etc/passwd","sourceLocationOverride":"https://github.com/a/b"}'`,
    ].join(" \\\n  "),
  );
});
