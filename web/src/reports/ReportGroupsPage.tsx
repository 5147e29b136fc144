import type { ReportGroup } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { useReportGroups } from "./queries";
import styles from "./reports.module.css";

/** The report groups: each has the reports that builds made of one kind of tests or coverage. */
export default function ReportGroupsPage() {
  const pages = useReportGroups();
  const groups = pages.data?.pages.flatMap((p) => p.groups) ?? [];
  return (
    <Page title="Report groups" description="Test and coverage reports that builds made, kept for 30 days.">
      <ProblemAlert error={pages.error} doing="list the report groups" retry={() => void pages.refetch()} />
      <Table<ReportGroup>
        variant="container"
        header={
          <Header variant="h2" counter={pages.data === undefined ? undefined : `(${groups.length}${pages.hasNextPage ? "+" : ""})`}>
            All groups
          </Header>
        }
        ariaLabels={{ tableLabel: "Report groups" }}
        loading={pages.isPending}
        loadingText="Loading report groups"
        items={groups}
        trackBy={(g) => g.arn ?? ""}
        enableKeyboardNavigation
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (g) => (g.arn === undefined ? "–" : <AppLink to={paths.reportGroup(g.arn)}>{g.name ?? g.arn}</AppLink>), minWidth: 200 },
          { id: "type", header: "Type", cell: (g) => (g.type === "CODE_COVERAGE" ? "Code coverage" : "Test"), minWidth: 130 },
          { id: "export", header: "Raw data", cell: (g) => (g.exportConfig?.exportConfigType === "S3" ? `S3, ${g.exportConfig.s3Destination?.bucket ?? ""}` : "Not exported"), minWidth: 150 },
          { id: "modified", header: "Changed", cell: (g) => <Time at={g.lastModified} />, minWidth: 140 },
        ]}
        empty={
          <Empty title="No report groups">
            <div>A build makes reports of the files that its buildspec names. The group is made with the first one:</div>
            <pre className={styles["sample"]} tabIndex={0} aria-label="Buildspec that makes a report">
              {"reports:\n  unit:\n    files: ['**/*.xml']\n    file-format: JUNITXML"}
            </pre>
          </Empty>
        }
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more groups
              </Button>
            </Box>
          )
        }
      />
    </Page>
  );
}
