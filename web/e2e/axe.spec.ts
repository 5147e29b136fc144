import AxeBuilder from "@axe-core/playwright";
import { expect, open, test } from "./fixtures";
import { allPages } from "./pages";

for (const theme of ["light", "dark"] as const) {
  test(`no page has a serious fault of accessibility, ${theme}`, async ({ page, seeded }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await open(page, seeded);
    for (const { name, path, ready } of await allPages(seeded)) {
      await page.goto(`${seeded.url}/console${path}`);
      await ready(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
      expect.soft(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`), name).toEqual([]);
    }
  });
}

test("the sign-in page has no serious fault of accessibility", async ({ page, fresh }) => {
  await page.goto(`${fresh.url}/console/`);
  await expect(page.getByRole("heading", { name: "Slipway" })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id)).toEqual([]);
});
