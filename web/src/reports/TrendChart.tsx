import { useRef, useState, type KeyboardEvent } from "react";
import { Link } from "wouter";
import styles from "./reports.module.css";

/** One report in a trend. */
export interface Point {
  readonly key: string;
  readonly value: number;
  /** When it was. */
  readonly at: string;
  readonly to: string;
}

/** A figure of reports, oldest first, as columns. Each is a link to its report; the arrow keys go from one to the next. */
export function TrendChart({ label, points, top, format }: { label: string; points: readonly Point[]; top: number; format: (value: number) => string }) {
  const [current, setCurrent] = useState<string>();
  const columns = useRef<HTMLUListElement>(null);
  const chosen = points.find((p) => p.key === current) ?? points.at(-1);
  const onKeyDown = (e: KeyboardEvent) => {
    const now = points.findIndex((p) => p.key === chosen?.key);
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: points.length - 1 }[e.key];
    const to = next === undefined ? undefined : columns.current?.children[next]?.querySelector("a");
    if (to === undefined || to === null) return;
    e.preventDefault();
    to.focus();
  };
  if (chosen === undefined) return null;
  return (
    <figure className={styles["trend"]} aria-label={label}>
      <figcaption>
        {format(chosen.value)} <span className={styles["quiet"]}>{chosen.at}</span>
      </figcaption>
      <div className={styles["plot"]}>
        <span className={styles["top"]} aria-hidden="true">
          {format(top)}
        </span>
        <ul ref={columns} className={styles["columns"]} onKeyDown={onKeyDown}>
          {points.map((p) => (
            <li key={p.key} onFocus={() => setCurrent(p.key)} onMouseEnter={() => setCurrent(p.key)}>
              <Link href={p.to} aria-label={`${p.at}: ${format(p.value)}`} tabIndex={p === chosen ? 0 : -1}>
                <span className={styles["column"]} style={{ blockSize: `${top === 0 ? 0 : Math.max(1, (100 * p.value) / top)}%` }} data-chosen={p === chosen} />
              </Link>
            </li>
          ))}
        </ul>
      </div>
    </figure>
  );
}
