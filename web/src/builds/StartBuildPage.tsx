import { BatchGetProjectsCommand, type Build, type Project } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import { codebuild } from "../api/codebuild";
import { paths, usePathPart } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { StartBuildForm } from "./StartBuildForm";
import { useBuild } from "./useBuild";
import { buildName } from "./words";

/** Starts a build with overrides, from how the project is or, with retryOf, how an earlier build was. */
export default function StartBuildPage() {
  const name = usePathPart("name");
  const retryOf = useSearchParams()[0].get("retryOf") ?? "";
  const project = useQuery<Project | null>({
    queryKey: ["projects", "one", name, "to start"],
    staleTime: Infinity, // what is being typed is not pulled away
    gcTime: 0,
    queryFn: async ({ signal }) => (await codebuild.send(new BatchGetProjectsCommand({ names: [name] }), { abortSignal: signal })).projects?.[0] ?? null,
  });
  const build = useBuild(retryOf);
  const crumbs = [
    { text: "Build projects", to: paths.projects() },
    { text: name, to: paths.project(name) },
  ];
  const waiting = project.isPending || (retryOf !== "" && build.isPending);
  return (
    <Page title="Start build" crumbs={crumbs} description={<Described name={name} build={build.data ?? undefined} />}>
      <ProblemAlert error={project.error} doing="read the project" retry={() => void project.refetch()} />
      <ProblemAlert error={build.error} doing="read the earlier build" retry={() => void build.refetch()} />
      {project.data === null && (
        <Empty title={`There is no project ${name}`} action={<AppButton to={paths.projects()}>Go to build projects</AppButton>}>
          It was deleted or renamed.
        </Empty>
      )}
      {retryOf !== "" && build.data === null && <Box>The earlier build is no longer there. The form shows how the project is.</Box>}
      {waiting && <Loading what="project" minHeight={600} />}
      {!waiting && project.data !== undefined && project.data !== null && (
        <StartBuildForm key={`${name} ${build.data?.id ?? ""}`} project={project.data} build={build.data ?? undefined} />
      )}
    </Page>
  );
}

function Described({ name, build }: { name: string; build: Build | undefined }) {
  if (build === undefined) return <>What you change here is for this build of {name} only; the project stays as it is.</>;
  return <>As build {buildName(build)} was. What you change is for this build only; the project stays as it is.</>;
}
