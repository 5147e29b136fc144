import type { Project } from "@aws-sdk/client-codebuild";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { NotificationProvider } from "../app/notifications";
import { emptyForm, formOf } from "./form";
import { ProjectEditor } from "./ProjectEditor";

const calls = vi.hoisted(() => ({
  slipway: vi.fn<(operation: string, input: Record<string, unknown>) => Promise<unknown>>(),
  send: vi.fn<(command: { input: object }) => Promise<unknown>>(),
}));
vi.mock("../api/slipway", () => ({ slipway: calls.slipway }));
vi.mock("../api/codebuild", () => ({ codebuild: { send: calls.send } }));

configure({ asyncUtilTimeout: 20_000 });
vi.setConfig({ testTimeout: 90_000 });

const found = { level: "ERROR", member: "name", message: "A name is needed." };
let findings: object[] = [];

beforeEach(() => {
  findings = [];
  window.history.replaceState(null, "", "/projects/new");
  window.scrollTo = () => undefined; // jsdom scrolls nowhere
  Element.prototype.scrollIntoView = () => undefined;
  calls.send.mockReset().mockResolvedValue({});
  calls.slipway.mockReset().mockImplementation((operation, input) => {
    switch (operation) {
      case "DescribeServer":
        return Promise.resolve({ account: "000000000000", webhooks: true, runner: "local" });
      case "ListCredentials":
        return Promise.resolve({ credentials: [{ arn: "arn:token/github", serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN" }] });
      case "CheckProject":
        return Promise.resolve({ findings });
      case "ListRepositories":
        return Promise.resolve({ repositories: [{ fullName: input["search"] === undefined ? "octo/all" : "team/soup", cloneUrl: "https://github.com/team/soup.git", private: true, admin: true }] });
      default:
        return Promise.reject(new Error(operation));
    }
  });
});

const project: Project = {
  name: "soup",
  source: { type: "GITHUB", location: "https://github.com/octo/recipes.git", auth: { type: "OAUTH" } },
  artifacts: { type: "NO_ARTIFACTS" },
  environment: { type: "LINUX_CONTAINER", image: "local", computeType: "BUILD_GENERAL1_SMALL" },
  serviceRole: "arn:aws:iam::000000000000:role/build",
};

function show(was?: Project) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const initial = was === undefined ? emptyForm("000000000000") : formOf(was);
  render(
    <QueryClientProvider client={client}>
      <NotificationProvider>
        <ProjectEditor initial={initial} was={was} />
        <a href="/console/builds">Build history</a>
      </NotificationProvider>
    </QueryClientProvider>,
  );
  return userEvent.setup({ delay: null });
}

const asked = (operation: string) => calls.slipway.mock.calls.filter(([o]) => o === operation).map(([, input]) => input);
const button = (text: string) => screen.getByText(text, { selector: "button span, button" });

test("what the server refuses is told at its field and at the top, and nothing is sent", async () => {
  findings = [found, { level: "ERROR", member: "environment.environmentVariables[0].name", message: "Not a name." }];
  const user = show();
  await waitFor(() => expect(asked("CheckProject").length).toBeGreaterThan(0));
  expect(screen.queryByText("A name is needed.")).toBeNull(); // nobody has been there yet
  await user.click(button("Create build project"));
  expect(await screen.findByText("2 settings keep the project from being saved")).toBeTruthy();
  expect(screen.getByLabelText("Project name").getAttribute("aria-invalid")).toBe("true");
  expect(calls.send).not.toHaveBeenCalled();
  await user.click(screen.getByText("Project name", { selector: "a *, a" }));
  expect(document.activeElement).toBe(screen.getByLabelText("Project name"));
});

test("what is wrong with a field is told once the pointer that left it is up again", async () => {
  findings = [found];
  const user = show();
  await waitFor(() => expect(asked("CheckProject").length).toBeGreaterThan(0));
  await user.click(screen.getByLabelText("Project name"));
  const elsewhere = button("Show as CLI command or Terraform");
  await user.pointer({ keys: "[MouseLeft>]", target: elsewhere });
  expect(document.activeElement).not.toBe(screen.getByLabelText("Project name"));
  expect(screen.queryByText("A name is needed.")).toBeNull();
  await user.pointer({ keys: "[/MouseLeft]", target: elsewhere });
  expect(await screen.findByText("A name is needed.")).toBeTruthy();
});

test("what was wrong with a field before it was typed into is not told", async () => {
  findings = [found];
  const user = show();
  await waitFor(() => expect(asked("CheckProject").length).toBe(1));
  findings = [];
  await user.type(screen.getByLabelText("Project name"), "soup");
  await user.tab();
  const said: boolean[] = [];
  const watch = new MutationObserver(() => said.push(screen.queryByText("A name is needed.") !== null));
  watch.observe(document.body, { childList: true, subtree: true, characterData: true });
  expect(screen.queryByText("A name is needed.")).toBeNull();
  await waitFor(() => expect(asked("CheckProject").at(-1)?.["request"]).toContain('"soup"'));
  await user.click(button("Show as CLI command or Terraform"));
  watch.disconnect();
  expect(said).not.toContain(true);
});

test("a repository is searched for when typing rests, and its URL is chosen", async () => {
  const user = show();
  await screen.findByText("Connect another token"); // the credentials are known
  const field = screen.getByPlaceholderText("https://github.com/owner/repository");
  await user.click(field);
  await screen.findByText("octo/all");
  for (const text of ["m", "me", "men"]) fireEvent.input(field, { target: { value: text } });
  await screen.findByText("team/soup");
  expect(asked("ListRepositories").map((i) => i["search"])).toEqual([undefined, "men"]);
  await user.click(screen.getByText("team/soup"));
  await waitFor(() => expect(field).toHaveProperty("value", "https://github.com/team/soup.git"));
});

test("one is asked before what was typed is lost", async () => {
  const user = show();
  const link = screen.getByText("Build history");
  fireEvent.input(screen.getByLabelText("Project name"), { target: { value: "soup" } });
  await user.click(link);
  expect(await screen.findByText("What you changed is not saved and will be lost.")).toBeTruthy();
  await user.click(button("Stay"));
  expect(window.location.pathname).toBe("/projects/new");
  expect(screen.getByLabelText("Project name")).toHaveProperty("value", "soup");
});

test("it is told which half was saved", async () => {
  calls.send.mockImplementation((command) => (command.constructor.name === "DeleteWebhookCommand" ? Promise.reject(new Error("The database is locked.")) : Promise.resolve({})));
  const user = show({ ...project, webhook: { filterGroups: [] } });
  await user.click(screen.getByLabelText(/Rebuild every time/));
  await user.click(button("Update project"));
  expect(await screen.findByText("The project is saved, but its webhook is still there")).toBeTruthy();
  expect(screen.getByText(/The database is locked/)).toBeTruthy();
  expect(calls.send.mock.calls.map(([c]) => c.constructor.name)).toEqual(["UpdateProjectCommand", "DeleteWebhookCommand"]);
});

test("a new webhook begins with pushes and pull requests", async () => {
  const user = show();
  await user.click(screen.getByLabelText(/Rebuild every time/));
  fireEvent.input(screen.getByLabelText("Project name"), { target: { value: "soup" } });
  await user.click(button("Create build project"));
  await waitFor(() => expect(calls.send).toHaveBeenCalledTimes(2));
  expect(calls.send.mock.calls[1]?.[0].input).toMatchObject({
    projectName: "soup",
    filterGroups: [[{ type: "EVENT", pattern: "PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, PULL_REQUEST_REOPENED" }]],
  });
});
