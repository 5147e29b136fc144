import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { slipway } from "../api/slipway";
import type { SearchBuildsOutput } from "../api/slipway.gen";
import { liveInterval } from "../app/query";
import { pageNames, searchInput, underWay, type BuildFilters } from "./search";

/** How often the first page asks for new builds while none is under way, in milliseconds. */
const idleInterval = 5000;

/** The key of every search for builds: whoever changes builds invalidates it. */
export const buildSearchKey = ["builds", "search"] as const;

export interface BuildSearch {
  readonly result: UseQueryResult<SearchBuildsOutput>;
  /** The page that is shown, from 1. */
  readonly page: number;
  /** How many pages are known of. */
  readonly pages: number;
  /** Whether there are more than that. */
  readonly more: boolean;
  readonly goTo: (page: number) => Promise<void>;
}

/**
 * One page of the builds that filters let through. The server tells of each page
 * where the next begins; the beginnings of pages that were seen are kept, so that
 * going back works, and that of the page shown is in the address.
 */
export function useBuildSearch(filters: BuildFilters): BuildSearch {
  const [search, setSearch] = useSearchParams();
  const token = search.get(pageNames.token) ?? undefined;
  const page = token === undefined ? 1 : Math.max(2, Math.trunc(Number(search.get(pageNames.page) ?? "2")) || 2);
  const key = JSON.stringify(filters);
  const [kept, setKept] = useState<{ key: string; tokens: readonly (string | undefined)[] }>({ key, tokens: [] });

  const result = useQuery({
    queryKey: [...buildSearchKey, filters, token ?? ""],
    queryFn: ({ signal }) => slipway("SearchBuilds", searchInput(filters, token, Date.now()), signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => {
      if (state.data?.builds?.some(underWay) === true) return liveInterval;
      return token === undefined && state.error === null ? idleInterval : false;
    },
  });

  // The beginning of page n is tokens[n - 1]; that of the first is none.
  const tokens = kept.key === key ? [...kept.tokens] : [];
  if (token !== undefined) tokens[page - 1] = token;
  const next = result.isPlaceholderData ? undefined : result.data?.nextToken;
  if (next !== undefined && next !== "") tokens[page] = next;
  else if (!result.isPlaceholderData && result.data !== undefined) tokens.length = Math.min(tokens.length, page);
  if (kept.key !== key || tokens.length !== kept.tokens.length || tokens.some((t, i) => t !== kept.tokens[i])) setKept({ key, tokens });

  const goTo = async (wanted: number) => {
    let at = wanted;
    while (at > 1 && tokens[at - 1] === undefined) at--;
    let begin = tokens[at - 1];
    // A page whose beginning is not known, after a link into the middle: from the nearest one before it.
    for (; at < wanted; at++) {
      const answer = await slipway("SearchBuilds", searchInput(filters, begin, Date.now()));
      if (answer.nextToken === undefined || answer.nextToken === "") break;
      begin = answer.nextToken;
    }
    setSearch((now) => {
      const to = new URLSearchParams(now);
      to.delete(pageNames.page);
      to.delete(pageNames.token);
      if (begin === undefined) return to;
      to.set(pageNames.page, String(at));
      to.set(pageNames.token, begin);
      return to;
    });
  };
  const pages = Math.max(page, tokens.length);
  return { result, page, pages, more: pages > page || result.isPlaceholderData, goTo };
}
