import { BatchDeleteBuildsCommand, RetryBuildCommand, StopBuildCommand, type Build } from "@aws-sdk/client-codebuild";
import { codebuild } from "../api/codebuild";
import { Problem } from "../api/problem";
import { count } from "./words";

/** Stops builds. Those that end by themselves meanwhile are fine, too. */
export async function stopBuilds(ids: readonly string[]): Promise<void> {
  await each(ids, (id) => codebuild.send(new StopBuildCommand({ id })), "stopped");
}

/** Starts builds anew, as they were started. */
export async function retryBuilds(ids: readonly string[]): Promise<Build[]> {
  const answers = await each(ids, (id) => codebuild.send(new RetryBuildCommand({ id })), "started again");
  return answers.flatMap((a) => a.build ?? []);
}

/** Deletes builds that ended. */
export async function deleteBuilds(ids: readonly string[]): Promise<void> {
  const { buildsNotDeleted = [] } = await codebuild.send(new BatchDeleteBuildsCommand({ ids: [...ids] }));
  const kept = buildsNotDeleted.filter((b) => b.statusCode !== "BUILD_NOT_FOUND");
  if (kept.length === 0) return;
  const running = kept.every((b) => b.statusCode === "BUILD_IN_PROGRESS");
  const why = running ? "still in progress. Stop it first." : `kept by the server (${kept.map((b) => b.statusCode ?? "no reason given").join(", ")}).`;
  throw new Problem("NotDeleted", `${deleted(ids.length - kept.length)}${kept.length === 1 ? "One is" : `${kept.length} are`} ${running && kept.length > 1 ? "still in progress. Stop them first." : why}`);
}

function deleted(n: number): string {
  return n === 0 ? "" : `${count(n, "build was", "builds were")} deleted. `;
}

/** Does something with each build, four at a time, and tells of the first failure how many it concerned. */
async function each<T>(ids: readonly string[], act: (id: string) => Promise<T>, done: string): Promise<T[]> {
  const answers: T[] = [];
  const failures: unknown[] = [];
  const left = [...ids];
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try {
        answers.push(await act(id));
      } catch (e) {
        failures.push(e);
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  if (failures.length === 0) return answers;
  const first = Problem.of(failures[0]);
  if (ids.length === 1) throw first;
  throw new Problem(first.name, `${failures.length} of ${ids.length} builds could not be ${done}. The first: ${first.message}`);
}
