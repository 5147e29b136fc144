import { currentSession } from "./session";

/** The code of a one-time link that waits to be used. */
let waiting: string | undefined;
const listeners = new Set<() => void>();

/**
 * Takes the code out of the address before anything else can see it. Nobody who
 * is signed in needs it: kept, it would sign in again whoever signs out.
 */
function look(): void {
  const code = new URLSearchParams(window.location.hash.slice(1)).get("code");
  if (code === null) return;
  history.replaceState(history.state, "", window.location.pathname + window.location.search);
  if (currentSession() !== undefined) return;
  waiting = code;
  for (const listener of listeners) listener();
}

look();
// A link that is opened where the console is open already loads no page.
window.addEventListener("hashchange", look);

/** Whether a code waits. */
export function codeWaits(): boolean {
  return waiting !== undefined;
}

/** The code that waits, which nobody gets again; undefined if there is none. */
export function takeCode(): string | undefined {
  const code = waiting;
  waiting = undefined;
  return code;
}

/** Calls listener when a code comes, until the returned function is called. */
export function onCode(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
