import { defineConfig } from "@playwright/test";

/**
 * Tests of the console in a real browser, against the real server. `npm run e2e`
 * runs the tests, `npm run screenshots` makes a picture of every page in screenshots/.
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: 2, // each with a stage of its own; tests of one file build on each other
  fullyParallel: false,
  timeout: 300_000, // a slow machine is no fault
  expect: { timeout: 30_000 },
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"]],
  use: {
    viewport: { width: 1400, height: 900 },
    locale: "en-US",
    actionTimeout: 60_000, // says which action hung, long before the test ends
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
  projects: [
    { name: "e2e", testMatch: "*.spec.ts" },
    { name: "screenshots", testMatch: "screenshots.ts" },
  ],
});
