import { readFile } from "node:fs/promises";
import { expect, open, test } from "./fixtures";

// What the engine tells of builds: why one failed, and what one left behind.

test("a build tells which command failed, and in which line", async ({ page, seeded }) => {
  const { ids } = (await seeded.call("ListBuildsForProject", { projectName: "salad" })) as { ids: string[] };
  await open(page, seeded, `/builds/${encodeURIComponent(ids[0] ?? "")}?tab=phases`);
  await expect(page.getByLabel("Command that failed")).toContainText("soup is too salty");
  await expect(page.getByRole("row", { name: /^BUILD/ })).toContainText("Exit status 3 · line 12 of the buildspec");
});

test("artifacts, cache, reports and secrets of a build", async ({ page, seeded }) => {
  const { ids } = (await seeded.call("ListBuildsForProject", { projectName: "feast" })) as { ids: string[] };
  await open(page, seeded, `/builds/${encodeURIComponent(ids[0] ?? "")}?tab=artifacts`);
  const files = page.getByRole("table", { name: "Files of the artifact" });
  await files.getByRole("link", { name: "Folder menu" }).or(files.getByRole("button", { name: "Folder menu" })).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download menu/monday.txt" }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe("monday.txt");
  expect(await readFile(await download.path(), "utf8")).toBe("soup\n");

  await page.getByRole("tab", { name: "Cache" }).click();
  const cache = page.getByRole("table", { name: "Cache of the build" });
  await expect(cache.getByRole("row", { name: /Restore/ })).toContainText("Hit");
  await expect(cache.getByRole("row", { name: /Save/ })).toBeVisible();

  await page.getByRole("tab", { name: "Reports" }).click();
  await page.getByRole("table", { name: "Reports of the build" }).getByRole("row", { name: /1 failed/ }).getByRole("link").first().click();
  const cases = page.getByRole("table", { name: "Test cases" });
  await expect(cases.getByRole("row").nth(1)).toContainText("is not too salty");
  await expect(cases).toContainText("kitchen/soup.go:7");
  await page.getByRole("link", { name: "feast-unit" }).last().click();
  await expect(page.getByRole("figure", { name: "Pass rate of the last 2 reports" })).toContainText("50 %");

  await page.goto(`${seeded.url}/console/secrets`);
  const secrets = page.getByRole("grid", { name: "Parameters and secrets" });
  await expect(secrets.getByRole("row", { name: /kitchen\/cellar/ })).toContainText("by a build of feast");
  await expect(page.locator("body")).not.toContainText("below-the-stairs");
  await page.getByRole("button", { name: "Delete /kitchen/table" }).click();
  await page.getByLabel("To confirm, type /kitchen/table").fill("/kitchen/table");
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await expect(secrets).not.toContainText("/kitchen/table");
});
