import { useSyncExternalStore } from "react";
import { currentSession, subscribe, type SignedIn } from "./session";

/** The session of this tab; the component is rendered anew when it changes. */
export function useSession(): SignedIn | undefined {
  return useSyncExternalStore(subscribe, currentSession);
}
