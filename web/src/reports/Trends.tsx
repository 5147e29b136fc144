import type { Report } from "@aws-sdk/client-codebuild";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { paths } from "../app/navigate";
import { Empty } from "../parts/Empty";
import { duration, full } from "../parts/time";
import { passRate, percent, seconds } from "./reports";
import { TrendChart, type Point } from "./TrendChart";

/** How many reports a trend shows. */
const trendReports = 50;

/** How the figures of a group's reports went; reports are given newest first. */
export function Trends({ coverage, reports }: { coverage: boolean; reports: readonly Report[] }) {
  const last = reports.slice(0, trendReports).toReversed();
  const points = (figure: (r: Report) => number | undefined): readonly Point[] =>
    last.flatMap((r) => {
      const value = figure(r);
      return value === undefined || r.arn === undefined ? [] : [{ key: r.arn, value, at: r.created === undefined ? "" : full(r.created), to: paths.report(r.arn) }];
    });
  const charts = coverage
    ? ([
        ["Line coverage", points((r) => r.codeCoverageSummary?.lineCoveragePercentage), percent, 100],
        ["Branch coverage", points((r) => ((r.codeCoverageSummary?.branchesCovered ?? 0) + (r.codeCoverageSummary?.branchesMissed ?? 0) > 0 ? r.codeCoverageSummary?.branchCoveragePercentage : undefined)), percent, 100],
      ] as const)
    : ([
        ["Pass rate", points(passRate), percent, 100],
        ["Duration", points((r) => seconds(r.testSummary?.durationInNanoSeconds)), duration, undefined],
      ] as const);
  return (
    <ColumnLayout columns={2}>
      {charts.map(([title, all, format, top]) => (
        <Container key={title} fitHeight header={<Header variant="h2">{title}</Header>}>
          {all.length === 0 ? <Empty title="No report has this figure" /> : <TrendChart label={`${title} of the last ${all.length} reports`} points={all} format={format} top={top ?? Math.max(...all.map((p) => p.value))} />}
        </Container>
      ))}
    </ColumnLayout>
  );
}
