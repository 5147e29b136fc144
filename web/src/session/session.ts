import type { Session, SessionCredentials } from "../api/slipway.gen";

/** Short-lived keys and whose they are. Keys live in memory and in this tab's session storage, nowhere else. */
export interface SignedIn {
  readonly credentials: SessionCredentials;
  readonly session: Session;
  /** The region that requests are signed for. */
  readonly region: string;
}

const storageKey = "slipway.session";
let current: SignedIn | undefined = load();
let over = false;
const listeners = new Set<() => void>();

function load(): SignedIn | undefined {
  const text = sessionStorage.getItem(storageKey);
  if (text === null) return undefined;
  try {
    const kept = JSON.parse(text) as SignedIn; // nobody but this page writes it
    if (!expired(kept)) return kept;
  } catch {
    // It is of no use.
  }
  sessionStorage.removeItem(storageKey);
  return undefined;
}

function expired(s: SignedIn): boolean {
  return s.credentials.expiration !== undefined && s.credentials.expiration * 1000 <= Date.now();
}

/** The session of this tab, or undefined if nobody is signed in. */
export function currentSession(): SignedIn | undefined {
  return current;
}

/** Whether the last session ended by itself, not because somebody signed out. */
export function sessionIsOver(): boolean {
  return over;
}

/** Drops a session that the server does not know any more. */
export function endSession(): void {
  over = current !== undefined || over;
  change(undefined);
}

/** Takes a session, or drops it with undefined, and tells who listens. */
export function setSession(next: SignedIn | undefined): void {
  over = false;
  change(next);
}

function change(next: SignedIn | undefined): void {
  current = next;
  if (next === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, JSON.stringify(next));
  for (const listener of listeners) listener();
}

/** Calls listener after each change of the session, until the returned function is called. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
