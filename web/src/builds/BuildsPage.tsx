import { Page } from "../parts/Page";
import { BuildsTable } from "./BuildsTable";

/** The builds of all projects. */
export default function BuildsPage() {
  return (
    <Page title="Build history" description="Every build of every project, newest first.">
      <BuildsTable />
    </Page>
  );
}
