import { expect, type Page } from "@playwright/test";
import type { Stage } from "./stage";

/** Every page of the console on a seeded stage: a name for its picture, its path, and what it shows once it is there. */
export async function allPages(stage: Stage): Promise<readonly { name: string; path: string; ready: (page: Page) => Promise<void> }[]> {
  const heading = (name: string | RegExp) => async (page: Page) => {
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await expect(page.getByText(/^Loading/)).toHaveCount(0);
  };
  const shows = (name: string | RegExp, text: string) => async (page: Page) => {
    await heading(name)(page);
    await expect(page.getByText(text, { exact: true }).first()).toBeVisible();
  };
  const builds = async (project: string) => ((await stage.call("ListBuildsForProject", { projectName: project })) as { ids: string[] }).ids;
  const first = async (project: string) => encodeURIComponent((await builds(project))[0] ?? "");
  const { sourceCredentialsInfos } = (await stage.call("ListSourceCredentials", {})) as { sourceCredentialsInfos: { arn: string; serverType: string }[] };
  const credential = encodeURIComponent(sourceCredentialsInfos.find((c) => c.serverType === "GITLAB_SELF_MANAGED")?.arn ?? "");
  const deliveries = (await stage.do("call", { slipway: true, operation: "ListWebhookDeliveries", input: { projectName: "storefront" } })) as { deliveries: { id: string }[] };
  const delivery = encodeURIComponent(deliveries.deliveries[0]?.id ?? "");
  const { reports } = (await stage.call("ListReports", {})) as { reports: string[] };
  const report = (group: string) => encodeURIComponent(reports.find((arn) => arn.includes(`/feast-${group}:`)) ?? "");
  const { reportGroups } = (await stage.call("ListReportGroups", {})) as { reportGroups: string[] };
  const group = encodeURIComponent(reportGroups.find((arn) => arn.endsWith("/feast-unit")) ?? "");
  return [
    { name: "home", path: "/", ready: shows("Home", "Median duration") },
    { name: "source-providers", path: "/source-providers", ready: heading("Source providers") },
    { name: "connect", path: "/source-providers/connect", ready: heading(/Connect/) },
    { name: "connect-bitbucket", path: "/source-providers/connect?serverType=BITBUCKET", ready: heading(/Connect/) },
    { name: "connect-ghes", path: "/source-providers/connect?serverType=GITHUB_ENTERPRISE", ready: heading(/Connect/) },
    { name: "credential", path: `/source-providers/${credential}`, ready: heading(/./) },
    { name: "projects", path: "/projects", ready: heading("Build projects") },
    { name: "create-project", path: "/projects/new", ready: heading("Create build project") },
    { name: "project", path: "/projects/storefront", ready: heading("storefront") },
    { name: "project-details", path: "/projects/storefront?tab=details", ready: heading("storefront") },
    { name: "project-webhook", path: "/projects/storefront?tab=webhook", ready: shows("storefront", "Filter groups") },
    { name: "edit-project", path: "/projects/storefront/edit", ready: heading(/Edit/) },
    { name: "start-build", path: "/projects/storefront/start", ready: heading(/Start build/) },
    { name: "builds", path: "/builds", ready: heading("Build history") },
    { name: "build-failed", path: `/builds/${await first("salad")}`, ready: heading(/salad/) },
    { name: "build-phases", path: `/builds/${await first("salad")}?tab=phases`, ready: heading(/salad/) },
    { name: "build-webhook", path: `/builds/${await first("storefront")}?tab=webhook`, ready: shows(/storefront/, "Received") },
    { name: "build-running", path: `/builds/${await first("stew")}`, ready: heading(/stew/) },
    { name: "build-artifacts", path: `/builds/${await first("feast")}?tab=artifacts`, ready: heading(/feast/) },
    { name: "build-cache", path: `/builds/${await first("feast")}?tab=cache`, ready: heading(/feast/) },
    { name: "build-reports", path: `/builds/${await first("feast")}?tab=reports`, ready: heading(/feast/) },
    { name: "log", path: `/builds/${await first("salad")}/log`, ready: heading(/log/i) },
    { name: "deliveries", path: "/deliveries", ready: heading("Webhook deliveries") },
    { name: "delivery", path: `/deliveries/${delivery}`, ready: heading(/./) },
    { name: "test-delivery", path: "/deliveries/test?projectName=storefront", ready: heading(/Test/) },
    { name: "report-groups", path: "/reports", ready: heading("Report groups") },
    { name: "report-group", path: `/reports/groups/${group}`, ready: heading("feast-unit") },
    { name: "report-tests", path: `/reports/${report("unit")}`, ready: heading(/./) },
    { name: "report-coverage", path: `/reports/${report("cover")}`, ready: heading(/./) },
    { name: "secrets", path: "/secrets", ready: heading("Parameters and secrets") },
    { name: "sessions", path: "/sessions", ready: heading("Sessions") },
    { name: "not-found", path: "/nowhere", ready: heading("Page not found") },
  ];
}
