import { useEffect, useRef, useState } from "react";
import styles from "./log.module.css";

const pause = 5000;

/** Tells whoever cannot see it how many lines came in, now and then. */
export function NewLines({ lines, complete }: { lines: number; complete: boolean }) {
  const [said, setSaid] = useState("");
  const now = useRef(lines);
  const told = useRef(lines);
  useEffect(() => {
    now.current = lines;
  }, [lines]);
  useEffect(() => {
    const tell = () => {
      const more = now.current - told.current;
      told.current = now.current;
      if (more > 0) setSaid(`${more.toLocaleString("en")} new ${more === 1 ? "line" : "lines"}`);
    };
    if (complete) return;
    const timer = setInterval(tell, pause);
    return () => clearInterval(timer);
  }, [complete]);
  return (
    <span className={styles["unseen"]} role="status">
      {said}
    </span>
  );
}
