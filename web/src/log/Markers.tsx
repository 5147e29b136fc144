import styles from "./log.module.css";
import { markers } from "./search";

/** Beside the scrollbar, where in the log matches and the first error are. */
export function Markers({ matches, firstError, lines }: { matches: readonly number[]; firstError: number | undefined; lines: number }) {
  if (lines === 0) return null;
  return (
    <div className={styles["markers"]} aria-hidden="true">
      {markers(matches, lines, 200).map((part) => (
        <span key={part} className={styles["marker"]} style={{ top: `${part * 100}%` }} />
      ))}
      {firstError !== undefined && <span className={`${styles["marker"] ?? ""} ${styles["errorMarker"] ?? ""}`} style={{ top: `${((firstError - 1) / lines) * 100}%` }} />}
    </div>
  );
}
