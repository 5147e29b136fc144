import Header from "@cloudscape-design/components/header";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { paths } from "../app/navigate";
import { liveInterval } from "../app/query";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { BuildStatus } from "../parts/BuildStatus";
import { Empty } from "../parts/Empty";
import { PlainTable } from "../parts/PlainTable";
import { Duration, Time } from "../parts/Time";
import { recentQuery } from "./queries";

/** The builds that were started last. */
export function RecentBuilds({ live }: { live: boolean }) {
  const builds = useQuery({
    ...recentQuery,
    refetchInterval: live ? liveInterval : 15_000,
    placeholderData: keepPreviousData,
  });
  return (
    <PlainTable
      label="Recent builds"
      header={
        <Header variant="h2" actions={<AppButton to={paths.builds()}>Build history</AppButton>}>
          Recent builds
        </Header>
      }
      items={builds.isPending ? undefined : (builds.data?.builds ?? [])}
      rows={9}
      keyOf={(b) => b.id}
      empty={<Empty title="No builds yet" />}
      columns={[
        {
          id: "build",
          header: "Build",
          cell: (b) => (
            <AppLink to={paths.build(b.id)}>
              {b.projectName} #{b.buildNumber ?? 0}
            </AppLink>
          ),
        },
        { id: "status", header: "Status", cell: (b) => <BuildStatus status={b.buildStatus} phase={b.currentPhase} /> },
        { id: "why", header: "Why it failed", cell: (b) => b.message ?? "–" },
        { id: "initiator", header: "Started by", cell: (b) => b.initiator ?? "–" },
        { id: "started", header: "Started", cell: (b) => <Time at={b.startTime} /> },
        { id: "took", header: "Duration", cell: (b) => <Duration from={b.startTime} to={b.endTime} /> },
      ]}
    />
  );
}
