import { useEffect, useRef, useState } from "react";
import { save, whole } from "./download";
import type { LogSource } from "./source";

export interface Download {
  /** The part that is there, from 0 to 1; undefined if none is under way. */
  readonly part: number | undefined;
  readonly problem: unknown;
  readonly start: (colours: boolean) => void;
  readonly cancel: () => void;
}

/** Saves a log as a file. */
export function useDownload(source: LogSource, name: string): Download {
  const [part, setPart] = useState<number>();
  const [problem, setProblem] = useState<unknown>();
  const run = useRef<AbortController>(undefined);
  useEffect(() => () => run.current?.abort(), []);
  const start = async (colours: boolean) => {
    run.current?.abort();
    const mine = new AbortController();
    run.current = mine;
    setPart(0);
    setProblem(undefined);
    try {
      save(await whole(source, { colours, signal: mine.signal, progress: setPart }), name);
    } catch (e) {
      if (!mine.signal.aborted) setProblem(e);
    } finally {
      if (run.current === mine) setPart(undefined);
    }
  };
  return { part, problem, start: (colours) => void start(colours), cancel: () => run.current?.abort() };
}
