import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import type { SignedIn } from "./session";

const slipway = vi.hoisted(() => vi.fn<(operation: string, input: object) => Promise<unknown>>());
const call = vi.hoisted(() => vi.fn<(operation: string, input: object) => Promise<unknown>>());
vi.mock("../api/slipway", () => ({ slipway, call }));

/** A channel between tabs, as far as one of them sees it. */
class Channel extends EventTarget {
  static readonly all: Channel[] = [];
  readonly sent: unknown[] = [];
  constructor() {
    super();
    Channel.all.push(this);
  }
  postMessage(message: unknown) {
    this.sent.push(message);
  }
  hear(data: unknown) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

const now = 1_800_000_000_000;

function signedIn(secondsLeft: number, id = "one", accessKeyId = "ASIA1"): SignedIn {
  const expiration = now / 1000 + secondsLeft;
  return {
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey: "s", sessionToken: "t", expiration },
    session: { id, user: "owner", origin: "LINK", created: 1, expires: expiration, ends: now / 1000 + 40_000 },
  };
}

async function loaded() {
  vi.resetModules();
  const keys = await import("./keys");
  const session = await import("./session");
  const channel = Channel.all.at(-1);
  if (channel === undefined) throw new Error("there is no channel");
  return { ...keys, ...session, channel };
}

let visible: DocumentVisibilityState = "visible";
beforeEach(() => {
  vi.useFakeTimers({ now });
  vi.stubGlobal("BroadcastChannel", Channel);
  visible = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visible);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  slipway.mockReset();
  call.mockReset();
  sessionStorage.clear();
});

describe("keys", () => {
  test("are renewed once half their time is over, and other tabs get them", async () => {
    const { keepSession, setSession, currentSession, channel } = await loaded();
    const next = signedIn(3600 + 1800, "one", "ASIA2");
    slipway.mockResolvedValue({ credentials: next.credentials, session: next.session });
    setSession(signedIn(3600));
    keepSession();
    await vi.advanceTimersByTimeAsync(29 * 60_000);
    expect(slipway).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(slipway).toHaveBeenCalledExactlyOnceWith("RenewSession", {});
    expect(currentSession()?.credentials.accessKeyId).toBe("ASIA2");
    expect(channel.sent).toContainEqual({ type: "session", session: currentSession() });
  });
  test("of a console that nobody looks at are not", async () => {
    const { renewIfDue, setSession } = await loaded();
    setSession(signedIn(60));
    visible = "hidden";
    await renewIfDue();
    expect(slipway).not.toHaveBeenCalled();
  });
  test("stay when the server is away, and the session ends when it knows them no more", async () => {
    const { renewIfDue, setSession, currentSession, sessionIsOver } = await loaded();
    setSession(signedIn(60));
    slipway.mockRejectedValueOnce(new Problem("Unreachable", "away"));
    await renewIfDue();
    expect(currentSession()).toBeDefined();
    slipway.mockRejectedValueOnce(new Problem("ExpiredTokenException", "over"));
    await renewIfDue();
    expect(currentSession()).toBeUndefined();
    expect(sessionIsOver()).toBe(true);
  });
  test("that come when somebody else has signed in are not taken", async () => {
    const { renewIfDue, setSession, currentSession } = await loaded();
    setSession(signedIn(60));
    slipway.mockImplementation(() => {
      setSession(signedIn(3600, "two"));
      const late = signedIn(3600);
      return Promise.resolve({ credentials: late.credentials, session: late.session });
    });
    await renewIfDue();
    expect(currentSession()?.session.id).toBe("two");
  });
});

describe("tabs", () => {
  test("ask each other for a session, and answer", async () => {
    const { keepSession, currentSession, setSession, channel } = await loaded();
    keepSession();
    expect(channel.sent).toEqual([{ type: "ask" }]);
    channel.hear({ type: "session", session: signedIn(3600) });
    expect(currentSession()?.session.id).toBe("one");
    channel.hear({ type: "session", session: signedIn(3600, "two") });
    expect(currentSession()?.session.id).toBe("one");
    channel.hear({ type: "ask" });
    expect(channel.sent.at(-1)).toEqual({ type: "session", session: currentSession() });
    setSession(undefined);
    channel.hear({ type: "ask" });
    expect(channel.sent).toHaveLength(2);
  });
  test("sign out together", async () => {
    const { keepSession, currentSession, setSession, sessionIsOver, channel } = await loaded();
    setSession(signedIn(3600));
    keepSession();
    channel.hear({ type: "out" });
    expect(currentSession()).toBeUndefined();
    expect(sessionIsOver()).toBe(false);
  });
});

test("signing out works here and in other tabs even if the server is away", async () => {
  const { signOut, setSession, currentSession, channel } = await loaded();
  setSession(signedIn(3600));
  slipway.mockRejectedValue(new Problem("Unreachable", "away"));
  await signOut();
  expect(currentSession()).toBeUndefined();
  expect(channel.sent).toContainEqual({ type: "out" });
});

test("an access key is used once and not kept", async () => {
  const { signInWithKey, currentSession } = await loaded();
  const got = signedIn(3600);
  call.mockImplementation((operation) => Promise.resolve(operation === "CreateSession" ? { credentials: got.credentials, session: got.session } : { region: "eu-west-1" }));
  await signInWithKey("AKIAOWNER", "long-lived");
  expect(currentSession()).toMatchObject({ region: "eu-west-1", session: { id: "one" } });
  expect(JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])).not.toContain("long-lived");
});
