export type Stamps = "off" | "relative" | "absolute";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

/** A line's time, of as many characters for each line; blank if it has none. */
export function stamp(time: number | undefined, begun: number | undefined, stamps: Stamps): string {
  if (time === undefined) return "";
  if (stamps === "absolute") return clock.format(time);
  if (begun === undefined) return "";
  const tenths = Math.floor(Math.max(0, time - begun) / 100);
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths / 10) % 60];
  const two = (n: number) => n.toString().padStart(2, "0");
  return `+${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${seconds.toFixed(1).padStart(4, "0")}`;
}
