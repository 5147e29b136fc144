import type { CodeCoverage } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { useCoverage } from "./queries";
import { linesOf, percent } from "./reports";
import styles from "./reports.module.css";

/** Coverage of each file, the least covered first. */
export function Coverage({ arn }: { arn: string }) {
  const pages = useCoverage(arn, true);
  const files = pages.data?.pages.flatMap((p) => p.codeCoverages ?? []) ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={pages.error} doing="read the coverage" retry={() => void pages.refetch()} />
      <Table<CodeCoverage>
        variant="container"
        wrapLines
        ariaLabels={{ tableLabel: "Coverage of files" }}
        header={
          <Header variant="h2" counter={pages.isPending ? undefined : `(${files.length}${pages.hasNextPage ? "+" : ""})`}>
            Files, the least covered first
          </Header>
        }
        loading={pages.isPending}
        loadingText="Loading coverage"
        items={files}
        trackBy={(c) => c.id ?? c.filePath ?? ""}
        columnDefinitions={[
          { id: "file", header: "File", isRowHeader: true, cell: (c) => <span className={styles["name"]}>{c.filePath ?? "–"}</span>, minWidth: 260 },
          { id: "lines", header: "Line coverage", cell: (c) => percent(c.lineCoveragePercentage), minWidth: 130 },
          { id: "covered", header: "Lines covered", cell: linesOf, minWidth: 130 },
          { id: "branches", header: "Branch coverage", cell: (c) => ((c.branchesCovered ?? 0) + (c.branchesMissed ?? 0) === 0 ? "–" : percent(c.branchCoveragePercentage)), minWidth: 140 },
        ]}
        empty={<Empty title="The report names no files" />}
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more files
              </Button>
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}
