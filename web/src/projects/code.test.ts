import { execFileSync } from "node:child_process";
import type { CreateProjectInput, CreateWebhookInput } from "@aws-sdk/client-codebuild";
import { describe, expect, test } from "vitest";
import { isInline, sample } from "./buildspec";
import { commands, shellWord } from "./command";
import { quoted, write } from "./hcl";
import { identifier, terraform } from "./terraform";

const project: CreateProjectInput = {
  name: "2-app",
  description: 'It\'s "the" ${app} \\ 100%{x}',
  source: {
    type: "GITHUB",
    location: "https://github.com/octo/app",
    gitCloneDepth: 1,
    buildspec: 'version: 0.2\nphases:\n  build:\n    commands:\n      - echo "${HOME}" \'x\' \\n\n',
    auth: { type: "OAUTH" },
  },
  artifacts: { type: "NO_ARTIFACTS" },
  environment: {
    type: "LINUX_CONTAINER",
    image: "local",
    computeType: "BUILD_GENERAL1_SMALL",
    environmentVariables: [{ name: "GREETING", value: "a\tb\nc", type: "PLAINTEXT" }],
  },
  serviceRole: "arn:aws:iam::000000000000:role/build",
  timeoutInMinutes: 60,
  tags: [
    { key: "team", value: "ci" },
    { key: "cost center", value: "1" },
  ],
};

const webhook: CreateWebhookInput = {
  projectName: "2-app",
  buildType: "BUILD",
  filterGroups: [
    [
      { type: "EVENT", pattern: "PUSH" },
      { type: "FILE_PATH", pattern: "^docs/.*\\.md$", excludeMatchedPattern: true },
    ],
    [{ type: "EVENT", pattern: "PULL_REQUEST_CREATED" }],
  ],
};

describe("a shell word", () => {
  test.each(["plain", "it's", "''", "$HOME `id` \\ \"x\" !", "two\nlines\n", "", "-n ${x}"])("is what it was: %j", (text) => {
    expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(text)}`]).toString()).toBe(text);
  });
});

test("the commands for the AWS CLI give it the inputs as they are", () => {
  const script = commands({ create: project }, webhook);
  const aws = 'aws() { printf "%s %s %s\\n%s\\n\\0" "$1" "$2" "$3" "$4"; }\n';
  const calls = execFileSync("/bin/sh", ["-c", aws + script]).toString().split("\0");
  const [first, second] = calls.map((c) => [c.slice(0, c.indexOf("\n")), c.slice(c.indexOf("\n") + 1)] as const);
  expect(first?.[0]).toBe("codebuild create-project --cli-input-json");
  expect(JSON.parse(first?.[1] ?? "")).toEqual(project);
  expect(second?.[0]).toBe("codebuild create-webhook --cli-input-json");
  expect(JSON.parse(second?.[1] ?? "")).toEqual(webhook);
  expect(commands({ update: { name: "app" } }, undefined)).toBe(`aws codebuild update-project --cli-input-json '{\n  "name": "app"\n}'\n`);
});

test("Terraform", () => {
  expect(terraform(project, webhook)).toBe(String.raw`resource "aws_codebuild_project" "_2-app" {
  name          = "2-app"
  description   = "It's \"the\" $${"$"}{app} \\ 100%%{x}"
  service_role  = "arn:aws:iam::000000000000:role/build"
  build_timeout = 60
  tags = {
    team          = "ci"
    "cost center" = "1"
  }

  source {
    type            = "GITHUB"
    location        = "https://github.com/octo/app"
    git_clone_depth = 1
    buildspec = <<EOT
version: 0.2
phases:
  build:
    commands:
      - echo "$${"$"}{HOME}" 'x' \n
EOT

    auth {
      type = "OAUTH"
    }
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = "local"
    compute_type = "BUILD_GENERAL1_SMALL"

    environment_variable {
      name = "GREETING"
      value = chomp(<<EOT
a	b
c
EOT
)
      type = "PLAINTEXT"
    }
  }

  artifacts {
    type = "NO_ARTIFACTS"
  }
}

resource "aws_codebuild_webhook" "_2-app" {
  project_name = aws_codebuild_project._2-app.name
  build_type   = "BUILD"

  filter_group {
    filter {
      type    = "EVENT"
      pattern = "PUSH"
    }

    filter {
      type                    = "FILE_PATH"
      pattern                 = "^docs/.*\\.md$"
      exclude_matched_pattern = true
    }
  }

  filter_group {
    filter {
      type    = "EVENT"
      pattern = "PULL_REQUEST_CREATED"
    }
  }
}
`);
});

describe("HCL", () => {
  test.each([
    ["plain", `"plain"`],
    ['a "b"', String.raw`"a \"b\""`],
    ["C:\\new", String.raw`"C:\\new"`],
    ["one\ntwo\r\tx\u0001", String.raw`"one\ntwo\r\tx\u0001"`],
    ["${a} %{c} $d %", '"$${a} %%{c} $d %"'],
    ["$${a} %%%{b}", '"${"$"}$${a} ${"%%"}%%{b}"'],
  ])("quotes %j", (text, want) => expect(quoted(text)).toBe(want));

  test("a text that holds the marker gets another", () => {
    expect(write([{ argument: "a", value: "x\nEOT\ny\n" }])).toBe("a = <<END\nx\nEOT\ny\nEND\n");
  });

  test("a text with a carriage return is quoted, for a heredoc would lose it", () => {
    expect(write([{ argument: "a", value: "x\r\ny\n" }])).toBe('a = "x\\r\\ny\\n"\n');
  });

  test.each([
    ["app", "app"],
    ["2-app", "_2-app"],
    ["", "_"],
  ])("calls the resource of %j %s", (name, want) => expect(identifier(name)).toBe(want));
});

test.each([
  [undefined, false],
  ["", false],
  ["ci/build.yml", false],
  ["arn:aws:s3:::bucket/buildspec.yml", false],
  ["version: 0.2", true],
  ['{"version": 0.2}', true],
  [sample, true],
])("%j is an inline buildspec: %s", (text, want) => expect(isInline(text)).toBe(want));
