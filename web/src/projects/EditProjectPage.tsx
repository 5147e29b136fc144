import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useParams } from "wouter";
import { paths } from "../app/navigate";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { formOf } from "./form";
import { forget, handedOver } from "./handover";
import { ProjectEditor } from "./ProjectEditor";
import { projectQuery } from "./queries";
import type { Project } from "@aws-sdk/client-codebuild";

/** Changes a project. */
export default function EditProjectPage() {
  const { name } = useParams<{ name: string }>();
  // Read when the page opens and after saving, but not behind the user's back.
  const project = useQuery({ ...projectQuery(name), refetchOnMount: "always", refetchOnWindowFocus: false, refetchOnReconnect: false });
  return (
    <Page
      title={`Edit ${name}`}
      crumbs={[
        { text: "Build projects", to: paths.projects() },
        { text: name, to: paths.project(name) },
      ]}
    >
      <ProblemAlert error={project.error} doing="read the project" retry={() => void project.refetch()} />
      {project.data !== undefined && project.isFetchedAfterMount ? <Editing key={name} project={project.data} /> : project.isError ? null : <Loading what="project" minHeight={600} />}
    </Page>
  );
}

function Editing({ project }: { project: Project }) {
  const [initial] = useState(() => formOf(project));
  const [handover] = useState(() => handedOver(project.name ?? ""));
  useEffect(() => forget, []);
  return <ProjectEditor initial={initial} was={project} handover={handover} />;
}
