import type { Project } from "@aws-sdk/client-codebuild";
import { beforeEach, expect, test, vi } from "vitest";
import { emptyForm, formOf, type ProjectForm } from "./form";
import { save } from "./save";

const sent = vi.hoisted(() => ({ codebuild: { send: vi.fn<(command: object) => Promise<unknown>>() } }));
vi.mock("../api/codebuild", () => sent);

const location = "https://github.com/octo/recipes.git";
const group = [{ type: "EVENT" as const, pattern: "PUSH" }];
const project: Project = {
  name: "soup",
  source: { type: "GITHUB", location },
  artifacts: { type: "NO_ARTIFACTS" },
  environment: { type: "LINUX_CONTAINER", image: "local", computeType: "BUILD_GENERAL1_SMALL" },
  serviceRole: "arn:aws:iam::000000000000:role/build",
  webhook: { filterGroups: [group] },
};

let refused: string | undefined;
const error = new Error("refused");

beforeEach(() => {
  refused = undefined;
  sent.codebuild.send.mockReset().mockImplementation((command) =>
    command.constructor.name === refused ? Promise.reject(error) : Promise.resolve({ webhook: { payloadUrl: "https://slipway.example/webhooks", secret: "s3cret" } }),
  );
});

const steps = () => sent.codebuild.send.mock.calls.map(([c]) => c.constructor.name);
const webhook = (form: ProjectForm, change: Partial<ProjectForm["webhook"]>): ProjectForm => ({ ...form, webhook: { ...form.webhook, ...change } });
const made: ProjectForm = (() => {
  const form = emptyForm("000000000000");
  return webhook({ ...form, name: "soup", source: { ...form.source, location } }, { on: true, filterGroups: [group] });
})();

test("a project is made before its webhook, and is there if that is refused", async () => {
  expect(await save(made, undefined)).toEqual({ done: "all" });
  expect(steps()).toEqual(["CreateProjectCommand", "CreateWebhookCommand"]);
  refused = "CreateWebhookCommand";
  expect(await save(made, undefined)).toEqual({ done: "project", failed: "create", error });
});

test("no webhook is made for a project that is refused", async () => {
  refused = "CreateProjectCommand";
  await expect(save(made, undefined)).rejects.toBe(error);
  expect(steps()).toEqual(["CreateProjectCommand"]);
});

test("the secret of a webhook is told of if it is entered by hand, and only then", async () => {
  expect(await save(webhook(made, { manual: true }), undefined)).toMatchObject({ done: "all", byHand: { secret: "s3cret" } });
  expect(await save(made, undefined)).toEqual({ done: "all" });
});

test("other filters are saved after the project, and it is told if they are not", async () => {
  const form = webhook(formOf(project), { filterGroups: [] });
  expect(await save(form, project)).toEqual({ done: "all" });
  expect(steps()).toEqual(["UpdateProjectCommand", "UpdateWebhookCommand"]);
  refused = "UpdateWebhookCommand";
  expect(await save(form, project)).toEqual({ done: "project", failed: "update", error });
});

test("the same filters are not saved again", async () => {
  await save({ ...formOf(project), description: "Soup of the day" }, project);
  expect(steps()).toEqual(["UpdateProjectCommand"]);
});

test("a webhook goes after the project is saved, and stays if that is refused", async () => {
  const form = webhook(formOf(project), { on: false });
  expect(await save(form, project)).toEqual({ done: "all" });
  expect(steps()).toEqual(["UpdateProjectCommand", "DeleteWebhookCommand"]);
  sent.codebuild.send.mockClear();
  refused = "UpdateProjectCommand";
  await expect(save(form, project)).rejects.toBe(error);
  expect(steps()).toEqual(["UpdateProjectCommand"]);
  refused = "DeleteWebhookCommand";
  expect(await save(form, project)).toEqual({ done: "project", failed: "delete", error });
});

test("a webhook goes before the source does, and it is told if the project is refused then", async () => {
  const was = formOf(project);
  const form = { ...was, source: { ...was.source, type: "NO_SOURCE" as const, location: "" } };
  expect(await save(form, project)).toEqual({ done: "all" });
  expect(steps()).toEqual(["DeleteWebhookCommand", "UpdateProjectCommand"]);
  refused = "UpdateProjectCommand";
  expect(await save(form, project)).toEqual({ done: "deletion", error });
  sent.codebuild.send.mockClear();
  refused = "DeleteWebhookCommand";
  await expect(save(form, project)).rejects.toBe(error);
  expect(steps()).toEqual(["DeleteWebhookCommand"]);
});
