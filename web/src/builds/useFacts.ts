import type { Build } from "@aws-sdk/client-codebuild";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { slipway } from "../api/slipway";
import type { DescribeBuildOutput } from "../api/slipway.gen";
import { liveInterval } from "../app/query";
import { inProgress } from "./build";
import { withoutStamp } from "./failed";

/** What is known of a build beyond its record: the command that failed, and its caches. */
export function useFacts(build: Build): UseQueryResult<DescribeBuildOutput> {
  const id = build.id ?? "";
  const running = inProgress(build);
  return useQuery({
    // When it ends there may be more than was read last.
    queryKey: ["builds", "facts", id, running],
    enabled: id !== "",
    queryFn: ({ signal }) => slipway("DescribeBuild", { buildId: id }, signal),
    refetchInterval: ({ state }) => (running && state.error === null ? liveInterval : false),
  });
}

/** The last line that the log has while the build gets its place, such as how far its image is; undefined at any other time. */
export function useProvisioning(build: Build): string | undefined {
  const id = build.id ?? "";
  const wanted = id !== "" && inProgress(build) && build.currentPhase === "PROVISIONING";
  const last = useQuery({
    queryKey: ["builds", "provisioning", id],
    enabled: wanted,
    queryFn: async ({ signal }) => {
      const { messages } = await slipway("GetBuildLogLines", { buildId: id, startLine: -1, maxLines: 1 }, signal);
      return withoutStamp(messages?.[0] ?? "");
    },
    refetchInterval: ({ state }) => (state.error === null ? liveInterval / 2 : false),
  });
  return wanted && last.data !== "" ? last.data : undefined;
}
