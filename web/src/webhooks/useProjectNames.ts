import { ListProjectsCommand } from "@aws-sdk/client-codebuild";
import { useQuery } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";

/** The names of all projects, in order. */
export function useProjectNames() {
  return useQuery({
    queryKey: ["webhooks", "projects"],
    queryFn: async ({ signal }) => {
      const names: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await codebuild.send(new ListProjectsCommand({ sortBy: "NAME", sortOrder: "ASCENDING", ...(nextToken === undefined ? {} : { nextToken }) }), { abortSignal: signal });
        names.push(...(page.projects ?? []));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return names;
    },
    staleTime: 30_000,
  });
}
