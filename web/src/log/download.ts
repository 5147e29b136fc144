import { plain } from "./ansi";
import type { LogSource } from "./source";

const pageLines = 10_000;

/**
 * Reads a whole log into a file, page by page: browsers keep large ones on
 * disk. Says after each page which part of the log is there.
 */
export async function whole(source: LogSource, options: { colours: boolean; signal: AbortSignal; progress: (part: number) => void }): Promise<Blob> {
  let file = new Blob([]);
  for (let start = 1; ; ) {
    const page = await source.lines(start, pageLines, options.signal);
    options.signal.throwIfAborted();
    const text = page.messages.map((m) => (options.colours ? m : plain(m)) + "\n").join("");
    file = new Blob([file, text], { type: "text/plain;charset=utf-8" });
    // A line that cannot be read has no message.
    start = page.messages.length === 0 ? start + 1 : page.start + page.messages.length;
    options.progress(page.lines === 0 ? 1 : Math.min(1, (start - 1) / page.lines));
    if (start > page.lines) return file;
  }
}

/** The file's name for a build, whose id is its project's name and something unique. */
export function fileName(buildId: string, number: number | undefined): string {
  const [project = "build", unique = ""] = buildId.split(":");
  return `${project}-${number ?? unique}.log`.replace(/[^\w.-]/g, "_");
}

/** Has the browser save a file. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download may start only after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Most lines that are copied at once: more would hardly be pasted anywhere. */
export const maxCopy = 10_000;

/** The text of some lines, as a terminal shows them. */
export async function textOf(source: LogSource, from: number, to: number, signal?: AbortSignal): Promise<string> {
  const out: string[] = [];
  for (let start = from; start <= Math.min(to, from + maxCopy - 1); ) {
    const page = await source.lines(start, Math.min(to - start + 1, maxCopy - out.length), signal);
    if (page.messages.length === 0) break;
    out.push(...page.messages.map(plain));
    start = page.start + page.messages.length;
  }
  return out.join("\n") + "\n";
}
