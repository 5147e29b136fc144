import type { Report } from "@aws-sdk/client-codebuild";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { paths, usePathPart } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { duration } from "../parts/time";
import { Coverage } from "./Coverage";
import { useReports } from "./queries";
import { buildOf, groupName, groupOfReport, passRate, percent, seconds, summary } from "./reports";
import { ReportStatus } from "./ReportStatus";
import { TestCases } from "./TestCases";

/** One report: its figures, and its test cases or files. */
export default function ReportPage() {
  const arn = usePathPart("report");
  const { data, error, refetch, isPending } = useReports([arn]);
  const report = data?.[0];
  const group = groupOfReport(arn);
  const crumbs = [
    { text: "Report groups", to: paths.reports() },
    { text: groupName(arn), to: paths.reportGroup(group) },
  ];
  return (
    <Page title={report?.name ?? groupName(arn)} crumbs={crumbs} description={report !== undefined && <ReportStatus status={report.status} />}>
      <ProblemAlert error={error} doing="read the report" retry={() => void refetch()} />
      {isPending && <Loading what="report" minHeight={600} />}
      {data !== undefined && report === undefined && (
        <Empty title="There is no such report" action={<AppButton to={paths.reportGroup(group)}>Go to the report group</AppButton>}>
          Reports are kept for 30 days.
        </Empty>
      )}
      {report !== undefined && (
        <SpaceBetween size="l">
          <Overview report={report} group={report.reportGroupArn ?? group} />
          {report.type === "CODE_COVERAGE" ? <Coverage arn={arn} /> : <TestCases arn={arn} />}
        </SpaceBetween>
      )}
    </Page>
  );
}

function Overview({ report, group }: { report: Report; group: string }) {
  const { codeCoverageSummary: coverage, testSummary: tests } = report;
  const took = seconds(tests?.durationInNanoSeconds);
  const build = buildOf(report);
  return (
    <Container header={<Header variant="h2">Summary</Header>}>
      <KeyValuePairs
        columns={4}
        minColumnWidth={180}
        items={[
          { label: "Result", value: summary(report) },
          ...(coverage === undefined
            ? [
                { label: "Pass rate", value: percent(passRate(report)) },
                { label: "Test cases", value: tests?.total ?? "–" },
                { label: "Tests took", value: took === undefined ? "–" : duration(took) },
              ]
            : [
                { label: "Line coverage", value: percent(coverage.lineCoveragePercentage) },
                { label: "Branch coverage", value: percent(coverage.branchCoveragePercentage) },
                { label: "Lines missed", value: coverage.linesMissed ?? "–" },
              ]),
          { label: "Build", value: build === undefined ? "–" : <AppLink to={paths.build(build)}>{build}</AppLink> },
          { label: "Report group", value: <AppLink to={paths.reportGroup(group)}>{groupName(group)}</AppLink> },
          { label: "Created", value: <Time at={report.created} /> },
          { label: "Kept until", value: <Time at={report.expired} /> },
        ]}
      />
    </Container>
  );
}
