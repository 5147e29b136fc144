import { describe, expect, test } from "vitest";
import { chunkLines, chunkOf, Chunks, startOf } from "./chunks";

const lines = (start: number, count: number) => Array.from({ length: count }, (_, i) => `line ${start + i}`);

describe("Chunks", () => {
  test("lines are where they belong", () => {
    const c = new Chunks();
    c.put(1, lines(1, 1200), []);
    expect(c.line(1)?.text).toBe("line 1");
    expect(c.line(500)?.text).toBe("line 500");
    expect(c.line(501)?.text).toBe("line 501");
    expect(c.line(1200)?.text).toBe("line 1200");
    expect(c.line(1201)).toBeUndefined();
    expect(c.held(2)).toBe(200);
  });
  test("a chunk grows at its end only", () => {
    const c = new Chunks();
    c.put(1, lines(1, 10), [7]);
    c.put(5, lines(5, 10), []);
    c.put(100, lines(100, 10), []);
    expect(c.held(0)).toBe(14);
    expect(c.line(1)).toEqual({ text: "line 1", time: 7 });
    expect(c.line(14)?.text).toBe("line 14");
    expect(c.line(100)).toBeUndefined();
  });
  test("the longest unused go first", () => {
    const c = new Chunks(3);
    for (const n of [0, 1, 2]) c.put(startOf(n), lines(startOf(n), chunkLines), []);
    c.touch(0);
    c.put(startOf(3), lines(startOf(3), chunkLines), []);
    expect([0, 1, 2, 3].map((n) => c.held(n) > 0)).toEqual([true, false, true, true]);
  });
  test("long lines count for more", () => {
    const c = new Chunks(200, 100_000);
    for (let n = 0; n < 5; n++) c.put(startOf(n), ["x".repeat(40_000)], []);
    expect([0, 1, 2, 3, 4].map((n) => c.held(n))).toEqual([0, 0, 0, 1, 1]);
  });
});

test("chunks and lines", () => {
  expect([1, 500, 501].map(chunkOf)).toEqual([0, 0, 1]);
  expect(startOf(1)).toBe(501);
});
