import { useEffect, type RefObject } from "react";
import { useLocation } from "wouter";

let shown: string | undefined; // the path of the page that is shown
let back = false;
window.addEventListener("popstate", () => {
  back = true;
});

/**
 * Takes the focus to the title of a page when somebody goes there, so that
 * keyboards and screen readers begin with it, and a new page is seen from its
 * top. A page that has put the focus on something of its own keeps it.
 */
export function useArrival(title: RefObject<HTMLElement | null>, page: RefObject<HTMLElement | null>): void {
  const [path] = useLocation();
  useEffect(() => {
    const first = shown === undefined;
    if (shown === path) return;
    shown = path;
    const stepped = back;
    back = false;
    if (first) return; // the browser begins at the top by itself
    if (!stepped) window.scrollTo(0, 0);
    if (page.current?.contains(document.activeElement) !== true) title.current?.focus({ preventScroll: true });
  }, [path, title, page]);
}
