import Button from "@cloudscape-design/components/button";
import { useState, useSyncExternalStore } from "react";
import { parse } from "./ansi";
import { copyText } from "./copy";
import { maxCopy, textOf } from "./download";
import { formatRange, type Range } from "./links";
import { look } from "./colours";
import styles from "./log.module.css";
import type { LogStore } from "./store";

const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "long" });

/** More of one line is not laid out. */
const longest = 200_000;

/** What is selected: one line in full, wrapped, or how many lines; to be copied. */
export function Selected({ store, range, dark, onClose }: { store: LogStore; range: Range; dark: boolean; onClose: () => void }) {
  const [said, setSaid] = useState("");
  const one = range.from === range.to;
  const line = useSyncExternalStore(store.subscribe, () => (one ? store.line(range.from) : undefined));
  const count = range.to - range.from + 1;
  const copy = async (what: string, text: Promise<string> | string) => {
    try {
      await copyText(await text);
      setSaid(`${what} copied`);
    } catch (e) {
      setSaid(e instanceof Error ? e.message : `${what} not copied`);
    }
  };
  const title = one ? `Line ${range.from.toLocaleString("en")}` : `Lines ${range.from.toLocaleString("en")} to ${range.to.toLocaleString("en")}`;
  return (
    <section className={styles["detail"]} aria-label="Selected lines">
      <div className={styles["detailBar"]}>
        <strong>{title}</strong>
        <span className={styles["detailTime"]}>{line?.time === undefined ? (one ? "" : `${count.toLocaleString("en")} lines`) : dates.format(line.time)}</span>
        <span className={styles["detailSaid"]} role="status">
          {said}
        </span>
        <Button
          variant="inline-link"
          onClick={() => void copy(count > maxCopy ? `First ${maxCopy.toLocaleString("en")} lines` : "Text", textOf(store.source, range.from, range.to))}
        >
          Copy text
        </Button>
        <Button variant="inline-link" onClick={() => void copy("Link", linkTo(range))}>
          Copy link
        </Button>
        <Button variant="icon" iconName="close" ariaLabel="Select no line" onClick={onClose} />
      </div>
      {line !== undefined && (
        <div className={styles["detailText"]} tabIndex={0} role="region" aria-label={`${title} in full`}>
          {parse(line.text.slice(0, longest)).map((s, i) => (
            <span key={i} style={look(s.style, dark)}>
              {s.text}
            </span>
          ))}
        </div>
      )}
    </section>
  );
}

/** The address of this page with other lines. */
function linkTo(range: Range): string {
  const url = new URL(window.location.href);
  url.searchParams.set("line", formatRange(range));
  return url.href;
}
