import { useState } from "react";
import { useRoom } from "./wide";

const storageKey = "slipway.navigation";

function kept(): boolean | undefined {
  const text = sessionStorage.getItem(storageKey);
  return text === null ? undefined : text === "open";
}

export interface Navigation {
  readonly open: boolean;
  /** Whether it lies over the page. */
  readonly over: boolean;
  readonly change: (open: boolean) => void;
}

/**
 * Whether the list of pages is open: where there is room, unless the user chose
 * otherwise in this tab; and over a narrow page only while it is asked for.
 */
export function useNavigation(): Navigation {
  const { narrow, roomy } = useRoom();
  const [chosen, setChosen] = useState(kept);
  const [asked, setAsked] = useState(false);
  const change = (open: boolean) => {
    setAsked(narrow && open);
    if (narrow) return;
    setChosen(open);
    sessionStorage.setItem(storageKey, open ? "open" : "closed");
  };
  return { open: narrow ? asked : (chosen ?? roomy), over: narrow && asked, change };
}
