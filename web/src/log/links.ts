/** Lines that a link selects, from the first to the last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The lines of "12" or "12-20", in whatever order; undefined for anything else. */
export function parseRange(text: string | null): Range | undefined {
  const match = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(text ?? "");
  if (match === null) return undefined;
  const one = Number(match[1]);
  const other = Number(match[2] ?? match[1]);
  if (one < 1 || other < 1) return undefined;
  return { from: Math.min(one, other), to: Math.max(one, other) };
}

export function formatRange({ from, to }: Range): string {
  return from === to ? from.toString() : `${from}-${to}`;
}

/** The lines between what is selected and a line, as shift and a click mean it. */
export function extended(range: Range | undefined, line: number): Range {
  if (range === undefined) return { from: line, to: line };
  return { from: Math.min(range.from, line), to: line < range.from ? range.to : line };
}
