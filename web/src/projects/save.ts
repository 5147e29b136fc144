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
import { createRequest, updateRequest, webhookChange, type WebhookChange } from "./request";

/**
 * What came of saving a form, unless nothing did. A project and its webhook are
 * two things to CodeBuild, so that one can be saved and the other not.
 */
export type Saved =
  /** The webhook is told of if it has a secret that has to be entered by hand. */
  | { readonly done: "all"; readonly byHand?: Webhook }
  /** The project alone, and why its webhook is not what the form says. */
  | { readonly done: "project"; readonly failed: WebhookChange["kind"]; readonly error: unknown }
  /** The webhook is deleted, and why the project is not saved. */
  | { readonly done: "deletion"; readonly error: unknown };

/**
 * Makes or changes the project of a form, and then its webhook. A webhook that
 * goes is the last to go, so that nothing is lost if the project is refused. Only
 * where the source changes too it goes first: it might not suit the new source,
 * and would be taken along to a repository where nobody wants it.
 */
export async function save(form: ProjectForm, was: Project | undefined): Promise<Saved> {
  const change = webhookChange(form, was?.webhook);
  if (was === undefined) {
    await codebuild.send(new CreateProjectCommand(createRequest(form)));
  } else {
    const first = change.kind === "delete" && (form.source.type !== was.source?.type || form.source.location !== (was.source.location ?? ""));
    if (first) await codebuild.send(new DeleteWebhookCommand(change.input));
    try {
      await codebuild.send(new UpdateProjectCommand(updateRequest(form, was)));
    } catch (error) {
      if (first) return { done: "deletion", error };
      throw error;
    }
    if (first) return { done: "all" };
  }
  try {
    switch (change.kind) {
      case "none":
        break;
      case "delete":
        await codebuild.send(new DeleteWebhookCommand(change.input));
        break;
      case "update":
        await codebuild.send(new UpdateWebhookCommand(change.input));
        break;
      case "create": {
        const { webhook } = await codebuild.send(new CreateWebhookCommand(change.input));
        if (change.input.manualCreation === true && webhook !== undefined) return { done: "all", byHand: webhook };
      }
    }
  } catch (error) {
    return { done: "project", failed: change.kind, error };
  }
  return { done: "all" };
}
