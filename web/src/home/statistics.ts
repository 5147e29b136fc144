import type { DayStatistics, ProjectStatistics } from "../api/slipway.gen";

/** The share of builds that succeeded, of those that ended by themselves; undefined if there were none. */
export function successRate({ succeeded = 0, failed = 0 }: Pick<ProjectStatistics, "succeeded" | "failed">): number | undefined {
  return succeeded + failed === 0 ? undefined : succeeded / (succeeded + failed);
}

/** A share as people read it: "98 %", and never 100 % if one failed. */
export function percent(share: number | undefined): string {
  if (share === undefined) return "–";
  const rounded = Math.round(share * 100);
  return `${rounded === 100 && share < 1 ? 99 : rounded} %`;
}

/** The sums over some days. */
export function total(days: readonly DayStatistics[]): { succeeded: number; failed: number; other: number } {
  const sum = { succeeded: 0, failed: 0, other: 0 };
  for (const d of days) {
    sum.succeeded += d.succeeded ?? 0;
    sum.failed += d.failed ?? 0;
    sum.other += d.other ?? 0;
  }
  return sum;
}

/** The last n days up to today, those without builds too; a day is a date of UTC such as 2026-11-27. */
export function everyDay(days: readonly DayStatistics[], n: number, now = Date.now()): DayStatistics[] {
  const known = new Map(days.map((d) => [d.day, d]));
  return Array.from({ length: n }, (_, i) => {
    const day = new Date(now - (n - 1 - i) * 86400_000).toISOString().slice(0, 10);
    return known.get(day) ?? { day };
  });
}
