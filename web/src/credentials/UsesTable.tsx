import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useInfiniteQuery } from "@tanstack/react-query";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { usesQuery } from "./queries";
import { purposeWords } from "./words";

/** What a credential was given out for, the latest first. */
export function UsesTable({ credential }: { credential: string }) {
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(usesQuery(credential));
  const uses = (data?.pages ?? []).flatMap((page) => page.uses ?? []).map((use, i) => ({ ...use, id: String(i) }));
  return (
    <>
      <ProblemAlert error={error} doing="load the uses" retry={() => void refetch()} />
      <Table
        items={uses}
        trackBy="id"
        loading={isPending}
        loadingText="Loading uses"
        wrapLines
        ariaLabels={{ tableLabel: "Recent uses" }}
        header={
          <Header variant="h2" description="Each time the token was given out, and for what.">
            Recent uses
          </Header>
        }
        empty={<Empty title="It was not used yet">Builds, commit statuses and webhooks of the projects that it serves will be listed here.</Empty>}
        footer={
          hasNextPage && (
            <Box textAlign="center">
              <Button onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
                Show older uses
              </Button>
            </Box>
          )
        }
        columnDefinitions={[
          { id: "at", header: "When", isRowHeader: true, minWidth: 120, cell: (u) => <Time at={u.at} /> },
          { id: "purpose", header: "Purpose", minWidth: 120, cell: (u) => purposeWords(u.purpose) },
          { id: "project", header: "Project", minWidth: 120, cell: (u) => (u.projectName === undefined || u.projectName === "" ? "–" : <AppLink to={paths.project(u.projectName)}>{u.projectName}</AppLink>) },
          { id: "repository", header: "Repository", minWidth: 140, cell: (u) => u.repository ?? "–" },
          { id: "host", header: "Host", minWidth: 120, cell: (u) => u.host ?? "–" },
          { id: "build", header: "Build", minWidth: 160, cell: (u) => (u.buildId === undefined || u.buildId === "" ? "–" : <AppLink to={paths.build(u.buildId)}>{u.buildId}</AppLink>) },
        ]}
      />
    </>
  );
}
