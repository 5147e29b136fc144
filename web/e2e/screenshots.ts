import { open, test } from "./fixtures";
import { allPages } from "./pages";

// One picture of every page, light and dark, wide and narrow, in screenshots/.
for (const theme of ["light", "dark"] as const) {
  for (const [width, size] of [
    [1400, "wide"],
    [480, "narrow"],
  ] as const) {
    test(`${theme} ${size}`, async ({ page, seeded }) => {
      test.setTimeout(300_000);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 900 });
      await open(page, seeded);
      for (const { name, path, ready } of await allPages(seeded)) {
        await page.goto(`${seeded.url}/console${path}`);
        await ready(page);
        await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => undefined); // a page that is live never rests
        await page.screenshot({ path: `screenshots/${name}-${theme}-${size}.png`, fullPage: true });
      }
    });
  }
}
