import { useCallback, useEffect, useLayoutEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useSearchParams } from "wouter";
import { useTheme } from "../app/theme";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { rowHeight } from "./geometry";
import { extended, formatRange, parseRange } from "./links";
import styles from "./log.module.css";
import { LogRows } from "./LogRows";
import { Scroll } from "./scroll";
import { serverSource } from "./server";
import type { LogSource } from "./source";
import { LogStore } from "./store";

/** The log of a build, with line as the place to start unless the address has one. */
export function LogViewer({ buildId, height = 480, line }: { buildId: string; height?: number; line?: number }) {
  const source = useMemo(() => serverSource(buildId), [buildId]);
  return <LogPane key={buildId} source={source} height={`${height}px`} line={line} />;
}

/** A log and what one does with it. */
export function LogPane({ source, height, line }: { source: LogSource; height: string; line?: number | undefined }) {
  const { dark } = useTheme();
  const [store] = useState(() => new LogStore(source));
  const [scroll] = useState(() => new Scroll());
  const [search, setSearch] = useSearchParams();
  const selected = parseRange(search.get("line")) ?? (line === undefined ? undefined : { from: line, to: line });
  const { lines, complete, problem } = useSyncExternalStore(store.subscribe, store.get);
  const first = selected?.from;

  useEffect(() => store.start(), [store]);
  useLayoutEffect(() => scroll.grow(lines ?? 0, !complete), [scroll, lines, complete]);
  const [start] = useState(first);
  useEffect(() => {
    if (start !== undefined) scroll.centre(start);
  }, [scroll, start]);

  const onLine = useCallback(
    (n: number, extend: boolean) => {
      setSearch(
        (old) => {
          const next = new URLSearchParams(old);
          next.set("line", formatRange(extended(extend ? parseRange(old.get("line")) : undefined, n)));
          return next;
        },
        { replace: true },
      );
    },
    [setSearch],
  );
  const onKey = (e: React.KeyboardEvent) => {
    const page = scroll.get().layout.viewport - rowHeight;
    const by: Record<string, number> = { ArrowUp: -rowHeight, ArrowDown: rowHeight, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    const pixels = by[e.key];
    if (pixels === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    if (e.key === "End") scroll.end();
    else scroll.by(pixels);
  };

  return (
    <>
      <ProblemAlert error={problem} doing="read the log" retry={() => store.retry()} />
      <div className={styles["pane"]} style={{ height }}>
        {lines === undefined && problem === undefined && <Loading what="log" />}
        {lines === 0 && <Empty title="Nothing was written to the log yet">Lines show up here as the build writes them.</Empty>}
        {lines !== undefined && lines > 0 && <LogRows store={store} scroll={scroll} dark={dark} selected={selected} onLine={onLine} onKey={onKey} />}
      </div>
    </>
  );
}
