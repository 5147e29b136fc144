import { useSyncExternalStore } from "react";
import { plain } from "./ansi";
import { visible } from "./geometry";
import styles from "./log.module.css";
import { placeOf } from "./phases";
import type { Scroll } from "./scroll";
import type { Mark } from "./source";

/** The phase and the command that the first line in sight belongs to. */
export function PlaceBar({ scroll, marks, onLine }: { scroll: Scroll; marks: readonly Mark[]; onLine: (line: number) => void }) {
  const place = () => {
    const { layout, offset } = scroll.get();
    return placeOf(marks, visible(layout, offset).first);
  };
  const phase = useSyncExternalStore(scroll.subscribe, () => place().phase);
  const command = useSyncExternalStore(scroll.subscribe, () => place().command);
  return (
    <div className={styles["place"]} role="group" aria-label="Phase and command in sight">
      {phase === undefined ? <span>Start of the log</span> : <Jump mark={phase} onLine={onLine} />}
      {command !== undefined && (
        <>
          <span aria-hidden="true">›</span>
          <Jump mark={command} onLine={onLine} />
        </>
      )}
    </div>
  );
}

function Jump({ mark, onLine }: { mark: Mark; onLine: (line: number) => void }) {
  return (
    <button type="button" className={styles["jump"]} title={`Go to its start, line ${mark.line}`} onClick={() => onLine(mark.line)}>
      {plain(mark.text.split("\n", 1)[0] ?? "")}
    </button>
  );
}
