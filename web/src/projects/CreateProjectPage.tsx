import { useQuery } from "@tanstack/react-query";
import { paths } from "../app/navigate";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { emptyForm } from "./form";
import { ProjectEditor } from "./ProjectEditor";
import { serverQuery } from "./queries";
import { useMemo } from "react";

/** Makes a project. */
export default function CreateProjectPage() {
  const server = useQuery(serverQuery);
  const account = server.data?.account ?? "000000000000";
  const initial = useMemo(() => emptyForm(account), [account]);
  return (
    <Page title="Create build project" crumbs={[{ text: "Build projects", to: paths.projects() }]}>
      <ProblemAlert error={server.error} doing="ask the server for its account" retry={() => void server.refetch()} />
      {server.data === undefined ? <Loading what="form" minHeight={600} /> : <ProjectEditor initial={initial} was={undefined} />}
    </Page>
  );
}
