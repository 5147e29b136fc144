import { useParams } from "wouter";
import { paths } from "../app/navigate";
import { Page } from "../parts/Page";
import { LogViewer } from "./LogViewer";

/** The log of one build, in full. */
export default function LogPage() {
  const { id } = useParams<{ id: string }>();
  const [project = ""] = id.split(":");
  return (
    <Page
      title="Build log"
      crumbs={[
        { text: "Build projects", to: paths.projects() },
        { text: project, to: paths.project(project) },
        { text: id, to: paths.build(id) },
      ]}
    >
      <LogViewer key={id} buildId={id} height={Math.max(360, window.innerHeight - 240)} />
    </Page>
  );
}
