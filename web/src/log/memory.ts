import { Problem } from "../api/problem";
import type { LogSource, Mark } from "./source";

/** A log in memory, for tests. Lines may be added to it. */
export class MemoryLog implements LogSource {
  readonly messages: string[];
  complete: boolean;
  marks: readonly Mark[] = [];
  /** The requests for lines so far, as "start+count". */
  readonly requests: string[] = [];
  /** Waited for before each answer, if set. */
  gate: (() => Promise<void>) | undefined;
  /** Most lines that one answer has. */
  page = 10_000;
  /** How many lines one search looks at. */
  stretch = 1000;

  constructor(messages: string[], complete = true) {
    this.messages = messages;
    this.complete = complete;
  }

  async describe() {
    await this.gate?.();
    const firstError = this.marks.find((m) => m.kind === "ERROR");
    return { lines: this.messages.length, bytes: 0, complete: this.complete, firstError, marks: this.marks, markedLines: this.messages.length };
  }

  async lines(start: number, count: number, signal?: AbortSignal) {
    this.requests.push(`${start}+${count}`);
    await this.gate?.();
    signal?.throwIfAborted();
    const messages = this.messages.slice(start - 1, start - 1 + Math.min(count, this.page));
    return { start, messages, times: messages.map((_, i) => (start + i) * 1000), lines: this.messages.length, complete: this.complete };
  }

  async search(query: { text: string; matchCase: boolean; regularExpression: boolean }, start: number, signal?: AbortSignal) {
    await this.gate?.();
    signal?.throwIfAborted();
    if (query.regularExpression && query.text.includes("(") && !query.text.includes(")")) {
      throw new Problem("InvalidInputException", "text is not a regular expression: missing closing )");
    }
    const text = query.regularExpression ? query.text : query.text.replace(/[^\w ]/g, "\\$&");
    const pattern = new RegExp(text, query.matchCase ? "" : "i");
    const end = Math.min(start - 1 + this.stretch, this.messages.length);
    const matches: number[] = [];
    for (let i = start - 1; i < end; i++) if (pattern.test(this.messages[i] ?? "")) matches.push(i + 1);
    return { matches, next: end < this.messages.length ? end + 1 : undefined, lines: this.messages.length };
  }
}
