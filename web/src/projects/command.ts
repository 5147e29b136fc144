import type { CreateProjectInput, CreateWebhookInput, UpdateProjectInput } from "@aws-sdk/client-codebuild";

/** The text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The AWS CLI's command for an operation of CodeBuild with this input. */
export function command(operation: string, input: object): string {
  return `aws codebuild ${operation} --cli-input-json ${shellWord(JSON.stringify(input, null, 2))}\n`;
}

/** The commands that make a project and its webhook, or change the project. */
export function commands(project: { create: CreateProjectInput } | { update: UpdateProjectInput }, webhook: CreateWebhookInput | undefined): string {
  const first = "create" in project ? command("create-project", project.create) : command("update-project", project.update);
  return webhook === undefined ? first : `${first}\n${command("create-webhook", webhook)}`;
}
