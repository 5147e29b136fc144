import type { GetBuildArtifactInput, GetBuildArtifactOutput } from "../api/slipway.gen";
import { Problem } from "../api/problem";

const pieceBytes = 4 * 1024 * 1024;

export type Read = (input: GetBuildArtifactInput, signal: AbortSignal) => Promise<GetBuildArtifactOutput>;

/** What to download: without a path the archive that an artifact is. */
export interface Wanted {
  readonly buildId: string;
  readonly artifactIdentifier?: string;
  readonly path?: string;
}

/**
 * Reads a file of an artifact piece by piece: each request is signed with the
 * session's keys, and browsers keep large files on disk. Says after each piece
 * which part is there.
 */
export async function artifactFile(wanted: Wanted, options: { signal: AbortSignal; progress: (part: number) => void; read: Read }): Promise<Blob> {
  let kept = new Blob([]);
  for (let first: GetBuildArtifactOutput | undefined; ; ) {
    const piece = await options.read({ ...wanted, offset: kept.size, maxBytes: pieceBytes }, options.signal);
    options.signal.throwIfAborted();
    first ??= piece;
    if (piece.modified !== first.modified || piece.totalBytes !== first.totalBytes) {
      throw new Problem("Replaced", "A later build replaced the artifact while it was downloaded. Download it again.");
    }
    const data = bytes(piece.data ?? "");
    const total = piece.totalBytes ?? 0;
    kept = new Blob([kept, data]);
    options.progress(total === 0 ? 1 : kept.size / total);
    if (kept.size >= total) return piece.encoding === "DEFLATE" ? await inflated(kept) : kept;
    if (data.length === 0) throw new Problem("CutOff", "The server gave nothing more of the file. Download it again.");
  }
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

async function inflated(packed: Blob): Promise<Blob> {
  return await new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
}

/** The last part of a path, as a file's name. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/[\\:*?"<>|]/g, "_") || "artifact";
}
