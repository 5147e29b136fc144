import { chooseProvider, disconnect, expect, open, test } from "./fixtures";
import type { Page } from "@playwright/test";

// The flows of the guide's page "Use access tokens with your source provider in
// CodeBuild", section "Connect source providers with access tokens (console)",
// step by step.


/** Holds that a secret is nowhere in the page, its address, its history's state or its storage. */
async function expectNowhere(page: Page, secret: string): Promise<void> {
  expect(page.url()).not.toContain(secret);
  const kept = await page.evaluate(() =>
    JSON.stringify([
      document.documentElement.outerHTML,
      [...document.querySelectorAll("input, textarea")].map((i) => (i as HTMLInputElement).value),
      Object.entries(sessionStorage),
      Object.entries(localStorage),
      history.state as unknown,
    ]),
  );
  expect(kept).not.toContain(secret);
}

test("a GitHub personal access token is connected while a project is created", async ({ page, fresh }) => {
  const { token } = fresh.forges.GITHUB;
  await disconnect(fresh, "GITHUB");
  await open(page, fresh, "/projects/new");
  await chooseProvider(page, "GitHub");
  await page.getByRole("radio", { name: /Repository in my GitHub account/ }).check();
  await page.getByRole("radiogroup", { name: "Repository", exact: true }).getByRole("radio", { name: "Connect with a GitHub personal access token" }).check();
  await page.getByLabel("GitHub personal access token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Save token" }).click();

  // The check runs before the eyes.
  const result = page.getByRole("region", { name: "Result of saving" });
  await expect(result).toContainText("mona");
  await expect(result).toContainText("repo");
  await expect(result.getByRole("table", { name: "What it can do" })).toContainText("Works");
  await expectNowhere(page, token);
  const { sourceCredentialsInfos } = await fresh.call("ListSourceCredentials", {});
  expect(sourceCredentialsInfos).toMatchObject([{ serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN" }]);
});

test("Bitbucket is connected with a user name and an API token", async ({ page, fresh }) => {
  const { token, username = "" } = fresh.forges.BITBUCKET;
  await disconnect(fresh, "BITBUCKET");
  await open(page, fresh, "/projects/new");
  await chooseProvider(page, "Bitbucket");
  await page.getByRole("radio", { name: /Repository in my Bitbucket account/ }).check();
  await page.getByRole("radio", { name: "Connect with a Bitbucket app password or API token" }).check();
  await expect(page.getByText("CodeBuild does not support Bitbucket Server.").first()).toBeVisible();
  await page.getByLabel("Bitbucket username").fill(username);
  await page.getByLabel("Bitbucket app password or API token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Save Bitbucket credentials" }).click();
  await expect(page.getByRole("region", { name: "Result of saving" })).toContainText("Works");
  await expectNowhere(page, token);
});

test("a GitHub Enterprise Server is connected with its host", async ({ page, fresh }) => {
  const { token, url } = fresh.forges.GITHUB_ENTERPRISE;
  await open(page, fresh, "/source-providers/connect?serverType=GITHUB_ENTERPRISE");
  await page.getByLabel("Host", { exact: true }).fill(new URL(url).host);
  await page.getByLabel("GitHub Enterprise Server personal access token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Save token" }).click();
  await expect(page.getByRole("region", { name: "Result of saving" })).toBeVisible();
  await expectNowhere(page, token);
});

test("a token that the provider refuses is explained, and replaced by a good one", async ({ page, fresh }) => {
  const bad = "glpat-NobodyKnowsThisOne00";
  await open(page, fresh, "/source-providers/connect?serverType=GITLAB");
  await page.getByLabel("GitLab personal access token", { exact: true }).fill(bad);
  await page.getByRole("button", { name: "Save token" }).click();
  const result = page.getByRole("region", { name: "Result of saving" });
  await expect(result).toContainText("GitLab does not accept this token");
  await expect(result).toContainText("401");
  await expectNowhere(page, bad);

  await page.getByRole("link", { name: "View all source providers" }).click();
  const row = page.getByRole("row", { name: /Default for GitLab/ });
  await expect(row).toContainText("Does not work");
  await row.getByRole("button", { name: "Actions for Default for GitLab" }).click();
  await page.getByRole("menuitem", { name: "Replace token" }).click();
  await page.getByLabel("GitLab personal access token", { exact: true }).fill(fresh.forges.GITLAB.token);
  await page.getByRole("button", { name: "Save token" }).click();
  await page.getByRole("dialog", { name: /Replace the stored token/ }).getByRole("button", { name: "Replace token" }).click();
  await expect(page.getByRole("region", { name: "Result of saving" })).toContainText("Works");
});

test("which credential wins for a repository is told", async ({ page, fresh }) => {
  await fresh.call("ImportSourceCredentials", { serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN", token: fresh.forges.GITHUB.token });
  await open(page, fresh, "/source-providers");
  await page.getByLabel("Repository URL").fill(fresh.forges.GITHUB.location);
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.getByRole("table", { name: "Credentials in the order in which they are asked" })).toContainText("Default for GitHub");
});
