import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, open, test } from "./fixtures";
import { allPages } from "./pages";

/** The serious and critical faults of a page as it stands; of some rules only, if they are given. */
async function graveFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  if (rules !== undefined) axe.withRules([...rules]);
  const { violations } = await axe.analyze();
  return violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
}

test("no page has a serious fault of accessibility, light or dark", async ({ page, seeded }) => {
  test.setTimeout(900_000);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await open(page, seeded);
  for (const { name, path, ready } of await allPages(seeded)) {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(`${seeded.url}/console${path}`);
    await ready(page);
    expect.soft(await graveFaults(page), name).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await expect(page.locator("body")).toHaveClass(/awsui-dark-mode/);
    expect.soft(await graveFaults(page, ["color-contrast"]), `${name}, dark`).toEqual([]);
  }
});

test("a narrow page has no serious fault of accessibility either", async ({ page, seeded }) => {
  await page.setViewportSize({ width: 480, height: 900 });
  await open(page, seeded);
  for (const path of ["/", "/source-providers", "/projects/storefront"]) {
    await page.goto(`${seeded.url}/console${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect.soft(await graveFaults(page), path).toEqual([]);
  }
});

test("the sign-in page has no serious fault of accessibility", async ({ page, fresh }) => {
  await page.goto(`${fresh.url}/console/`);
  await expect(page.getByRole("heading", { name: "Slipway" })).toBeVisible();
  expect(await graveFaults(page)).toEqual([]);
});
