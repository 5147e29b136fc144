import { describe, expect, test } from "vitest";
import { lines, pieces, pretty, size } from "./payload";

describe("a payload of 8 MiB", () => {
  const commit = { id: "0".repeat(40), message: "Season the soup" };
  const text = JSON.stringify({ commits: Array.from({ length: 100_000 }, () => commit) });
  test("is laid out in pieces that are all of it", () => {
    const full = pretty(text);
    const all = pieces(full);
    expect(full.length).toBeGreaterThan(8 << 20);
    expect(all.join("")).toBe(full);
    expect(Math.max(...all.map((p) => p.length))).toBeLessThanOrEqual(20_000);
    expect(all.slice(0, -1).every((p) => p.endsWith("\n"))).toBe(true);
  });
  test("of one line is cut where it must be", () => expect(pieces("x".repeat(8 << 20)).join("")).toHaveLength(8 << 20));
});

test("what is no JSON stays as it is", () => expect(pretty("payload=%7B%7D")).toBe("payload=%7B%7D"));
test("lines of a piece", () => expect([lines("a\nb\n"), lines("a\nb"), lines("a")]).toEqual([2, 2, 1]));
test("sizes are for people", () => expect([size(9), size(8800), size(8 << 20)]).toEqual(["9 characters", "8.8 KB", "8.4 MB"]));
