import { useCallback, useEffect, useState } from "react";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ProjectFinding } from "../api/slipway.gen";
import { inPlainWords } from "./findings";

/**
 * What the server finds of a request as it is being typed. check asks at once.
 * The request may hold values of variables, so it goes into no cache.
 */
export function useFindings(request: object, update: boolean): { findings: readonly ProjectFinding[]; check: () => Promise<readonly ProjectFinding[]> } {
  const [findings, setFindings] = useState<readonly ProjectFinding[]>([]);
  const text = JSON.stringify(request);
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      ask(text, update, asked.signal).then(setFindings, () => undefined); // saving will tell what is wrong with the server
    }, 400);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, update]);
  const check = useCallback(async () => {
    const found = await ask(text, update);
    setFindings(found);
    return found;
  }, [text, update]);
  return { findings, check };
}

async function ask(request: string, update: boolean, signal?: AbortSignal): Promise<readonly ProjectFinding[]> {
  try {
    return ((await slipway("CheckProject", { request, update }, signal)).findings ?? []).map(inPlainWords);
  } catch (e) {
    if (Problem.of(e).name === "NotImplementedException") return []; // a server that is older than its console
    throw e;
  }
}
