import { BatchGetBuildsCommand, type Build } from "@aws-sdk/client-codebuild";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";
import { slipway } from "../api/slipway";
import { liveInterval } from "../app/query";
import { inProgress } from "./build";

/** The key of what was read of one build. */
export const buildKey = (id: string) => ["builds", "one", id] as const;

/** One build, asked for again while it is in progress; null if there is none. */
export function useBuild(id: string): UseQueryResult<Build | null> {
  return useQuery({
    queryKey: buildKey(id),
    enabled: id !== "",
    queryFn: async ({ signal }) => {
      const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids: [id] }), { abortSignal: signal });
      return builds?.[0] ?? null;
    },
    refetchInterval: ({ state }) => (state.data !== undefined && state.data !== null && inProgress(state.data) ? liveInterval : false),
  });
}

/**
 * The line of the log in which the build first told of an error, from 1 as in
 * addresses; undefined until it is known, or if it told of none.
 */
export function useFirstErrorLine(id: string, wanted: boolean): number | undefined {
  const log = useQuery({
    queryKey: ["builds", "log", id, "first error"],
    enabled: wanted,
    staleTime: Infinity,
    queryFn: ({ signal }) => slipway("DescribeBuildLog", { buildId: id }, signal),
  });
  const mark = log.data?.firstError;
  return mark === undefined ? undefined : mark.line + 1; // the server counts from 0
}
