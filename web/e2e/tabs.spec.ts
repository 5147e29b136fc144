import type { Locator } from "@playwright/test";
import { expect, open, test } from "./fixtures";

test("the chosen tab is in sight on a narrow page, too", async ({ page, seeded }) => {
  await page.setViewportSize({ width: 480, height: 900 });
  const { ids } = (await seeded.call("ListBuildsForProject", { projectName: "feast" })) as { ids: string[] };
  await open(page, seeded);
  for (const tab of ["Reports", "Artifacts", "Details"]) {
    await page.goto(`${seeded.url}/console/builds/${encodeURIComponent(ids[0] ?? "")}?tab=${tab.toLowerCase()}`);
    const chosen = page.getByRole("tab", { name: tab, selected: true });
    await expect(chosen).toBeVisible();
    await expect.poll(async () => await inSight(chosen)).toBe(true);
  }
});

/** Whether all of a tab is in the part of its list that is shown. */
function inSight(tab: Locator): Promise<boolean> {
  return tab.evaluate((e) => {
    const [at, frame] = [e.getBoundingClientRect(), e.closest('[role="tablist"]')?.getBoundingClientRect()];
    return frame !== undefined && at.left >= frame.left - 1 && at.right <= frame.right + 1;
  });
}
