import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useSearchParams } from "wouter";
import { visible } from "./geometry";
import type { Scroll } from "./scroll";
import { lowerBound, Search, step, type SearchState } from "./search";
import type { LogSource, Query } from "./source";

export interface LogSearch {
  readonly query: Query;
  readonly state: SearchState;
  /** The match that was gone to last. */
  readonly current: number | undefined;
  readonly has: (line: number) => boolean;
  /** Looks for something else. */
  readonly change: (query: Query) => void;
  readonly go: (forward: boolean) => void;
}

/** The search of a log, kept in the address. */
export function useSearch(source: LogSource, scroll: Scroll, lines: number, show: (line: number) => void): LogSearch {
  const [params, setParams] = useSearchParams();
  const [search] = useState(() => new Search(source));
  const [current, setCurrent] = useState<number>();
  const wantsFirst = useRef(false);
  const text = params.get("q") ?? "";
  const matchCase = params.get("case") === "1";
  const regularExpression = params.get("re") === "1";
  const state = useSyncExternalStore(search.subscribe, search.get);

  useEffect(() => {
    search.start({ text, matchCase, regularExpression });
    return () => search.start(undefined);
  }, [search, text, matchCase, regularExpression]);
  useEffect(() => search.grow(lines), [search, lines]);

  // The first match from what is seen on is gone to, as soon as it is known.
  useEffect(
    () =>
      search.subscribe(() => {
        const { matches, busy } = search.get();
        if (!wantsFirst.current || matches.length === 0) return;
        const { layout, offset } = scroll.get();
        const { first } = visible(layout, offset);
        const at = lowerBound(matches, first);
        if (at === matches.length && busy) return;
        wantsFirst.current = false;
        const line = matches[at % matches.length];
        setCurrent(line);
        if (line !== undefined) show(line);
      }),
    [search, scroll, show],
  );

  const change = useCallback(
    (query: Query) => {
      wantsFirst.current = query.text !== "";
      setCurrent(undefined);
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          const put = (name: string, value: string) => (value === "" ? next.delete(name) : next.set(name, value));
          put("q", query.text);
          put("case", query.matchCase ? "1" : "");
          put("re", query.regularExpression ? "1" : "");
          return next;
        },
        { replace: true },
      );
    },
    [setParams],
  );
  const go = (forward: boolean) => {
    const { layout, offset } = scroll.get();
    const { first, last } = visible(layout, offset);
    const at = step(state.matches, current ?? (forward ? first - 1 : last + 1), forward);
    const line = at === undefined ? undefined : state.matches[at];
    setCurrent(line);
    if (line !== undefined) show(line);
  };
  const has = useCallback((line: number) => search.has(line), [search]);
  return { query: { text, matchCase, regularExpression }, state, current, has, change, go };
}

/** How far a search is, in words. */
export function summary({ matches, busy, part, more }: SearchState, current: number | undefined): string {
  const count = matches.length.toLocaleString("en");
  if (busy) return `${count} so far (${Math.floor(part * 100)} %)`;
  if (matches.length === 0) return "No match";
  const at = current === undefined ? -1 : lowerBound(matches, current);
  const place = at >= 0 && matches[at] === current ? `${(at + 1).toLocaleString("en")} of ` : "";
  return `${place}${count}${more ? "+" : ""} ${matches.length === 1 ? "line" : "lines"}`;
}
