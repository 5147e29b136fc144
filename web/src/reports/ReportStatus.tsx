import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

const known: Readonly<Record<string, readonly [StatusIndicatorProps.Type, string]>> = {
  GENERATING: ["in-progress", "Generating"],
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  ERROR: ["error", "Error"],
  INCOMPLETE: ["warning", "Incomplete"],
  DELETING: ["pending", "Deleting"],
  SKIPPED: ["stopped", "Skipped"],
  UNKNOWN: ["info", "Unknown"],
};

/** The status of a report or a test case. */
export function ReportStatus({ status }: { status: string | undefined }) {
  if (status === undefined) return <>–</>;
  const [type, text] = known[status] ?? (["info", status] as const);
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
