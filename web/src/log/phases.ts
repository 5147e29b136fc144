import type { Mark } from "./source";

/** The phase and the command that a line belongs to. */
export function placeOf(marks: readonly Mark[], line: number): { phase: Mark | undefined; command: Mark | undefined } {
  let phase: Mark | undefined;
  let command: Mark | undefined;
  for (const mark of marks) {
    if (mark.line > line) break;
    if (mark.kind === "PHASE") [phase, command] = [mark, undefined];
    else if (mark.kind === "COMMAND") command = mark;
  }
  return { phase, command };
}

/** Marks by phase, for a menu: commands stand below the phase they run in. */
export function grouped(marks: readonly Mark[]): readonly { phase: Mark | undefined; commands: readonly Mark[] }[] {
  const out: { phase: Mark | undefined; commands: Mark[] }[] = [];
  for (const mark of marks) {
    if (mark.kind === "PHASE") out.push({ phase: mark, commands: [] });
    else if (mark.kind === "COMMAND") {
      const last = out.at(-1);
      if (last === undefined) out.push({ phase: undefined, commands: [mark] });
      else last.commands.push(mark);
    }
  }
  return out;
}
