const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** A size in words, such as 1.5 MiB. */
export function size(bytes: number): string {
  let n = bytes;
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  if (i === 0) return n === 1 ? "1 byte" : `${n} bytes`;
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i] ?? ""}`;
}
