import { beforeEach, describe, expect, test, vi } from "vitest";
import type { SignedIn } from "./session";

const key = "slipway.session";
const session: SignedIn = {
  region: "us-east-1",
  credentials: { accessKeyId: "ASIA1", secretAccessKey: "s", sessionToken: "t", expiration: 4e9 },
  session: { id: "one", user: "owner", origin: "LINK", created: 1, expires: 4e9, ends: 4e9 },
};

/** The module as a page that is loaded finds it. */
async function loaded() {
  vi.resetModules();
  return await import("./session");
}

beforeEach(() => sessionStorage.clear());

describe("what a tab kept", () => {
  test("is the session after a reload", async () => {
    sessionStorage.setItem(key, JSON.stringify(session));
    expect((await loaded()).currentSession()).toEqual(session);
  });
  test("is dropped once its keys have expired", async () => {
    sessionStorage.setItem(key, JSON.stringify({ ...session, credentials: { ...session.credentials, expiration: 1 } }));
    expect((await loaded()).currentSession()).toBeUndefined();
    expect(sessionStorage.getItem(key)).toBeNull();
  });
  test.each(["{", "null", "[]", "7", "{}"])("is dropped if it is broken: %s", async (text) => {
    sessionStorage.setItem(key, text);
    expect((await loaded()).currentSession()).toBeUndefined();
    expect(sessionStorage.getItem(key)).toBeNull();
  });
});

test("who listens hears of each change until they stop", async () => {
  const { setSession, subscribe } = await loaded();
  const heard = vi.fn();
  const stop = subscribe(heard);
  setSession(session);
  setSession(undefined);
  stop();
  setSession(session);
  expect(heard).toHaveBeenCalledTimes(2);
});

test("a session that ended by itself is told from one that was left", async () => {
  const { setSession, endSession, sessionIsOver, currentSession } = await loaded();
  setSession(session);
  endSession();
  expect(currentSession()).toBeUndefined();
  expect(sessionStorage.getItem(key)).toBeNull();
  expect(sessionIsOver()).toBe(true);
  endSession(); // a second request is refused, too
  expect(sessionIsOver()).toBe(true);
  setSession(session);
  setSession(undefined);
  expect(sessionIsOver()).toBe(false);
});
