import { Problem } from "../api/problem";
import type { LogSource, Query } from "./source";

export interface SearchState {
  /** Lines that match, in order, as far as they are known. */
  readonly matches: readonly number[];
  /** Whether the search still goes on. */
  readonly busy: boolean;
  /** The part of the log that was searched, from 0 to 1. */
  readonly part: number;
  /** Whether there are more than can be kept. */
  readonly more: boolean;
  readonly problem: Problem | undefined;
}

/** More matches than anybody goes through. */
const maxMatches = 200_000;

const nothing: SearchState = { matches: [], busy: false, part: 0, more: false, problem: undefined };

/** Searches a log bit by bit, and goes on as it grows. */
export class Search {
  private readonly listeners = new Set<() => void>();
  private state: SearchState = nothing;
  private run = new AbortController();
  private query: Query | undefined;
  private next = 1;
  private lines = 0;
  private found = new Set<number>();

  constructor(
    private readonly source: LogSource,
    private readonly most = maxMatches,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): SearchState => this.state;

  /** Whether a line is one of the matches. */
  has(line: number): boolean {
    return this.found.has(line);
  }

  /** Looks for something else; for nothing without a text. */
  start(query: Query | undefined): void {
    this.run.abort();
    this.run = new AbortController();
    this.query = query === undefined || query.text === "" ? undefined : query;
    this.next = 1;
    this.found = new Set();
    this.set(nothing);
    if (this.query !== undefined) void this.go(this.run.signal);
  }

  /** Says how many lines the log has by now. */
  grow(lines: number): void {
    this.lines = Math.max(this.lines, lines);
    if (this.query !== undefined && !this.state.busy && !this.state.more && this.state.problem === undefined && this.next <= this.lines) void this.go(this.run.signal);
  }

  private async go(signal: AbortSignal): Promise<void> {
    const over = () => signal.aborted;
    this.set({ busy: true });
    try {
      for (let end = false; !end; ) {
        const query = this.query;
        if (query === undefined) return;
        const got = await this.source.search(query, this.next, signal);
        if (over()) return;
        this.lines = Math.max(this.lines, got.lines);
        end = got.next === undefined || got.next <= this.next;
        this.next = end ? got.lines + 1 : (got.next ?? 1);
        for (const line of got.matches) this.found.add(line);
        const matches = got.matches.length === 0 ? this.state.matches : [...this.state.matches, ...got.matches].slice(0, this.most);
        const more = matches.length >= this.most && !end;
        this.set({ matches, more, part: end || got.lines === 0 ? 1 : (this.next - 1) / got.lines });
        if (more) break;
      }
      this.set({ busy: false });
    } catch (e) {
      if (!over()) this.set({ busy: false, problem: Problem.of(e) });
    }
  }

  private set(change: Partial<SearchState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** The place in matches of the first one after a line, or of the last one before it; around the end if there is none. */
export function step(matches: readonly number[], line: number, forward: boolean): number | undefined {
  if (matches.length === 0) return undefined;
  const at = lowerBound(matches, forward ? line + 1 : line);
  return forward ? at % matches.length : (at - 1 + matches.length) % matches.length;
}

/** How many of some ordered numbers are below a limit. */
export function lowerBound(numbers: readonly number[], limit: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((numbers[middle] ?? 0) < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** At which parts of the height, from 0 to 1, a bar beside the log shows matches; no two at the same one. */
export function markers(matches: readonly number[], lines: number, places: number): readonly number[] {
  const taken = new Set<number>();
  // From one place to the next, not from match to match: there may be many.
  for (let at = 0; at < matches.length; ) {
    const place = Math.floor((((matches[at] ?? 1) - 1) / lines) * places);
    taken.add(place);
    at = Math.max(at + 1, lowerBound(matches, Math.ceil(((place + 1) / places) * lines) + 1));
  }
  return [...taken].map((place) => place / places);
}
