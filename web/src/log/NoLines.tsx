import type { Build } from "@aws-sdk/client-codebuild";
import { Empty } from "../parts/Empty";

/** What stands in place of a log without lines: why there are none, and whether some will come. */
export function NoLines({ build, gone }: { build: Build | null | undefined; gone: boolean }) {
  const [title, text] = reason(build, gone);
  return <Empty title={title}>{text}</Empty>;
}

/** Why a log has no lines. */
export function reason(build: Build | null | undefined, gone: boolean): readonly [string, string] {
  if (build === null) return ["There is no such build", "It may have been deleted, and its log with it. The build history has those that are kept."];
  if (build?.buildComplete === false && (build.currentPhase === "QUEUED" || build.currentPhase === "SUBMITTED")) {
    return ["The build waits for its turn", "Other builds run in its place. Its log shows up here once it starts."];
  }
  if (build?.buildComplete === false) return ["The build has not written anything yet", "Lines show up here as it writes them."];
  if (build?.logs?.cloudWatchLogs?.status === "DISABLED") return ["This build keeps no log", "Its project has CloudWatch logs turned off. Turn them on in the project, under Logs, for later builds."];
  if (gone) return ["The log is gone", "It was deleted, or never begun: the build may have ended before it ran. The phases of the build say what happened."];
  return ["The build wrote nothing", "It ended before it ran a command. The phases of the build say why."];
}
