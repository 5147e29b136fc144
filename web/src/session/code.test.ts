import { afterEach, beforeEach, expect, test, vi } from "vitest";

let listening: AbortController; // each test has a module of its own, which must not hear of the next one's codes
const add = window.addEventListener.bind(window);

beforeEach(() => {
  vi.resetModules();
  listening = new AbortController();
  vi.spyOn(window, "addEventListener").mockImplementation((type: string, listener: EventListenerOrEventListenerObject) => {
    add(type, listener, { signal: listening.signal });
  });
  sessionStorage.clear();
  history.replaceState({ kept: true }, "", "/console/builds?text=a");
});
afterEach(() => {
  listening.abort();
  vi.restoreAllMocks();
  history.replaceState(null, "", "/");
});

const link = (code: string) => history.replaceState(history.state, "", `#code=${code}`);
const came = () => window.dispatchEvent(new HashChangeEvent("hashchange"));

test("a code leaves the address at once, and is given out once", async () => {
  link("abc");
  const { codeWaits, takeCode } = await import("./code");
  expect(window.location.href).toMatch(/\/console\/builds\?text=a$/);
  expect(history.state).toEqual({ kept: true });
  expect(codeWaits()).toBe(true);
  expect(takeCode()).toBe("abc");
  expect(takeCode()).toBeUndefined();
  expect(codeWaits()).toBe(false);
});

test("a link that is opened in a page that is open signs in, too", async () => {
  const { onCode, takeCode } = await import("./code");
  const codes: (string | undefined)[] = [];
  const stop = onCode(() => codes.push(takeCode()));
  link("abc");
  came();
  expect(window.location.hash).toBe("");
  stop();
  link("def");
  came();
  expect(codes).toEqual(["abc"]);
  expect(takeCode()).toBe("def");
});

test("whoever is signed in keeps no code for later", async () => {
  const { setSession } = await import("./session");
  setSession({ credentials: { accessKeyId: "ASIA", secretAccessKey: "s", sessionToken: "t", expiration: 4e9 }, session: { id: "a", user: "alice", origin: "LINK" }, region: "us-east-1" });
  link("abc");
  const { codeWaits } = await import("./code");
  expect(window.location.hash).toBe("");
  expect(codeWaits()).toBe(false);
  link("def");
  came();
  expect(window.location.hash).toBe("");
  expect(codeWaits()).toBe(false);
});
