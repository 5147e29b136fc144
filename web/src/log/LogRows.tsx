import { useEffectEvent, useLayoutEffect, useRef, useSyncExternalStore, type CSSProperties, type KeyboardEvent } from "react";
import { rowHeight, visible } from "./geometry";
import type { Range } from "./links";
import styles from "./log.module.css";
import { Rows } from "./rows";
import type { Scroll } from "./scroll";
import type { Query } from "./source";
import { stamp, type Stamps } from "./stamps";
import type { LogStore } from "./store";

const overscan = 4;

/** The lines of a log that are in sight. */
export function LogRows({
  store,
  scroll,
  dark,
  stamps,
  selected,
  query,
  isHit,
  current,
  onLine,
  onKey,
}: {
  store: LogStore;
  scroll: Scroll;
  dark: boolean;
  stamps: Stamps;
  selected: Range | undefined;
  query: Query;
  isHit: (line: number) => boolean;
  /** The match that was gone to. */
  current: number | undefined;
  /** A line's number was clicked; with shift to extend what is selected. */
  onLine: (line: number, extend: boolean) => void;
  onKey: (e: KeyboardEvent) => void;
}) {
  const layout = useSyncExternalStore(scroll.subscribe, () => scroll.get().layout);
  const scroller = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLDivElement>(null);
  const rows = useRef<Rows>(undefined);
  useLayoutEffect(() => (scroller.current === null ? undefined : scroll.attach(scroller.current)), [scroll]);

  const draw = useEffectEvent(() => {
    const { layout: now, offset } = scroll.get();
    if (now !== layout || table.current === null) return; // what scrolls gets its height first
    const { first, last } = visible(layout, offset);
    store.look(first, last);
    const from = Math.max(1, first - overscan);
    const { begun } = store.get();
    const marked = query.regularExpression ? "" : query.text;
    rows.current ??= new Rows(table.current);
    rows.current.show(from, Math.min(layout.lines, last + overscan), (n) => {
      const line = store.line(n);
      return {
        line,
        stamp: stamps === "off" ? undefined : stamp(line?.time, begun, stamps),
        kind: selected !== undefined && n >= selected.from && n <= selected.to ? "selected" : n === current ? "current" : isHit(n) ? "hit" : undefined,
        dark,
        marked,
        matchCase: query.matchCase,
      };
    });
    table.current.style.transform = `translateY(${(from - 1) * rowHeight - offset}px)`;
    scroll.settle();
  });
  // A scroll changes rows at once, without React.
  useLayoutEffect(() => {
    const ends = [scroll.subscribe(() => draw()), store.subscribe(() => draw())];
    return () => ends.forEach((end) => end());
  }, [scroll, store]);
  useLayoutEffect(() => draw());

  const digits: CSSProperties & Record<`--${string}`, string | number> = { "--digits": Math.max(4, layout.lines.toString().length) };
  return (
    <div
      ref={scroller}
      className={styles["scroller"]}
      tabIndex={0}
      role="region"
      aria-label="Build log"
      onKeyDown={onKey}
      onClick={(e) => {
        const link = e.target instanceof Element ? e.target.closest("a[data-line]") : null;
        if (link === null || e.ctrlKey || e.metaKey || e.button !== 0) return;
        e.preventDefault();
        onLine(Number(link.getAttribute("data-line")), e.shiftKey);
      }}
    >
      <div className={styles["whole"]} style={{ height: layout.height }}>
        <div className={styles["window"]} style={{ height: layout.viewport }}>
          <div ref={table} role="table" aria-label="Lines of the log" aria-rowcount={layout.lines} style={digits} />
        </div>
      </div>
    </div>
  );
}
