import { describe, expect, test, vi } from "vitest";
import { MemoryLog } from "./memory";
import { markers, Search, step } from "./search";

const query = (text: string, more = {}) => ({ text, matchCase: false, regularExpression: false, ...more });
const log = () => new MemoryLog(Array.from({ length: 5000 }, (_, i) => (i % 1000 === 0 ? `Error ${i}` : `ok ${i}`)), false);

/** Waits until a search is at rest. */
async function done(search: Search) {
  await vi.waitFor(() => expect(search.get().busy).toBe(false));
  return search.get();
}

describe("Search", () => {
  test("goes through the whole log", async () => {
    const search = new Search(log());
    const parts: number[] = [];
    search.subscribe(() => parts.push(search.get().part));
    search.start(query("error"));
    expect(search.get().busy).toBe(true);
    expect(await done(search)).toMatchObject({ matches: [1, 1001, 2001, 3001, 4001], part: 1, more: false, problem: undefined });
    expect(parts).toContain(0.2);
    expect(search.has(1001)).toBe(true);
    expect(search.has(1002)).toBe(false);
  });
  test("heeds case", async () => {
    const search = new Search(log());
    search.start(query("error", { matchCase: true }));
    expect((await done(search)).matches).toEqual([]);
  });
  test("goes on when lines are added", async () => {
    const memory = log();
    const search = new Search(memory);
    search.start(query("error"));
    await done(search);
    memory.messages.push("one more error");
    search.grow(memory.messages.length);
    expect((await done(search)).matches.at(-1)).toBe(5001);
  });
  test("the server's message about an expression is kept", async () => {
    const search = new Search(log());
    search.start(query("(", { regularExpression: true }));
    expect((await done(search)).problem?.message).toContain("missing closing )");
  });
  test("another search ends the one before", async () => {
    const memory = log();
    let open = () => {};
    memory.gate = () => new Promise<void>((resolve) => (open = resolve));
    const search = new Search(memory);
    search.start(query("error"));
    const first = open;
    memory.gate = undefined;
    search.start(query("ok 17"));
    first();
    expect((await done(search)).matches).toContain(18);
    expect(search.has(1)).toBe(false);
  });
  test("keeps no more matches than it may", async () => {
    const search = new Search(log(), 100);
    search.start(query("ok"));
    const state = await done(search);
    expect(state.matches).toHaveLength(100);
    expect(state.more).toBe(true);
  });
});

describe("step", () => {
  const matches = [5, 10, 15];
  test.each([
    [0, true, 0],
    [5, true, 1],
    [7, true, 1],
    [15, true, 0],
    [5, false, 2],
    [7, false, 0],
    [99, false, 2],
  ])("from line %d, forward %s, is number %d", (line, forward, want) => expect(step(matches, line, forward)).toBe(want));
  test("no match is none", () => expect(step([], 1, true)).toBeUndefined());
});

test("markers are few, however many matches", () => {
  const all = Array.from({ length: 100_000 }, (_, i) => i + 1);
  expect(markers(all, 100_000, 200)).toHaveLength(200);
  expect(markers([1, 2, 100_000], 100_000, 200)).toEqual([0, 0.995]);
  expect(markers([1, 3], 3, 200)).toHaveLength(2);
});
