import { useEffect, useState } from "react";
import { ago, duration, full, milliseconds, type Moment } from "./time";

/** A moment relative to now, with the full one for whoever points at it. Nothing for none. */
export function Time({ at, none = "–" }: { at: Moment | undefined; none?: string }) {
  useNow(30_000, at !== undefined);
  if (at === undefined) return <>{none}</>;
  return (
    <time dateTime={new Date(milliseconds(at)).toISOString()} title={full(at)}>
      {ago(at)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Duration({ from, to }: { from: Moment | undefined; to?: Moment | undefined }) {
  const now = useNow(1000, from !== undefined && to === undefined);
  if (from === undefined) return <>–</>;
  const end = to === undefined ? now : milliseconds(to);
  return <>{duration((end - milliseconds(from)) / 1000)}</>;
}

/** The time, in milliseconds since 1970, renewed at an interval while it is wanted. */
export function useNow(interval: number, wanted = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!wanted) return;
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval, wanted]);
  return now;
}
