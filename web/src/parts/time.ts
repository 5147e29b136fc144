// Written here and not asked of Intl, of which a browser takes tens of
// milliseconds to read what it knows: more than all else of a first page takes.
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const units = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["week", 7 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** A moment as AWS's SDK and our own operations give it: a Date, or seconds since 1970. */
export type Moment = Date | number;

/** The moment in milliseconds since 1970. */
export function milliseconds(at: Moment): number {
  return typeof at === "number" ? at * 1000 : at.getTime();
}

/** How long ago or ahead a moment is, such as "3 minutes ago". */
export function ago(at: Moment, now = Date.now()): string {
  const seconds = (milliseconds(at) - now) / 1000;
  const [unit, size] = units.find(([, s]) => Math.abs(seconds) >= s) ?? ["second", 1];
  if (unit === "second" && Math.abs(seconds) < 10) return "now";
  const count = Math.trunc(Math.abs(seconds) / size);
  if (count === 1 && unit === "day") return seconds < 0 ? "yesterday" : "tomorrow";
  if (count === 1 && (unit === "year" || unit === "month" || unit === "week")) return `${seconds < 0 ? "last" : "next"} ${unit}`;
  const span = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `${span} ago` : `in ${span}`;
}

/** The moment in full, in the reader's time zone, such as "Nov 7, 2026, 3:04:05 PM". */
export function full(at: Moment): string {
  const d = new Date(milliseconds(at));
  const [hours, minutes, seconds] = [d.getHours(), d.getMinutes(), d.getSeconds()];
  return `${monthOf(d.getMonth())} ${d.getDate()}, ${d.getFullYear()}, ${hours % 12 || 12}:${two(minutes)}:${two(seconds)} ${hours < 12 ? "AM" : "PM"}`;
}

/** A day as a chart names it, such as "Nov 7", of one written as 2026-11-07. */
export function shortDay(day: string): string {
  const [, month, date] = day.split("-").map(Number);
  return `${monthOf((month ?? 1) - 1)} ${date ?? 1}`;
}

function monthOf(index: number): string {
  return months[index] ?? "";
}

function two(n: number): string {
  return n.toString().padStart(2, "0");
}

/** A duration in seconds for people: "0.4 s", "42 s", "3 min 05 s", "2 h 10 min". */
export function duration(seconds: number): string {
  if (seconds < 0) return duration(0);
  if (seconds < 10) return `${(Math.round(seconds * 10) / 10).toFixed(seconds === 0 ? 0 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h === 0) return `${min} min ${two(s)} s`;
  return `${h} h ${two(min)} min`;
}
