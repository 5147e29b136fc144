import { memo, useLayoutEffect, useRef, useSyncExternalStore, type ReactNode } from "react";
import { parse } from "./ansi";
import { look } from "./colours";
import { rowHeight, visible } from "./geometry";
import type { Range } from "./links";
import styles from "./log.module.css";
import type { Scroll } from "./scroll";
import type { LogStore } from "./store";

const overscan = 4;
/** Characters of a line in its row: all of them are in the strip below. */
const longest = 5000;

/** The lines of a log that are in sight. */
export function LogRows({
  store,
  scroll,
  dark,
  selected,
  onLine,
  onKey,
}: {
  store: LogStore;
  scroll: Scroll;
  dark: boolean;
  selected: Range | undefined;
  /** A line's number was clicked; with shift to extend what is selected. */
  onLine: (line: number, extend: boolean) => void;
  onKey: (e: React.KeyboardEvent) => void;
}) {
  const { layout, offset } = useSyncExternalStore(scroll.subscribe, scroll.get);
  useSyncExternalStore(store.subscribe, store.get);
  const scroller = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => (scroller.current === null ? undefined : scroll.attach(scroller.current)), [scroll]);
  useLayoutEffect(() => scroll.settle());
  const { first, last } = visible(layout, offset);
  useLayoutEffect(() => store.look(first, last), [store, first, last, layout.lines]);

  const rows: ReactNode[] = [];
  const from = Math.max(1, first - overscan);
  const to = Math.min(layout.lines, last + overscan);
  for (let n = from; n <= to; n++) {
    const isSelected = selected !== undefined && n >= selected.from && n <= selected.to;
    rows.push(<Row key={n} n={n} text={store.line(n)?.text} dark={dark} selected={isSelected} />);
  }
  const digits = Math.max(4, layout.lines.toString().length);
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
          <div
            className={styles["rows"]}
            role="table"
            aria-label="Lines of the log"
            aria-rowcount={layout.lines}
            style={{ transform: `translateY(${(from - 1) * rowHeight - offset}px)`, "--digits": digits } as React.CSSProperties}
          >
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}

const Row = memo(function Row({ n, text, dark, selected }: { n: number; text: string | undefined; dark: boolean; selected: boolean }) {
  return (
    <div role="row" aria-rowindex={n} className={selected ? `${styles["row"] ?? ""} ${styles["selected"] ?? ""}` : styles["row"]} style={{ height: rowHeight }}>
      <span role="cell" className={styles["number"]}>
        <a href={`?line=${n}`} data-line={n} tabIndex={-1}>
          {n}
        </a>
      </span>
      <span role="cell" className={styles["text"]}>
        {text === undefined ? <span className={styles["skeleton"]} style={{ width: `${20 + ((n * 7919) % 40)}ch` }} /> : <Text text={text} dark={dark} />}
      </span>
    </div>
  );
});

function Text({ text, dark }: { text: string; dark: boolean }) {
  if (text === "") return <br />;
  const out: ReactNode[] = [];
  let length = 0;
  for (const span of parse(text)) {
    const rest = longest - length;
    out.push(
      <span key={out.length} style={look(span.style, dark)}>
        {span.text.length > rest ? span.text.slice(0, rest) : span.text}
      </span>,
    );
    length += span.text.length;
    if (length > longest) {
      out.push(<span key="more" className={styles["more"]} aria-label="This line goes on: select it to see all of it">…</span>);
      break;
    }
  }
  return out;
}
