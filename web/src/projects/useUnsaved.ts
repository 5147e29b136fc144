import { useCallback, useEffect, useRef, useState } from "react";
import { root } from "../api/place";
import { guardHistory } from "../app/leaving";

export interface Unsaved {
  /** Whether the user wants to leave and is to be asked. */
  readonly asking: boolean;
  readonly stay: () => void;
  readonly leave: () => void;
  /** Leaves from now on without being asked. */
  readonly release: () => void;
}

/**
 * Keeps the user from leaving with changes that are not saved. go leads to a path
 * of the console. Links are caught before they are followed; a step back was
 * made already and is undone until the user has answered.
 */
export function useUnsaved(dirty: boolean, go: (path: string) => void): Unsaved {
  const [wanted, setWanted] = useState<{ readonly path: string } | "back">();
  const free = useRef(false);
  useEffect(() => {
    if (!dirty) return;
    const here = window.location.pathname + window.location.search;
    const unload = (e: BeforeUnloadEvent) => {
      if (!free.current) e.preventDefault();
    };
    const click = (e: MouseEvent) => {
      const to = linkOf(e);
      if (to === undefined || free.current) return;
      e.preventDefault();
      e.stopPropagation();
      setWanted({ path: to });
    };
    const giveBack = guardHistory(() => {
      if (free.current) return false;
      window.history.pushState(null, "", here);
      setWanted("back");
      return true;
    });
    window.addEventListener("beforeunload", unload);
    document.addEventListener("click", click, true);
    return () => {
      window.removeEventListener("beforeunload", unload);
      document.removeEventListener("click", click, true);
      giveBack();
    };
  }, [dirty]);
  const release = useCallback(() => {
    free.current = true;
  }, []);
  const leave = () => {
    release();
    setWanted(undefined);
    if (wanted === "back") window.history.back();
    else if (wanted !== undefined) go(wanted.path);
  };
  return { asking: wanted !== undefined, stay: () => setWanted(undefined), leave, release };
}

/** The path of the console that a click leads to in this tab, if it leads to one. */
export function linkOf(e: MouseEvent): string | undefined {
  if (e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || !(e.target instanceof Element)) return undefined;
  const link = e.target.closest("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target === "_blank" || link.hasAttribute("download")) return undefined;
  const url = new URL(link.href);
  const base = root.replace(/\/$/, "");
  if (url.origin !== window.location.origin || !url.pathname.startsWith(`${base}/`)) return undefined;
  if (url.pathname === window.location.pathname && url.hash !== "") return undefined;
  return url.pathname.slice(base.length) + url.search;
}
