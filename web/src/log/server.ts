import { slipway } from "../api/slipway";
import type { LogMark } from "../api/slipway.gen";
import type { LogSource, Mark } from "./source";

const mark = ({ kind, line, text }: LogMark): Mark => ({ kind, line, text: text ?? "" });

/** The log of a build, as the server keeps it. */
export function serverSource(buildId: string): LogSource {
  return {
    async describe(signal) {
      const out = await slipway("DescribeBuildLog", { buildId }, signal);
      return {
        lines: out.lines ?? 0,
        bytes: out.bytes ?? 0,
        complete: out.complete ?? false,
        firstError: out.firstError === undefined ? undefined : mark(out.firstError),
        marks: (out.marks ?? []).map(mark),
      };
    },
    async lines(startLine, maxLines, signal) {
      const out = await slipway("GetBuildLogLines", { buildId, startLine, maxLines }, signal);
      return {
        start: out.startLine ?? startLine,
        messages: (out.messages ?? []).map(withoutEnd),
        times: out.timestamps ?? [],
        lines: out.lines ?? 0,
        complete: out.complete ?? false,
      };
    },
    async search({ text, matchCase, regularExpression }, startLine, signal) {
      const out = await slipway("SearchBuildLog", { buildId, text, matchCase, regularExpression, startLine, maxMatches: 10_000 }, signal);
      const next = out.nextLine ?? 0;
      return { matches: out.matches ?? [], next: next > 0 ? next : undefined, lines: out.lines ?? 0 };
    },
  };
}

/** The message without what ends its line. */
function withoutEnd(message: string): string {
  let end = message.length;
  while (end > 0 && (message.charCodeAt(end - 1) === 10 || message.charCodeAt(end - 1) === 13)) end--;
  return end === message.length ? message : message.slice(0, end);
}
