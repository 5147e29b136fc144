import { useEffect, useRef, useState } from "react";
import { slipway } from "../api/slipway";
import { save } from "../log/download";
import { artifactFile, fileName, type Wanted } from "./download";

export interface ArtifactDownload {
  /** What is being downloaded: its path, empty for the archive; undefined if nothing is. */
  readonly path: string | undefined;
  /** The part that is there, from 0 to 1. */
  readonly part: number;
  readonly problem: unknown;
  readonly start: (wanted: Wanted, name: string) => void;
  readonly cancel: () => void;
}

/** Saves files of artifacts, one at a time. */
export function useArtifactDownload(): ArtifactDownload {
  const [path, setPath] = useState<string>();
  const [part, setPart] = useState(0);
  const [problem, setProblem] = useState<unknown>();
  const run = useRef<AbortController>(undefined);
  useEffect(() => () => run.current?.abort(), []);
  const start = async (wanted: Wanted, name: string) => {
    run.current?.abort();
    const mine = new AbortController();
    run.current = mine;
    setPath(wanted.path ?? "");
    setPart(0);
    setProblem(undefined);
    try {
      save(await artifactFile(wanted, { signal: mine.signal, progress: setPart, read: (input, signal) => slipway("GetBuildArtifact", input, signal) }), fileName(name));
    } catch (e) {
      if (!mine.signal.aborted) setProblem(e);
    } finally {
      if (run.current === mine) setPath(undefined);
    }
  };
  return {
    path,
    part,
    problem,
    start: (wanted, name) => void start(wanted, name),
    cancel: () => {
      run.current?.abort();
      setPath(undefined);
    },
  };
}
