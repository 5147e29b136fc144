import { chooseProvider, expect, open, test } from "./fixtures";

// The main job in the browser: a project from the picker, a signed push, a live
// log, a stop, and a filter that says no.

const slow = `version: 0.2
phases:
  build:
    commands:
      - for i in $(seq 1 100000); do printf '\\033[32mstirring\\033[0m %s\\n' "$i"; sleep 0.2; done
`;

test.describe.configure({ mode: "serial" });

test("a project is created through the repository picker, with a webhook", async ({ page, fresh }) => {
  const github = fresh.forges.GITHUB;
  await fresh.call("ImportSourceCredentials", { serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN", token: github.token });
  await open(page, fresh, "/projects/new");
  await page.getByLabel("Project name").fill("shop");
  await chooseProvider(page, "GitHub");
  await page.getByRole("radio", { name: /Repository in my GitHub account/ }).check();
  const picker = page.getByLabel("Repository", { exact: true });
  await picker.fill("recip");
  await page.getByRole("option", { name: /octo\/recipes/ }).click();
  await expect(picker).toHaveValue(github.location); // and the list over the form is gone
  const rebuild = page.getByRole("checkbox", { name: /Rebuild every time/ });
  await expect(async () => {
    await rebuild.click(); // what the server finds of the choice before may move it from under the mouse
    await expect(rebuild).toBeChecked({ timeout: 1000 });
  }).toPass();
  await page.getByLabel("Image", { exact: true }).fill("local");
  await page.keyboard.press("Escape"); // the suggestions
  await page.getByRole("button", { name: "Create build project" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "shop" })).toBeVisible();
  const { projects } = await fresh.call("BatchGetProjects", { names: ["shop"] });
  expect(projects).toMatchObject([{ source: { type: "GITHUB" }, webhook: { filterGroups: expect.anything() as unknown } }]);
});

test("a signed push starts a build, whose log is watched live and which is stopped", async ({ page, fresh }) => {
  await open(page, fresh, "/projects/shop");
  const { commit } = (await fresh.do("push", { forge: "GITHUB", files: { "buildspec.yml": slow } })) as { commit: string };
  await page.getByRole("link", { name: "shop #1" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /shop #1/ })).toBeVisible();
  await expect(page.getByText(commit.slice(0, 7)).first()).toBeVisible();

  const log = page.getByRole("table", { name: "Lines of the log" });
  await expect(log).toContainText(/stirring [0-9]/);
  await expect(log).toContainText(/stirring [1-9][0-9]/); // it goes on by itself
  await expect(log.getByText("stirring", { exact: true }).first()).toBeVisible(); // in a colour of its own

  await page.getByRole("button", { name: "Stop build" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop build" }).click();
  await expect(page.getByText("Stopped", { exact: true }).first()).toBeVisible();

  await page.getByRole("tab", { name: "Webhook" }).click();
  await expect(page.getByText("Started by a webhook")).toBeVisible();
  await page.getByRole("tab", { name: "Commit statuses" }).click();
  await expect(page.getByRole("table", { name: "Commit statuses" })).toContainText(/pending|error|failure/i);
});

test("a filter is edited with a preview of what it would have built, and then says no", async ({ page, fresh }) => {
  await open(page, fresh, "/projects/shop?tab=webhook");
  await page.getByRole("button", { name: "Edit filters" }).click();
  // Whatever the webhook had gives way to one group: pushes to the release branch.
  for (const remove = page.getByRole("button", { name: /^Remove filter group/ }); (await remove.count()) > 0; ) await remove.first().click();
  await page.getByRole("button", { name: "Add from a template" }).click();
  await page.getByRole("menuitem", { name: "Pushes to main" }).click();
  const preview = page.getByRole("region", { name: "Preview of recent deliveries" });
  await expect(preview).toContainText(/1 of \d would build/);
  const pattern = page.getByLabel("Pattern of HEAD_REF in filter group 1");
  await pattern.fill("^refs/heads/release$");
  await expect(preview).toContainText(/0 of \d would build/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("list", { name: "Filter groups" })).toContainText("^refs/heads/release$");

  await fresh.do("push", { forge: "GITHUB" });
  await page.getByRole("link", { name: "View deliveries" }).click();
  const deliveries = page.getByRole("table", { name: "Webhook deliveries" });
  await expect(deliveries.getByRole("row", { name: /push/ })).toHaveCount(2);
  await deliveries.getByRole("row", { name: /push/ }).first().getByRole("link").first().click();
  const table = page.getByRole("table", { name: "Filters of project shop" });
  await expect(table).toContainText("^refs/heads/release$");
  await expect(table).toContainText("refs/heads/main");
  await expect(table).toContainText("Said no");
  expect((await fresh.call("ListBuildsForProject", { projectName: "shop" }))["ids"]).toHaveLength(1);
});
