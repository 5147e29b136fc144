import { useEffect, useState } from "react";
import { useRoom } from "./wide";

const storageKey = "slipway.navigation";

function kept(): boolean | undefined {
  const text = sessionStorage.getItem(storageKey);
  return text === null ? undefined : text === "open";
}

/**
 * Whether the list of pages is open: where there is room, unless the user chose
 * otherwise in this tab; and over a narrow page only while it is asked for.
 */
export function useNavigation(): { readonly open: boolean; readonly change: (open: boolean) => void } {
  const { narrow, roomy } = useRoom();
  const [chosen, setChosen] = useState(kept);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!narrow) return;
    // Cloudscape gives the element an attribute that no nav may have, and checkers complain. It draws the bar in the same frame as this.
    const mend = () => document.querySelectorAll("nav[aria-orientation]").forEach((nav) => nav.removeAttribute("aria-orientation"));
    mend();
    const frame = requestAnimationFrame(mend);
    return () => cancelAnimationFrame(frame);
  }, [narrow]);
  const change = (open: boolean) => {
    if (narrow) {
      setOver(open); // the layout itself closes it when the page becomes narrow: that is nobody's choice
      return;
    }
    setChosen(open);
    sessionStorage.setItem(storageKey, open ? "open" : "closed");
  };
  return { open: narrow ? over : (chosen ?? roomy), change };
}
