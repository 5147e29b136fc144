import { BatchGetProjectsCommand, ListProjectsCommand, type Project, type ProjectSortByType, type SortOrderType } from "@aws-sdk/client-codebuild";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";

/** What the server says of itself. */
export const serverQuery = queryOptions({
  queryKey: ["DescribeServer"],
  queryFn: ({ signal }) => slipway("DescribeServer", {}, signal),
  staleTime: 60_000,
});

/** The names of all projects, in the server's order. */
export function projectNamesQuery(sortBy: ProjectSortByType, sortOrder: SortOrderType) {
  return queryOptions({
    queryKey: ["projects", "names", sortBy, sortOrder],
    queryFn: async ({ signal }) => {
      const names: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await codebuild.send(new ListProjectsCommand({ sortBy, sortOrder, nextToken }), { abortSignal: signal });
        names.push(...(page.projects ?? []));
        nextToken = page.nextToken;
      } while (nextToken !== undefined && nextToken !== "");
      return names;
    },
    placeholderData: keepPreviousData,
  });
}

/** Up to a hundred projects, by name. */
export function projectsQuery(names: readonly string[]) {
  return queryOptions({
    queryKey: ["projects", "batch", names],
    queryFn: async ({ signal }) => {
      const { projects = [] } = await codebuild.send(new BatchGetProjectsCommand({ names: [...names] }), { abortSignal: signal });
      return new Map(projects.map((p) => [p.name ?? "", withoutSecret(p)]));
    },
    enabled: names.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** One project. */
export function projectQuery(name: string) {
  return queryOptions({
    queryKey: ["projects", "one", name],
    queryFn: async ({ signal }) => {
      const { projects = [] } = await codebuild.send(new BatchGetProjectsCommand({ names: [name] }), { abortSignal: signal });
      const project = projects[0];
      if (project === undefined) throw new Problem("ResourceNotFoundException", `There is no project called ${name}. It may have been deleted.`);
      return withoutSecret(project);
    },
  });
}

/** The last builds of all projects. */
export const statisticsQuery = queryOptions({
  queryKey: ["projects", "statistics"],
  queryFn: async ({ signal }) => {
    const { projects = [] } = await slipway("GetBuildStatistics", {}, signal);
    return new Map(projects.map((p) => [p.projectName, p.latest]));
  },
});

/** The secret of a webhook is shown once where it is made, and kept nowhere. */
function withoutSecret(p: Project): Project {
  return p.webhook?.secret === undefined ? p : { ...p, webhook: { ...p.webhook, secret: undefined } };
}
