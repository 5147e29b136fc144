import { test as base, expect, type Page } from "@playwright/test";
import { startStage, type Stage } from "./stage";

interface WorkerFixtures {
  /** A server that nobody has used yet. */
  readonly fresh: Stage;
  /** A server after some weeks of use. */
  readonly seeded: Stage;
}

interface TestFixtures {
  /** Holds that pages ask for nothing but what is the server's, break no rule of their own policy, and throw nothing. */
  readonly watched: undefined;
}

/** Playwright's test, with servers, on pages that are watched. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  fresh: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern to know what a fixture needs
    async ({}, use) => {
      const stage = await startStage();
      await use(stage);
      await stage.close();
    },
    { scope: "worker", timeout: 300_000 },
  ],
  seeded: [
    // eslint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const stage = await startStage("-seed");
      await use(stage);
      await stage.close();
    },
    { scope: "worker", timeout: 300_000 },
  ],
  watched: [
    async ({ page }, use) => {
      const faults: string[] = [];
      const origins = new Set<string>();
      page.on("request", (r) => {
        if (r.url().startsWith("http")) origins.add(new URL(r.url()).origin);
      });
      page.on("pageerror", (e) => faults.push(`threw ${e.message}`));
      page.on("console", (m) => {
        if (m.type() === "error" && !m.text().startsWith("Failed to load resource")) faults.push(m.text());
      });
      await use(undefined);
      expect(faults, "what the browser complained of").toEqual([]);
      expect([...origins], "whom pages asked").toHaveLength(origins.size === 0 ? 0 : 1);
    },
    { auto: true },
  ],
});

export { expect };

/** Signs in with a one-time link and goes to a path of the console, such as /projects. */
export async function open(page: Page, stage: Stage, path = "/"): Promise<void> {
  await page.goto(await stage.link());
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  if (path !== "/") await page.goto(`${stage.url}/console${path}`);
}

/** Deletes the account's credential for a provider, which a test before may have left. */
export async function disconnect(stage: Stage, serverType: string): Promise<void> {
  const { sourceCredentialsInfos } = await stage.call("ListSourceCredentials", {});
  for (const c of sourceCredentialsInfos as { arn: string; serverType: string }[]) {
    if (c.serverType === serverType) await stage.call("DeleteSourceCredentials", { arn: c.arn });
  }
}

/** Chooses in the form of a project where its source is. */
export async function chooseProvider(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: /^Source provider/ }).click();
  await page.getByRole("option", { name: new RegExp(`^(Selected )?${name}$`) }).click();
}
