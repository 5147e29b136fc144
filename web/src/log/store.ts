import { Problem } from "../api/problem";
import { chunkLines, chunkOf, Chunks, startOf, type Line } from "./chunks";
import type { Description, LogSource, Mark } from "./source";

export interface LogState {
  /** How many lines there are; undefined until the server has said. */
  readonly lines: number | undefined;
  readonly complete: boolean;
  readonly bytes: number;
  readonly marks: readonly Mark[];
  readonly firstError: Mark | undefined;
  /** When the first line was written, in milliseconds since 1970. */
  readonly begun: number | undefined;
  readonly problem: Problem | undefined;
}

const maxInFlight = 2;
const throttle = 80;
/** After a leap lines are asked for once so many milliseconds have passed without another. */
const landing = 50;
const fastest = 500;
const slowest = 2000;
const describeEvery = 3000;

/** What is known of a log: reads what is looked at, and what is added while the build runs. */
export class LogStore {
  private readonly chunks = new Chunks();
  private readonly listeners = new Set<() => void>();
  private readonly flights = new Map<number, AbortController>();
  private state: LogState = { lines: undefined, complete: false, bytes: 0, marks: [], firstError: undefined, begun: undefined, problem: undefined };
  private wanted: readonly number[] = [];
  private life = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pollTimer: ReturnType<typeof setTimeout> | undefined;
  private pause = fastest;
  private lastFetch = 0;
  private landed = 0;
  private described = 0;
  private describing = false;
  private failures = 0;

  constructor(readonly source: LogSource) {}

  /** Calls listener whenever the state is another one or lines have come in. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): LogState => this.state;

  line(n: number): Line | undefined {
    return this.chunks.line(n);
  }

  /** Reads the log until the returned function is called. */
  start(): () => void {
    this.life = new AbortController();
    this.describing = false;
    void this.describe();
    void this.poll();
    const seen = () => {
      if (document.visibilityState === "visible") void this.poll();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      this.life.abort();
      clearTimeout(this.timer);
      clearTimeout(this.pollTimer);
      for (const flight of this.flights.values()) flight.abort();
      this.flights.clear();
    };
  }

  /** Asks again after a problem. */
  retry(): void {
    this.failures = 0;
    this.set({ problem: undefined });
    void this.describe();
    void this.poll();
    this.fetch();
  }

  /** Says which lines are looked at; those around them are read as well. */
  look(first: number, last: number): void {
    const lines = this.state.lines;
    if (lines === undefined || lines === 0) return;
    const middle = chunkOf(Math.max(1, Math.floor((first + last) / 2)));
    const from = chunkOf(Math.max(1, first - chunkLines / 2));
    const to = chunkOf(Math.min(lines, last + chunkLines / 2));
    const wanted: number[] = [];
    for (let c = from; c <= to; c++) wanted.push(c);
    wanted.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    // Whoever drags the scrollbar leaves them before they could come: asking for them takes the frames their time.
    if (this.wanted.length > 0 && !wanted.some((c) => this.wanted.includes(c))) this.landed = performance.now() + landing;
    this.wanted = wanted;
    for (const c of wanted) this.chunks.touch(c);
    for (const [chunk, flight] of this.flights) if (!wanted.includes(chunk)) flight.abort();
    this.fetch();
  }

  /** Starts what is wanted and not on its way, soon. */
  private fetch(): void {
    if (this.life.signal.aborted || this.timer !== undefined) return;
    const lines = this.state.lines ?? 0;
    const next = this.wanted.find((c) => !this.flights.has(c) && this.chunks.held(c) < Math.min(chunkLines, lines - startOf(c) + 1));
    if (next === undefined || this.flights.size >= maxInFlight || this.state.problem !== undefined) return;
    const now = performance.now();
    const pause = this.lastFetch + throttle * Math.max(1, this.failures * 12) - now;
    const wait = Math.max(this.landed - now, this.flights.size === 0 || this.failures > 0 ? pause : 0);
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.fetch();
      }, wait);
      return;
    }
    this.lastFetch = performance.now();
    void this.read(next);
    this.fetch();
  }

  private async read(chunk: number): Promise<void> {
    const flight = new AbortController();
    this.flights.set(chunk, flight);
    const start = startOf(chunk) + this.chunks.held(chunk);
    try {
      const got = await this.source.lines(start, chunkLines - this.chunks.held(chunk), flight.signal);
      // A line that cannot be read has no message. It is shown empty, or nothing after it would be.
      const lost = got.messages.length === 0 && start <= got.lines;
      this.failures = 0;
      this.took(lost ? start : got.start, lost ? [""] : got.messages, got.times, got.lines, got.complete);
    } catch (e) {
      if (!flight.signal.aborted) this.failed(e);
    } finally {
      if (this.flights.get(chunk) === flight) this.flights.delete(chunk);
      this.fetch();
    }
  }

  private took(start: number, messages: readonly string[], times: readonly number[], lines: number, complete: boolean): void {
    this.chunks.put(start, messages, times);
    const grown = Math.max(this.state.lines ?? 0, lines);
    this.set({ lines: grown, complete: complete || this.state.complete, ...(start === 1 && times[0] !== undefined ? { begun: times[0] } : {}) });
  }

  /** Reads what was added, again and again while the build runs and somebody looks. */
  private async poll(): Promise<void> {
    clearTimeout(this.pollTimer);
    const { signal } = this.life;
    const over = () => signal.aborted;
    if (over() || document.visibilityState === "hidden" || this.state.problem !== undefined) return;
    const known = this.state.lines;
    if (this.state.complete && known !== undefined) return;
    try {
      const got = await this.source.lines(known === undefined ? 1 : known + 1, chunkLines, signal);
      if (over()) return;
      const more = got.lines > (known ?? 0);
      this.pause = more ? fastest : Math.min(this.pause * 1.5, slowest);
      this.took(got.start, got.messages, got.times, got.lines, got.complete);
      if ((more || got.complete) && (got.complete || performance.now() - this.described > describeEvery)) void this.describe();
    } catch (e) {
      if (over()) return;
      this.failed(e);
    }
    clearTimeout(this.pollTimer);
    this.pollTimer = setTimeout(() => void this.poll(), this.pause);
  }

  /** Asks where phases and commands are, until the server has looked at all there is. */
  private async describe(): Promise<void> {
    const { signal } = this.life;
    const over = () => signal.aborted;
    this.described = performance.now();
    if (this.describing) return;
    this.describing = true;
    try {
      for (let marked = -1; ; ) {
        const d: Description = await this.source.describe(signal);
        if (over()) return;
        this.set({ lines: Math.max(this.state.lines ?? 0, d.lines), complete: d.complete || this.state.complete, bytes: d.bytes, marks: d.marks, firstError: d.firstError });
        if (d.markedLines >= d.lines || d.markedLines <= marked) break;
        marked = d.markedLines;
      }
    } catch (e) {
      if (!over()) this.failed(e);
    } finally {
      this.describing = false;
    }
  }

  private failed(e: unknown): void {
    const problem = Problem.of(e);
    this.failures++;
    if (problem.passing && this.failures < 4) return;
    this.set({ problem });
  }

  /** Tells who listens, also if nothing but the lines in memory is other than before: then the state stays the same one. */
  private set(change: Partial<LogState>): void {
    const next = { ...this.state, ...change };
    if (Object.entries(next).some(([key, value]) => value !== this.state[key as keyof LogState])) this.state = next;
    for (const listener of this.listeners) listener();
  }
}
