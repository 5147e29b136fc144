import type { Span } from "./ansi";

export interface Piece extends Span {
  /** Whether it is what was searched for. */
  readonly hit: boolean;
}

/** Where a text occurs in another one, without overlaps: starts, in order. */
export function occurrences(line: string, text: string, matchCase: boolean): readonly number[] {
  if (text === "") return [];
  // Lower case may have another length, such as that of "İ": then the places would be wrong.
  const lower = line.toLowerCase();
  const folds = !matchCase && lower.length === line.length;
  const [where, what] = folds ? [lower, text.toLowerCase()] : [line, text];
  const out: number[] = [];
  for (let at = where.indexOf(what); at >= 0 && out.length < 1000; at = where.indexOf(what, at + what.length)) out.push(at);
  return out;
}

/** Spans cut where occurrences of a length start and end. */
export function pieces(spans: readonly Span[], starts: readonly number[], length: number): readonly Piece[] {
  const out: Piece[] = [];
  let at = 0; // of the span's start in the line
  let next = 0; // index in starts
  for (const { text, style } of spans) {
    let from = 0;
    while (from < text.length) {
      const start = (starts[next] ?? Infinity) - at;
      const end = start + length;
      const hit = from >= start;
      const to = Math.min(text.length, hit ? end : start);
      out.push({ text: text.slice(from, to), style, hit });
      from = to;
      if (hit && to === end) next++;
    }
    at += text.length;
  }
  return out;
}
