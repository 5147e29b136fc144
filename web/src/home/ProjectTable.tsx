import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import { useState, type ReactNode } from "react";
import type { ProjectStatistics } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { BuildStatus } from "../parts/BuildStatus";
import { Empty } from "../parts/Empty";
import { PlainTable } from "../parts/PlainTable";
import { duration } from "../parts/time";
import { percent, successRate } from "./statistics";

/** How each project's builds are doing. */
export function ProjectTable({ projects, days, action }: { projects: readonly ProjectStatistics[]; days: number; action: ReactNode }) {
  const [all, setAll] = useState(false);
  const shown = all ? projects : projects.slice(0, 10);
  return (
    <PlainTable
      label="Projects"
      header={
        <Header variant="h2" counter={`(${projects.length})`} description={`The last ${days} days`} actions={action}>
          Projects
        </Header>
      }
      items={shown}
      rows={shown.length}
      keyOf={(p) => p.projectName}
      empty={<Empty title="No builds in this time" />}
      footer={
        projects.length > 10 && (
          <Button variant="inline-link" onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show all ${projects.length}`}
          </Button>
        )
      }
      columns={[
        { id: "name", header: "Project", cell: (p) => <AppLink to={paths.project(p.projectName)}>{p.projectName}</AppLink> },
        {
          id: "latest",
          header: "Latest build",
          cell: (p) =>
            p.latest === undefined ? (
              "–"
            ) : (
              <AppLink to={paths.build(p.latest.id)} color="inverted">
                <BuildStatus status={p.latest.buildStatus} phase={p.latest.currentPhase} />
              </AppLink>
            ),
        },
        { id: "rate", header: "Succeeded", cell: (p) => percent(successRate(p)) },
        { id: "count", header: "Builds", cell: (p) => (p.succeeded ?? 0) + (p.failed ?? 0) + (p.other ?? 0) },
        { id: "median", header: "Median duration", cell: (p) => ((p.medianSeconds ?? 0) > 0 ? duration(p.medianSeconds ?? 0) : "–") },
        { id: "p90", header: "9 of 10 within", cell: (p) => ((p.p90Seconds ?? 0) > 0 ? duration(p.p90Seconds ?? 0) : "–") },
      ]}
    />
  );
}
