import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

const known: Readonly<Record<string, readonly [StatusIndicatorProps.Type, string]>> = {
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  FAULT: ["error", "Fault"],
  TIMED_OUT: ["error", "Timed out"],
  STOPPED: ["stopped", "Stopped"],
  IN_PROGRESS: ["in-progress", "In progress"],
  QUEUED: ["pending", "Queued"],
};

/** The status of a build or of one of its phases. A build in progress that is still queued says so. */
export function BuildStatus({ status, phase }: { status: string | undefined; phase?: string | undefined }) {
  const key = status === "IN_PROGRESS" && (phase === "QUEUED" || phase === "SUBMITTED") ? "QUEUED" : status;
  if (key === undefined) return <>–</>;
  const [type, text] = known[key] ?? ["info", key];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
