import type { Project } from "@aws-sdk/client-codebuild";
import type { TableProps } from "@cloudscape-design/components/table";
import type { BuildSummary } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { BuildStatus } from "../parts/BuildStatus";
import { Time } from "../parts/Time";
import { providerName } from "./providers";
import { Repository } from "./Repository";

/** A project in the table; what is not read yet is undefined. */
export interface Row {
  readonly name: string;
  readonly project: Project | undefined;
  readonly latest: BuildSummary | undefined;
  /** Whether the last builds are known. */
  readonly known: boolean;
}

/** The columns of the table of projects. Sorting fields are the server's. */
export const columns: TableProps.ColumnDefinition<Row>[] = [
  { id: "name", header: "Name", sortingField: "NAME", isRowHeader: true, minWidth: 140, cell: (r) => <AppLink to={paths.project(r.name)}>{r.name}</AppLink> },
  { id: "provider", header: "Source provider", minWidth: 140, cell: (r) => (r.project === undefined ? "" : providerName(r.project.source?.type)) },
  { id: "repository", header: "Repository", minWidth: 200, cell: (r) => (r.project === undefined ? "" : <Repository source={r.project.source} short />) },
  {
    id: "latest",
    header: "Latest build",
    minWidth: 140,
    cell: (r) =>
      r.latest === undefined ? (
        r.known ? "–" : ""
      ) : (
        <AppLink to={paths.build(r.latest.id)}>
          <BuildStatus status={r.latest.buildStatus} phase={r.latest.currentPhase} />
        </AppLink>
      ),
  },
  { id: "created", header: "Created", sortingField: "CREATED_TIME", minWidth: 120, cell: (r) => <Time at={r.project?.created} none="" /> },
  { id: "modified", header: "Last modified", sortingField: "LAST_MODIFIED_TIME", minWidth: 140, cell: (r) => <Time at={r.project?.lastModified} none="" /> },
];
