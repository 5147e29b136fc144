import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { paths, usePathPart } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { useReportGroup, useReportsOfGroup } from "./queries";
import { groupName } from "./reports";
import { ReportsTable } from "./ReportsTable";
import { Trends } from "./Trends";

/** One report group: how its figures went, and its reports. */
export default function ReportGroupPage() {
  const arn = usePathPart("group");
  const group = useReportGroup(arn);
  const pages = useReportsOfGroup(arn);
  const reports = pages.data?.pages.flatMap((p) => p.reports) ?? [];
  const crumbs = [{ text: "Report groups", to: paths.reports() }];
  return (
    <Page title={groupName(arn)} crumbs={crumbs} description={group.data?.type === "CODE_COVERAGE" ? "Code coverage reports" : "Test reports"}>
      <ProblemAlert error={group.error ?? pages.error} doing="read the report group" retry={() => void Promise.all([group.refetch(), pages.refetch()])} />
      {(group.isPending || pages.isPending) && <Loading what="report group" minHeight={600} />}
      {group.data === null && (
        <Empty title="There is no such report group" action={<AppButton to={paths.reports()}>Go to the report groups</AppButton>}>
          It was deleted, or the link to it is cut off.
        </Empty>
      )}
      {group.data !== null && group.data !== undefined && pages.data !== undefined && (
        <SpaceBetween size="l">
          {reports.length > 0 && <Trends coverage={group.data.type === "CODE_COVERAGE"} reports={reports} />}
          <ReportsTable
            variant="container"
            label="Reports of the group"
            loading={false}
            reports={reports}
            header={
              <Header variant="h2" counter={`(${reports.length}${pages.hasNextPage ? "+" : ""})`}>
                Reports
              </Header>
            }
            empty={<Empty title="No reports">Builds make the first one when their buildspec names this group under reports.</Empty>}
            footer={
              pages.hasNextPage && (
                <Box textAlign="center">
                  <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                    Show more reports
                  </Button>
                </Box>
              )
            }
          />
        </SpaceBetween>
      )}
    </Page>
  );
}
