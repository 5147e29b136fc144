import { useState } from "react";
import type { BuildSummary } from "../api/slipway.gen";
import { rowsWhileReading } from "./search";

interface Kept {
  readonly latest: readonly BuildSummary[];
  readonly key: string;
  readonly reading: boolean;
  readonly rows: readonly BuildSummary[];
  readonly waiting: number;
}

/**
 * The rows to show of what the server gave last: as they are, but that new
 * builds wait while somebody reads. key is of the question; another question's
 * rows never wait.
 */
export function useSteadyRows(latest: readonly BuildSummary[], key: string, reading: boolean) {
  const [kept, setKept] = useState<Kept>({ latest, key, reading, rows: latest, waiting: 0 });
  let now = kept;
  if (kept.latest !== latest || kept.key !== key || kept.reading !== reading) {
    now = { latest, key, reading, ...rowsWhileReading(kept.rows, latest, reading && kept.key === key) };
    setKept(now);
  }
  const showWaiting = () => setKept({ ...now, rows: now.latest, waiting: 0 });
  return { rows: now.rows, waiting: now.waiting, showWaiting };
}
