import { QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "../api/problem";
import { currentSession, endSession, subscribe } from "../session/session";

/** What was read of the server. Only failures that may pass are tried again. */
export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (e) => {
      if (Problem.of(e).signedOut) endSession();
    },
  }),
  defaultOptions: {
    queries: { retry: (count, e) => count < 2 && Problem.of(e).passing, staleTime: 2000, refetchOnWindowFocus: true },
  },
});

// What one session read is nothing to the next, nor to be kept when nobody is signed in.
let readBy = currentSession()?.session.id;
subscribe(() => {
  const id = currentSession()?.session.id;
  if (id !== readBy) queries.clear();
  readBy = id;
});

/** How often a page that shows something under way asks again, in milliseconds. */
export const liveInterval = 2000;
