import { memo, useLayoutEffect, useRef, useSyncExternalStore, type CSSProperties, type KeyboardEvent, type ReactNode } from "react";
import { parse } from "./ansi";
import { look } from "./colours";
import { rowHeight, visible } from "./geometry";
import { occurrences, pieces } from "./highlight";
import type { Range } from "./links";
import styles from "./log.module.css";
import type { Scroll } from "./scroll";
import type { Query } from "./source";
import { stamp, type Stamps } from "./stamps";
import type { LogStore } from "./store";

const overscan = 4;
/** Characters of a line in its row: all of them are shown once it is selected. */
const longest = 5000;
/** What is read of a line to find those; a progress bar needs many more than it shows. */
const longestRead = 100_000;

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
  const { layout, offset } = useSyncExternalStore(scroll.subscribe, scroll.get);
  const { begun } = useSyncExternalStore(store.subscribe, store.get);
  const scroller = useRef<HTMLDivElement>(null);
  const { first, last } = visible(layout, offset);
  useLayoutEffect(() => (scroller.current === null ? undefined : scroll.attach(scroller.current)), [scroll]);
  useLayoutEffect(() => scroll.settle());
  useLayoutEffect(() => store.look(first, last), [store, first, last, layout.lines]);

  const rows: ReactNode[] = [];
  const from = Math.max(1, first - overscan);
  const to = Math.min(layout.lines, last + overscan);
  const marked = query.regularExpression ? "" : query.text;
  for (let n = from; n <= to; n++) {
    const line = store.line(n);
    rows.push(
      <Row
        key={n}
        n={n}
        text={line?.text}
        stamp={stamps === "off" ? undefined : stamp(line?.time, begun, stamps)}
        dark={dark}
        marked={marked}
        matchCase={query.matchCase}
        kind={selected !== undefined && n >= selected.from && n <= selected.to ? "selected" : n === current ? "current" : isHit(n) ? "hit" : undefined}
      />,
    );
  }
  const variables: CSSProperties & Record<`--${string}`, string | number> = {
    transform: `translateY(${(from - 1) * rowHeight - offset}px)`,
    "--digits": Math.max(4, layout.lines.toString().length),
  };
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
          <div role="table" aria-label="Lines of the log" aria-rowcount={layout.lines} style={variables}>
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  n: number;
  text: string | undefined;
  stamp: string | undefined;
  dark: boolean;
  marked: string;
  matchCase: boolean;
  kind: "selected" | "current" | "hit" | undefined;
}

const Row = memo(function Row({ n, text, stamp: time, dark, marked, matchCase, kind }: RowProps) {
  return (
    <div role="row" aria-rowindex={n} aria-current={kind === "selected" ? true : undefined} className={`${styles["row"] ?? ""} ${(kind && styles[kind]) ?? ""}`} style={{ height: rowHeight }}>
      <span role="cell" className={styles["number"]}>
        <a href={`?line=${n}`} data-line={n} tabIndex={-1}>
          {n}
        </a>
      </span>
      {time !== undefined && (
        <span role="cell" className={styles["stamp"]}>
          {time}
        </span>
      )}
      <span role="cell" className={styles["text"]}>
        {text === undefined ? <span className={styles["skeleton"]} style={{ width: `${20 + ((n * 7919) % 40)}ch` }} /> : <Text text={text} dark={dark} marked={marked} matchCase={matchCase} />}
      </span>
    </div>
  );
});

// A log is what a build wrote, maybe hostile: addresses in it are text, not links.
function Text({ text, dark, marked, matchCase }: { text: string; dark: boolean; marked: string; matchCase: boolean }) {
  if (text === "") return <br />;
  const spans = parse(text.length > longestRead ? text.slice(0, longestRead) : text);
  const whole = spans.map((s) => s.text).join("");
  const starts = occurrences(whole.slice(0, longest), marked, matchCase);
  const out: ReactNode[] = [];
  let left = longest;
  for (const piece of starts.length === 0 ? spans.map((s) => ({ ...s, hit: false })) : pieces(spans, starts, marked.length)) {
    const shown = piece.text.length > left ? piece.text.slice(0, left) : piece.text;
    left -= shown.length;
    out.push(
      piece.hit ? (
        <mark key={out.length} className={styles["mark"]}>
          {shown}
        </mark>
      ) : (
        <span key={out.length} style={look(piece.style, dark)}>
          {shown}
        </span>
      ),
    );
    if (left <= 0) break;
  }
  if (whole.length > longest || text.length > longestRead) {
    out.push(
      <span key="more" className={styles["more"]}>
        … (select the line to see all of it)
      </span>,
    );
  }
  return out;
}
