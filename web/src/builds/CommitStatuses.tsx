import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { slipway } from "../api/slipway";
import type { CommitStatus, CommitStatusState, DeliveryStatus } from "../api/slipway.gen";
import { liveInterval } from "../app/query";
import { Empty } from "../parts/Empty";
import { ExternalLink } from "../parts/ExternalLink";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { shortCommit } from "./words";
import styles from "./builds.module.css";

/** The statuses that a build reported to its commit, and whether the provider took them. */
export function CommitStatuses({ buildId, running }: { buildId: string; running: boolean }) {
  const statuses = useQuery({
    queryKey: ["builds", "statuses", buildId],
    queryFn: ({ signal }) => slipway("ListCommitStatuses", { buildId }, signal),
    refetchInterval: ({ state }) => (state.error === null && (running || state.data?.commitStatuses?.some((s) => s.deliveryStatus === "OWED") === true) ? liveInterval : false),
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={statuses.error} doing="read the commit statuses" retry={() => void statuses.refetch()} />
      <Table<CommitStatus>
        variant="embedded"
        wrapLines
        loading={statuses.isPending}
        loadingText="Loading commit statuses"
        ariaLabels={{ tableLabel: "Commit statuses" }}
        items={statuses.data?.commitStatuses ?? []}
        columnDefinitions={[
          { id: "state", header: "State", isRowHeader: true, cell: (s) => <State state={s.state} />, minWidth: 120 },
          { id: "context", header: "Context", cell: (s) => s.context ?? "–", minWidth: 180 },
          { id: "delivery", header: "Delivery", cell: (s) => <Delivery status={s.deliveryStatus} />, minWidth: 140 },
          { id: "http", header: "HTTP status", cell: (s) => s.httpStatus ?? "–", minWidth: 110 },
          { id: "attempts", header: "Attempts", cell: (s) => s.attempts ?? "–", minWidth: 100 },
          { id: "message", header: "Message", cell: (s) => <span className={styles["message"]}>{s.message ?? s.description ?? "–"}</span>, minWidth: 220 },
          { id: "commit", header: "Commit", cell: (s) => (s.commitId === undefined ? "–" : <span title={s.commitId}>{shortCommit(s.commitId)}</span>), minWidth: 110 },
          { id: "target", header: "Target", cell: (s) => <ExternalLink to={s.targetUrl}>{s.targetUrl ?? "–"}</ExternalLink>, minWidth: 180 },
          { id: "last", header: "Last attempt", cell: (s) => <Time at={s.lastAttempt ?? s.created} />, minWidth: 140 },
        ]}
        empty={
          <Empty title="No commit statuses">
            A build reports its status to the commit when its project has “Report build statuses” on and its source credentials may do so.
          </Empty>
        }
      />
    </SpaceBetween>
  );
}

const states: Readonly<Record<CommitStatusState, StatusIndicatorProps.Type>> = { pending: "pending", success: "success", failure: "error", error: "error", stopped: "stopped" };

function State({ state }: { state: CommitStatusState | undefined }) {
  return state === undefined ? <>–</> : <StatusIndicator type={states[state]}>{state}</StatusIndicator>;
}

const deliveries: Readonly<Record<DeliveryStatus, readonly [StatusIndicatorProps.Type, string]>> = {
  OWED: ["pending", "Still owed"],
  DELIVERED: ["success", "Delivered"],
  REFUSED: ["error", "Refused"],
};

function Delivery({ status }: { status: DeliveryStatus | undefined }) {
  if (status === undefined) return <>–</>;
  const [type, text] = deliveries[status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
