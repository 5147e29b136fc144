import { paths, usePathPart } from "../app/navigate";
import { useBuild } from "../builds/useBuild";
import { BuildStatus } from "../parts/BuildStatus";
import { Page } from "../parts/Page";
import { BuildLog } from "./LogViewer";

/** The log of one build, in full. */
export default function LogPage() {
  const id = usePathPart("id");
  const build = useBuild(id).data;
  const [project = ""] = id.split(":");
  return (
    <Page
      title="Build log"
      crumbs={[
        { text: "Build projects", to: paths.projects() },
        { text: project, to: paths.project(project) },
        { text: build?.buildNumber === undefined ? id : `Build ${build.buildNumber}`, to: paths.build(id) },
      ]}
      description={build === undefined || build === null ? "\u00a0" : <BuildStatus status={build.buildStatus} phase={build.currentPhase} />}
    >
      <BuildLog key={id} buildId={id} height="max(400px, calc(100dvh - 230px))" />
    </Page>
  );
}
