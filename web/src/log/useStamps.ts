import { useState } from "react";
import type { Stamps } from "./stamps";

const storageKey = "slipway.log.timestamps";

/** Which timestamps the reader wants, kept for the next log. */
export function useStamps(): [Stamps, (stamps: Stamps) => void] {
  const [stamps, setStamps] = useState<Stamps>(() => {
    const kept = localStorage.getItem(storageKey);
    return kept === "relative" || kept === "absolute" ? kept : "off";
  });
  return [
    stamps,
    (next) => {
      localStorage.setItem(storageKey, next);
      setStamps(next);
    },
  ];
}
