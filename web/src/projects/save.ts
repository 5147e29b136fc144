import {
  CreateProjectCommand,
  CreateWebhookCommand,
  DeleteWebhookCommand,
  UpdateProjectCommand,
  UpdateWebhookCommand,
  type Project,
  type Webhook,
} from "@aws-sdk/client-codebuild";
import { codebuild } from "../api/codebuild";
import type { ProjectForm } from "./form";
import { createRequest, updateRequest, webhookChange } from "./request";

/** What came of saving a project that was saved. */
export interface Saved {
  /** The webhook, with its secret if it has to be entered by hand. */
  readonly byHand?: Webhook;
  /** Why the webhook is not what the form says. */
  readonly webhookError?: unknown;
}

/**
 * Makes or changes the project of a form, and then its webhook. A webhook that
 * goes is deleted first: a source that can have none is refused while there is one.
 */
export async function save(form: ProjectForm, was: Project | undefined): Promise<Saved> {
  const change = webhookChange(form, was?.webhook);
  if (change.kind === "delete") await codebuild.send(new DeleteWebhookCommand(change.input));
  if (was === undefined) await codebuild.send(new CreateProjectCommand(createRequest(form)));
  else await codebuild.send(new UpdateProjectCommand(updateRequest(form, was)));
  try {
    if (change.kind === "update") await codebuild.send(new UpdateWebhookCommand(change.input));
    if (change.kind !== "create") return {};
    const { webhook } = await codebuild.send(new CreateWebhookCommand(change.input));
    return change.input.manualCreation === true && webhook !== undefined ? { byHand: webhook } : {};
  } catch (webhookError) {
    return { webhookError };
  }
}
