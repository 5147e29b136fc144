import type { Report } from "@aws-sdk/client-codebuild";
import Table from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { Time } from "../parts/Time";
import { duration } from "../parts/time";
import { buildOf, groupName, groupOfReport, seconds, summary } from "./reports";
import { ReportStatus } from "./ReportStatus";

/** Reports with what each has to say: in a container those of a group, embedded those of a build. */
export function ReportsTable({ reports, loading, label, empty, header, footer, variant }: {
  reports: readonly Report[];
  loading: boolean;
  label: string;
  empty: ReactNode;
  header?: ReactNode;
  footer?: ReactNode;
  variant: "container" | "embedded";
}) {
  return (
    <Table<Report>
      variant={variant}
      header={header}
      footer={footer}
      wrapLines
      ariaLabels={{ tableLabel: label }}
      loading={loading}
      loadingText="Loading reports"
      items={reports}
      trackBy={(r) => r.arn ?? ""}
      empty={empty}
      columnDefinitions={[
        { id: "name", header: "Report", isRowHeader: true, cell: (r) => (r.arn === undefined ? "–" : <AppLink to={paths.report(r.arn)}>{r.name ?? groupName(r.arn)}</AppLink>), minWidth: 200 },
        { id: "status", header: "Status", cell: (r) => <ReportStatus status={r.status} />, minWidth: 130 },
        { id: "summary", header: "Summary", cell: summary, minWidth: 200 },
        { id: "duration", header: "Tests took", cell: (r) => took(seconds(r.testSummary?.durationInNanoSeconds)), minWidth: 110 },
        { id: "created", header: "Created", cell: (r) => <Time at={r.created} />, minWidth: 140 },
        variant === "container"
          ? { id: "build", header: "Build", cell: (r) => <Build of={r} />, minWidth: 200 }
          : { id: "group", header: "Report group", cell: (r) => (r.arn === undefined ? "–" : <AppLink to={paths.reportGroup(r.reportGroupArn ?? groupOfReport(r.arn))}>{groupName(r.arn)}</AppLink>), minWidth: 160 },
      ]}
    />
  );
}

function took(s: number | undefined): string {
  return s === undefined ? "–" : duration(s);
}

function Build({ of }: { of: Report }) {
  const id = buildOf(of);
  return id === undefined ? <>–</> : <AppLink to={paths.build(id)}>{id}</AppLink>;
}
