import { call, slipway } from "../api/slipway";
import { Problem } from "../api/problem";
import type { SessionCredentials, SignInOutput } from "../api/slipway.gen";
import { currentSession, endSession, setSession, type SignedIn } from "./session";

/** Any region does for questions about the server; it answers with its own. */
const anyRegion = "us-east-1";

async function take({ credentials, session }: SignInOutput): Promise<void> {
  if (credentials === undefined || session === undefined) throw new Problem("Error", "The server gave no keys.");
  const { region } = await call("DescribeServer", {}, { credentials, region: anyRegion });
  setSession({ credentials, session, region: region ?? anyRegion });
}

/** Signs in with the code of a one-time link. */
export async function signInWithCode(code: string): Promise<void> {
  await take(await call("SignIn", { code }, { region: anyRegion }));
}

/** Signs in with an access key, which is used once and not kept. */
export async function signInWithKey(accessKeyId: string, secretAccessKey: string): Promise<void> {
  await take(await call("CreateSession", {}, { credentials: { accessKeyId, secretAccessKey }, region: anyRegion }));
}

/** Ends the session at the server and here; here also if the server does not answer. */
export async function signOut(): Promise<void> {
  try {
    await slipway("RevokeSession", {});
  } catch {
    // Its keys are of no use to anybody: they are forgotten here, and expire there.
  } finally {
    setSession(undefined);
    tell({ type: "out" });
  }
}

/** What tabs of this browser tell each other, so that a link opened in a new one needs no new sign-in. */
type Message = { readonly type: "ask" } | { readonly type: "out" } | { readonly type: "session"; readonly session: SignedIn };

const channel = "BroadcastChannel" in window ? new BroadcastChannel("slipway.session") : undefined;

function tell(message: Message): void {
  channel?.postMessage(message);
}

/** Shares the session between tabs and renews its keys while the console is in use. */
export function keepSession(): void {
  channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    const mine = currentSession();
    if (data.type === "ask" && mine !== undefined) tell({ type: "session", session: mine });
    if (data.type === "session" && (mine === undefined || mine.session.id === data.session.session.id)) setSession(data.session);
    if (data.type === "out") setSession(undefined);
  });
  if (currentSession() === undefined) tell({ type: "ask" });
  setInterval(() => void renewIfDue(), 30_000);
  document.addEventListener("visibilitychange", () => void renewIfDue());
}

/** Renews keys whose time is half over, if the console is being looked at. */
export async function renewIfDue(now = Date.now()): Promise<void> {
  const mine = currentSession();
  if (mine === undefined || document.visibilityState !== "visible" || !halfOver(mine.credentials, now)) return;
  try {
    const { credentials, session } = await slipway("RenewSession", {});
    if (credentials === undefined || session === undefined || currentSession()?.session.id !== session.id) return;
    const next = { ...mine, credentials, session };
    setSession(next);
    tell({ type: "session", session: next });
  } catch (e) {
    if (Problem.of(e).signedOut) endSession(); // all else is tried again in a while
  }
}

const lifetime = 3600_000;

function halfOver({ expiration }: SessionCredentials, now: number): boolean {
  return expiration !== undefined && expiration * 1000 - now < lifetime / 2;
}
