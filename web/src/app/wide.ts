import { useSyncExternalStore } from "react";

/** Whether there is no room beside the list of pages: it lies over the page then. */
const narrow = window.matchMedia("(max-width: 688px)");
/** Whether there is room for it beside a page from the start. */
const roomy = window.matchMedia("(min-width: 912px)");

function useMedia(query: MediaQueryList): boolean {
  return useSyncExternalStore(
    (changed) => {
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    },
    () => query.matches,
  );
}

/** How much room there is now. A page may be laid out before its window has its size, so that this changes soon after loading. */
export function useRoom(): { readonly narrow: boolean; readonly roomy: boolean } {
  return { narrow: useMedia(narrow), roomy: useMedia(roomy) };
}
