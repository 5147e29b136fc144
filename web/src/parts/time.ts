const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["week", 7 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** A moment as AWS's SDK and our own operations give it: a Date, or seconds since 1970. */
export type Moment = Date | number;

/** The moment in milliseconds since 1970. */
export function milliseconds(at: Moment): number {
  return typeof at === "number" ? at * 1000 : at.getTime();
}

/** How long ago or ahead a moment is, such as "3 minutes ago". */
export function ago(at: Moment, now = Date.now()): string {
  const seconds = (milliseconds(at) - now) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? "now" : relative.format(Math.trunc(seconds), "second");
}

/** The moment in full, in the reader's time zone. */
export function full(at: Moment): string {
  return absolute.format(milliseconds(at));
}

/** A duration in seconds for people: "0.4 s", "42 s", "3 min 05 s", "2 h 10 min". */
export function duration(seconds: number): string {
  if (seconds < 0) return duration(0);
  if (seconds < 10) return `${(Math.round(seconds * 10) / 10).toFixed(seconds === 0 ? 0 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h === 0) return `${min} min ${s.toString().padStart(2, "0")} s`;
  return `${h} h ${min.toString().padStart(2, "0")} min`;
}
