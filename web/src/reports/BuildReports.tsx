import SpaceBetween from "@cloudscape-design/components/space-between";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { useReports } from "./queries";
import { ReportsTable } from "./ReportsTable";

/** The reports that a build made. */
export function BuildReports({ arns }: { arns: readonly string[] }) {
  const reports = useReports(arns);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={reports.error} doing="read the reports" retry={() => void reports.refetch()} />
      <ReportsTable variant="embedded" label="Reports of the build" loading={reports.isPending} reports={reports.data ?? []} empty={<Empty title="The reports are gone">Reports are kept for 30 days.</Empty>} />
    </SpaceBetween>
  );
}
