import { useCallback, useEffect, useState } from "react";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ProjectFinding } from "../api/slipway.gen";
import { inPlainWords } from "./findings";

interface Findings {
  readonly findings: readonly ProjectFinding[];
  /** Whether they are of the request as it stands now, and not of what stood there a moment ago. */
  readonly current: boolean;
  /** Asks at once. */
  readonly check: () => Promise<readonly ProjectFinding[]>;
}

/**
 * What the server finds of a request as it is being typed.
 * The request may hold values of variables, so it goes into no cache.
 */
export function useFindings(request: object, update: boolean): Findings {
  const [{ findings, of }, setFound] = useState<{ findings: readonly ProjectFinding[]; of?: string }>({ findings: [] });
  const text = JSON.stringify(request);
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      ask(text, update, asked.signal).then(
        (found) => setFound({ findings: found, of: text }),
        () => undefined, // saving will tell what is wrong with the server
      );
    }, 400);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, update]);
  const check = useCallback(async () => {
    const found = await ask(text, update);
    setFound({ findings: found, of: text });
    return found;
  }, [text, update]);
  return { findings, current: of === text, check };
}

async function ask(request: string, update: boolean, signal?: AbortSignal): Promise<readonly ProjectFinding[]> {
  try {
    return ((await slipway("CheckProject", { request, update }, signal)).findings ?? []).map(inPlainWords);
  } catch (e) {
    if (Problem.of(e).name === "NotImplementedException") return []; // a server that is older than its console
    throw e;
  }
}
