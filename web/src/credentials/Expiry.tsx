import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useNow } from "../parts/Time";
import { full, milliseconds } from "../parts/time";
import { expiryWords } from "./expiry";

/** When a credential expires: a warning when that is near, an error when it is over. */
export function Expiry({ expires }: { expires: number | undefined }) {
  const now = useNow(60_000, expires !== undefined);
  const { type, text } = expiryWords(expires, now);
  if (expires === undefined) return <>{text}</>;
  return (
    <time dateTime={new Date(milliseconds(expires)).toISOString()} title={full(expires)}>
      {type === undefined ? text : <StatusIndicator type={type}>{text}</StatusIndicator>}
    </time>
  );
}
