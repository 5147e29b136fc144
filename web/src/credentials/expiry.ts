import type { StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import { ago, milliseconds, type Moment } from "../parts/time";

/** From how many days before its end on a credential is warned of. */
const soonDays = 14;

/** How near the end of a credential is. */
export type ExpiryLevel = "never" | "far" | "soon" | "over";

/** Returns how near a credential's end is. Those of which no end is known never expire, as far as anybody knows. */
export function expiryLevel(expires: Moment | undefined, now = Date.now()): ExpiryLevel {
  if (expires === undefined) return "never";
  const left = milliseconds(expires) - now;
  if (left <= 0) return "over";
  return left < soonDays * 86_400_000 ? "soon" : "far";
}

/** When a credential expires, in words, and the kind of news that is. */
export function expiryWords(expires: Moment | undefined, now = Date.now()): { type: StatusIndicatorProps.Type | undefined; text: string } {
  if (expires === undefined) return { type: undefined, text: "Not known" };
  const days = Math.floor((milliseconds(expires) - now) / 86_400_000);
  switch (expiryLevel(expires, now)) {
    case "over":
      return { type: "error", text: `Expired ${ago(expires, now)}` };
    case "soon":
      return { type: "warning", text: days === 0 ? "Within a day" : days === 1 ? "In 1 day" : `In ${days} days` };
    default:
      return { type: undefined, text: `In ${days} days` };
  }
}
