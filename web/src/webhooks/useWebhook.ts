import { BatchGetProjectsCommand, type Webhook } from "@aws-sdk/client-codebuild";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ServerType } from "../api/slipway.gen";
import { providers } from "./words";

/** A project's webhook as CodeBuild knows it. It holds no secret. */
export interface ProjectWebhook {
  readonly webhook: Omit<Webhook, "secret"> | undefined;
  /** The type of the project's source. */
  readonly sourceType: string;
  readonly repositoryUrl: string;
}

/** The provider of a source of that type; undefined for sources without webhooks. */
export function providerOf(sourceType: string): ServerType | undefined {
  return Object.hasOwn(providers, sourceType) ? (sourceType as ServerType) : undefined;
}

/** The webhook of a project and where its source is. */
export function useProjectWebhook(projectName: string) {
  return useQuery({
    queryKey: ["webhooks", "settings", projectName],
    queryFn: async ({ signal }): Promise<ProjectWebhook> => {
      const { projects } = await codebuild.send(new BatchGetProjectsCommand({ names: [projectName] }), { abortSignal: signal });
      const project = projects?.[0];
      if (project === undefined) throw new Problem("ResourceNotFoundException", `There is no project ${projectName}.`);
      return { webhook: project.webhook, sourceType: project.source?.type ?? "", repositoryUrl: project.source?.location ?? "" };
    },
    enabled: projectName !== "",
  });
}

/** How a project's webhook stands. verify asks the provider, too. */
export function useWebhookState(projectName: string, wanted: boolean) {
  const client = useQueryClient();
  const queryKey = ["webhooks", "state", projectName];
  const read = async (verify: boolean, signal?: AbortSignal) => {
    const { webhooks } = await slipway("ListWebhooks", { projectName, verify }, signal);
    return webhooks?.[0] ?? null;
  };
  const query = useQuery({ queryKey, queryFn: ({ signal }) => read(false, signal), enabled: wanted, refetchInterval: 15_000 });
  return { query, verify: async () => void client.setQueryData(queryKey, await read(true)) };
}
