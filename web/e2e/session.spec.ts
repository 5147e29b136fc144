import { expect, open, test } from "./fixtures";
import { startStage } from "./stage";

test("a link signs in once, and a page that was asked for comes after it", async ({ page, fresh, browser }) => {
  const link = await fresh.link();
  const code = new URL(link).hash;
  await page.goto(link);
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  expect(page.url()).not.toContain(code.slice(6));

  // A new tab of the same browser takes over the session.
  const tab = await page.context().newPage();
  await tab.goto(`${fresh.url}/console/projects`);
  await expect(tab.getByRole("heading", { level: 1, name: "Build projects" })).toBeVisible();

  // Another browser cannot use the link again, and is told what to do.
  const other = await browser.newContext();
  const stranger = await other.newPage();
  await stranger.goto(link);
  await expect(stranger.getByText(/slipway console/).first()).toBeVisible();
  await expect(stranger.getByRole("heading", { level: 1, name: "Home" })).toHaveCount(0);

  // Signing out in one tab signs out the other.
  await page.getByRole("button", { name: /Account|owner/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByText("Sign in with a link")).toBeVisible();
  await expect(tab.getByText("Sign in with a link")).toBeVisible();
  await other.close();
});

test("an access key signs in, is not kept, and its session can be ended by others", async ({ page, fresh }) => {
  await page.goto(`${fresh.url}/console/sessions`);
  await page.getByRole("button", { name: "Sign in with an access key" }).click();
  await page.getByLabel("Access key ID").fill(fresh.accessKeyId);
  await page.getByLabel("Secret access key").fill("not the secret");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Could not sign in")).toBeVisible();
  await page.getByLabel("Secret access key").fill(fresh.secretAccessKey);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sessions" })).toBeVisible();
  const kept = await page.evaluate(() => JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)]));
  expect(kept).not.toContain(fresh.secretAccessKey);

  const { sessions } = (await fresh.do("call", { slipway: true, operation: "ListSessions", input: {} })) as { sessions: { id: string; origin: string }[] };
  for (const s of sessions) await fresh.do("call", { slipway: true, operation: "RevokeSession", input: { id: s.id } });
  await page.goto(`${fresh.url}/console/projects`);
  await expect(page.getByText("Sign in with a link")).toBeVisible();
});

test("the console works behind a proxy with TLS and a path of its own", async ({ browser }) => {
  const stage = await startStage("-proxy");
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(await stage.link());
  expect(page.url()).toContain("/ci/console/");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await page.getByRole("link", { name: "Build projects" }).first().click();
  await expect(page.getByText(/No (build )?projects/).first()).toBeVisible();
  await page.goto(`${stage.url}/console/builds/nothing%3Ahere/log`); // a deep link, whose assets are further up
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await context.close();
  await stage.close();
});

test("nothing is asked of anybody but the server", async ({ page, fresh }) => {
  // The fixture holds it; this opens the pages with the most inside.
  await open(page, fresh, "/projects/new");
  await page.getByRole("radio", { name: /Insert build commands/ }).check();
  await expect(page.locator(".cm-content")).toBeVisible();
});
