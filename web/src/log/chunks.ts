/** Lines of a log in memory, in chunks of which the longest unused go first. */
export interface Line {
  readonly text: string;
  /** In milliseconds since 1970; undefined if the server did not say. */
  readonly time: number | undefined;
}

export const chunkLines = 500;

interface Chunk {
  lines: Line[];
  size: number;
}

/** The number of the chunk that has a line. */
export function chunkOf(line: number): number {
  return Math.floor((line - 1) / chunkLines);
}

/** The first line of a chunk. */
export function startOf(chunk: number): number {
  return chunk * chunkLines + 1;
}

export class Chunks {
  private readonly chunks = new Map<number, Chunk>(); // the last used last
  private size = 0;

  constructor(
    private readonly maxChunks = 200,
    /** Characters, about half as many as bytes at worst. */
    private readonly maxSize = 8_000_000,
  ) {}

  line(n: number): Line | undefined {
    return this.chunks.get(chunkOf(n))?.lines[(n - 1) % chunkLines];
  }

  /** How many lines of a chunk there are, from its first one on. */
  held(chunk: number): number {
    return this.chunks.get(chunk)?.lines.length ?? 0;
  }

  /** Keeps a chunk from being dropped soon. */
  touch(chunk: number): void {
    const c = this.chunks.get(chunk);
    if (c === undefined) return;
    this.chunks.delete(chunk);
    this.chunks.set(chunk, c);
  }

  /** Adds lines. Those that would leave a hole in their chunk are left out. */
  put(start: number, messages: readonly string[], times: readonly number[]): void {
    for (let i = 0; i < messages.length; ) {
      const n = chunkOf(start + i);
      const chunk = this.chunks.get(n) ?? { lines: [], size: 0 };
      const at = start + i - startOf(n);
      const count = Math.min(messages.length - i, chunkLines - at);
      if (at <= chunk.lines.length) {
        for (let j = Math.max(0, chunk.lines.length - at); j < count; j++) {
          const text = messages[i + j] ?? "";
          chunk.lines.push({ text, time: times[i + j] });
          chunk.size += text.length + 32;
          this.size += text.length + 32;
        }
        this.chunks.delete(n);
        if (chunk.lines.length > 0) this.chunks.set(n, chunk);
      }
      i += count;
    }
    this.trim();
  }

  private trim(): void {
    for (const [n, chunk] of this.chunks) {
      if (this.chunks.size <= 1 || (this.chunks.size <= this.maxChunks && this.size <= this.maxSize)) return;
      this.chunks.delete(n);
      this.size -= chunk.size;
    }
  }
}
