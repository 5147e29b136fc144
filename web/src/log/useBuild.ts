import { BatchGetBuildsCommand, type Build } from "@aws-sdk/client-codebuild";
import { useQuery } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";
import { liveInterval } from "../app/query";

/** The build of a log; asked for again until it has ended. Undefined until it is known, null if there is none. */
export function useBuild(buildId: string): Build | null | undefined {
  const build = useQuery({
    queryKey: ["log", "build", buildId],
    queryFn: async ({ signal }) => {
      const out = await codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }), { abortSignal: signal });
      return out.builds?.[0] ?? null;
    },
    refetchInterval: ({ state }) => (state.data?.buildComplete === false ? liveInterval : false),
  });
  return build.data;
}
