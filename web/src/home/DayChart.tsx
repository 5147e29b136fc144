import { useRef, useState, type KeyboardEvent } from "react";
import { shortDay } from "../parts/time";
import styles from "./chart.module.css";
import { scale } from "./scale";

export interface Series {
  readonly title: string;
  /** Of CSS. */
  readonly colour: string;
  /** One for each day. */
  readonly values: readonly number[];
}

/**
 * Columns of days. They are HTML, so that they fit any width without being
 * measured. Each says what it shows to whoever points at it or, with the arrow
 * keys, goes to it.
 */
export function DayChart({
  label,
  unit,
  days,
  series,
  stacked = false,
  of,
  format = String,
}: {
  label: string;
  /** What the lines count. */
  unit: string;
  /** Each as in 2026-11-07. */
  days: readonly string[];
  series: readonly Series[];
  stacked?: boolean;
  of: "counts" | "seconds";
  format?: (value: number) => string;
}) {
  const [current, setCurrent] = useState(days.length - 1);
  const columns = useRef<HTMLDivElement>(null);
  const valuesOf = (i: number) => series.map((s) => s.values[i] ?? 0);
  const most = Math.max(...days.map((_, i) => (stacked ? valuesOf(i).reduce((a, b) => a + b, 0) : Math.max(...valuesOf(i)))));
  const lines = scale(most, of);
  const part = (value: number) => `${(value / (lines.at(-1) ?? 1)) * 100}%`;
  const onKeyDown = (e: KeyboardEvent) => {
    const next = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: days.length - 1 }[e.key];
    if (next === undefined) return;
    e.preventDefault();
    const to = columns.current?.children[next];
    if (!(to instanceof HTMLElement)) return;
    setCurrent(next);
    to.focus();
  };
  return (
    <figure className={styles["chart"]} aria-label={label}>
      <div className={styles["axis"]}>{unit}</div>
      <div className={styles["plot"]}>
        {lines.map((line) => (
          <div key={line} className={styles["line"]} style={{ insetBlockEnd: part(line) }} aria-hidden="true">
            <span>{format(line)}</span>
          </div>
        ))}
        <div ref={columns} className={styles["columns"]} role="group" aria-label="Days" onKeyDown={onKeyDown}>
          {days.map((day, i) => (
            <div
              key={day}
              className={stacked ? `${styles["column"] ?? ""} ${styles["stacked"] ?? ""}` : styles["column"]}
              role="img"
              aria-label={`${shortDay(day)}: ${series.map((s) => `${s.title} ${format(s.values[i] ?? 0)}`).join(", ")}`}
              tabIndex={i === current ? 0 : -1}
              onFocus={() => setCurrent(i)}
            >
              {series.map((s) => (s.values[i] ?? 0) > 0 && <div key={s.title} className={styles["bar"]} style={{ blockSize: part(s.values[i] ?? 0), background: s.colour }} />)}
              <div className={styles["told"]} style={i < days.length / 2 ? { insetInlineStart: "100%" } : { insetInlineEnd: "100%" }}>
                <b>{shortDay(day)}</b>
                {series.map((s) => (
                  <div key={s.title}>
                    <Swatch colour={s.colour} />
                    {s.title} {format(s.values[i] ?? 0)}
                  </div>
                ))}
              </div>
            </div>
          ))}
        </div>
      </div>
      <div className={styles["days"]} aria-hidden="true">
        {days.map((day, i) => (
          <span key={day}>{(days.length - 1 - i) % 2 === 0 && shortDay(day)}</span>
        ))}
      </div>
      <div className={styles["legend"]} aria-hidden="true">
        {series.map((s) => (
          <span key={s.title}>
            <Swatch colour={s.colour} />
            {s.title}
          </span>
        ))}
      </div>
    </figure>
  );
}

function Swatch({ colour }: { colour: string }) {
  return <span className={styles["swatch"]} style={{ background: colour }} />;
}
