/** The steps that people count in, and those of seconds. */
const counts = [1, 2, 5];
const spans = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Where a chart has its lines: from 0 to at least the most there is, at most five above 0. */
export function scale(most: number, of: "counts" | "seconds"): readonly number[] {
  const step = of === "counts" ? countStep(most) : (spans.find((s) => most / s <= 5) ?? 86_400 * countStep(most / 86_400));
  const lines = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: lines + 1 }, (_, i) => i * step);
}

function countStep(most: number): number {
  for (let power = 1; ; power *= 10) {
    const step = counts.find((c) => most / (c * power) <= 5);
    if (step !== undefined) return step * power;
  }
}
