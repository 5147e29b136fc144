import Box from "@cloudscape-design/components/box";
import type { TableProps } from "@cloudscape-design/components/table";
import type { BuildSummary } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { BuildStatus } from "../parts/BuildStatus";
import { Duration, Time } from "../parts/Time";
import { buildName, failureWords, shortCommit, shortVersion } from "./words";
import styles from "./builds.module.css";

type Column = TableProps.ColumnDefinition<BuildSummary>;

const build: Column = {
  id: "build",
  header: "Build",
  cell: (b) => <AppLink to={paths.build(b.id)}>{buildName(b)}</AppLink>,
  isRowHeader: true,
  minWidth: 140,
};

const project: Column = {
  id: "project",
  header: "Project",
  cell: (b) => <AppLink to={paths.project(b.projectName)}>{b.projectName}</AppLink>,
  minWidth: 120,
};

const rest: readonly Column[] = [
  { id: "status", header: "Status", cell: (b) => <BuildStatus status={b.buildStatus} phase={b.currentPhase} />, minWidth: 130 },
  { id: "source", header: "Source version", cell: (b) => <Source build={b} />, minWidth: 150 },
  { id: "initiator", header: "Initiator", cell: (b) => b.initiator ?? "–", minWidth: 130 },
  { id: "started", header: "Started", cell: (b) => <Time at={b.startTime} />, minWidth: 130 },
  { id: "duration", header: "Duration", cell: (b) => <Duration from={b.startTime} to={b.endTime} />, minWidth: 110 },
  { id: "failure", header: "Why it failed", cell: (b) => <Failure build={b} />, minWidth: 180, maxWidth: 300 },
];

/** The columns of a table of builds; within a project its name is left out. */
export function columns(withinProject: boolean): readonly Column[] {
  return withinProject ? [build, ...rest] : [build, project, ...rest];
}

/** What was built: the version asked for, and the commit that it was. */
function Source({ build: b }: { build: BuildSummary }) {
  const version = b.sourceVersion === undefined ? "" : shortVersion(b.sourceVersion);
  const commit = b.resolvedSourceVersion === undefined ? "" : shortCommit(b.resolvedSourceVersion);
  if (version === "" && commit === "") return <>–</>;
  return (
    <span title={[b.sourceVersion, b.resolvedSourceVersion].filter(Boolean).join(" at ")}>
      {version}
      {commit !== "" && commit !== version && (
        <>
          {" "}
          <Box variant="code">{commit}</Box>
        </>
      )}
    </span>
  );
}

function Failure({ build: b }: { build: BuildSummary }) {
  const words = failureWords(b);
  if (words === "") return <>–</>;
  return (
    <span className={styles["failure"]} title={words}>
      {words}
    </span>
  );
}
