import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, open, test } from "./fixtures";

const aws = process.env["AWS_CLI"] ?? "/usr/bin/aws";

test("the command of a form makes the same project and webhook as the form", async ({ page, seeded }) => {
  expect(existsSync(aws), `the AWS CLI at ${aws}: make test installs it, AWS_CLI names another`).toBe(true);
  test.setTimeout(600_000);
  await open(page, seeded, "/projects/new");
  await page.getByLabel("Project name").fill("twin-of-the-cli");
  await page.getByRole("button", { name: /Additional configuration/ }).first().click();
  await page.getByLabel("Description").fill(`It's "hot" & costs $5; \`date\` \\n è 🍲`);
  await page.getByRole("button", { name: "Add tag" }).click();
  await page.getByLabel("Key of tag 1").fill("team");
  await page.getByLabel("Value of tag 1").fill("kitchen / staff");
  await page.getByLabel("Repository", { exact: true }).fill(seeded.forges.GITHUB.location);
  await page.keyboard.press("Escape");
  // What the form finds out about the repository moves what is below it, perhaps from under the pointer.
  await expect(() => page.getByLabel(/^Rebuild every time/).check()).toPass();
  await expect(page.getByRole("group", { name: "Filter group 1" })).toBeVisible();
  await page.getByRole("button", { name: "Add environment variable" }).click();
  await page.getByLabel("Name of variable 1").fill("GREETING");
  await page.getByLabel("Value of variable 1").fill("don't 'panic' $HOME");
  await page.getByRole("radio", { name: "Insert build commands" }).check();
  await page.getByRole("textbox", { name: "Build commands" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete"); // text over text would have Chromium carry styles over, which the policy forbids
  await page.keyboard.insertText("version: 0.2\nphases:\n  build:\n    commands:\n      - echo 'it''s \"done\"' $GREETING\n");

  await page.getByRole("button", { name: "Show as CLI command or Terraform" }).click();
  const text = await page.getByRole("region", { name: "AWS CLI command" }).textContent();
  // Old versions of the AWS CLI read no endpoint from the environment.
  await promisify(execFile)("sh", ["-ec", `aws() { "$AWS_CLI" --endpoint-url "$ENDPOINT" "$@"; }\n${text ?? ""}`], {
    env: {
      PATH: process.env["PATH"],
      AWS_CLI: aws,
      ENDPOINT: seeded.url,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: seeded.accessKeyId,
      AWS_SECRET_ACCESS_KEY: seeded.secretAccessKey,
      AWS_PAGER: "",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      LC_ALL: "C.UTF-8",
    },
  });
  await page.getByRole("dialog").getByText("Close", { exact: true }).click();

  await page.getByLabel("Project name").fill("twin-of-the-form");
  await page.getByRole("button", { name: "Create build project" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "twin-of-the-form" })).toBeVisible();

  const { projects } = (await seeded.call("BatchGetProjects", { names: ["twin-of-the-cli", "twin-of-the-form"] })) as { projects: Twin[] };
  const [cli, form] = projects;
  expect(cli?.webhook?.["filterGroups"]).toHaveLength(1);
  expect(cli?.["description"]).toContain("$5");
  expect(form && alike(form)).toEqual(cli && alike(cli));
  for (const name of ["twin-of-the-cli", "twin-of-the-form"]) await seeded.call("DeleteProject", { name });
});

type Twin = Record<string, unknown> & { webhook?: Record<string, unknown> };

/** A project without what is each one's own. */
function alike(project: Twin): unknown {
  const own = new Set(["name", "arn", "created", "lastModified", "url", "payloadUrl", "lastModifiedSecret"]);
  const rest = (o: Record<string, unknown>) => Object.fromEntries(Object.entries(o).filter(([member]) => !own.has(member)));
  return { ...rest(project), webhook: project.webhook && rest(project.webhook) };
}
