import { slipway } from "../api/slipway";
import type { LogMark } from "../api/slipway.gen";
import type { LogSource, Mark } from "./source";

/** The server numbers lines from 0, people from 1. */
const mark = ({ kind, line, text }: LogMark): Mark => ({ kind, line: line + 1, text: text ?? "" });

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
        markedLines: out.markedLines ?? 0,
      };
    },
    async lines(start, maxLines, signal) {
      const out = await slipway("GetBuildLogLines", { buildId, startLine: start - 1, maxLines }, signal);
      return {
        start: (out.startLine ?? 0) + 1,
        messages: out.messages ?? [],
        times: out.timestamps ?? [],
        lines: out.lines ?? 0,
        complete: out.complete ?? false,
      };
    },
    async search({ text, matchCase, regularExpression }, start, signal) {
      const out = await slipway("SearchBuildLog", { buildId, text, matchCase, regularExpression, startLine: start - 1, maxMatches: 10_000 }, signal);
      return { matches: (out.matches ?? []).map((line) => line + 1), next: out.nextLine === undefined ? undefined : out.nextLine + 1, lines: out.lines ?? 0 };
    },
  };
}
