import type { BuildPhase } from "@aws-sdk/client-codebuild";
import { milliseconds } from "../parts/time";

/** Where the bar of a phase lies within the whole build, in percent. */
export interface Bar {
  readonly left: number;
  readonly width: number;
}

/** The least width of a bar, in percent, so that a short phase is seen. */
const least = 0.6;

/**
 * The bars of the phases, in their order, from the first phase's start to the
 * last one's end; one that still runs ends now, in milliseconds since 1970. A
 * phase that has not begun, or COMPLETED, which takes no time, has none.
 */
export function bars(phases: readonly BuildPhase[], now: number): readonly (Bar | undefined)[] {
  const spans = phases.map((p) => {
    if (p.startTime === undefined || p.phaseType === "COMPLETED") return undefined;
    const start = milliseconds(p.startTime);
    return { start, end: Math.max(start, p.endTime === undefined ? now : milliseconds(p.endTime)) };
  });
  const real = spans.filter((s) => s !== undefined);
  const begin = Math.min(...real.map((s) => s.start));
  const whole = Math.max(...real.map((s) => s.end)) - begin;
  return spans.map((s) => {
    if (s === undefined) return undefined;
    if (whole <= 0) return { left: 0, width: least };
    const width = Math.max(least, ((s.end - s.start) / whole) * 100);
    return { left: Math.min(((s.start - begin) / whole) * 100, 100 - width), width };
  });
}
