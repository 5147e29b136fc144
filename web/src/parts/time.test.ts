import { describe, expect, test } from "vitest";
import { ago, duration } from "./time";

describe("duration", () => {
  test.each([
    [0, "0 s"],
    [0.44, "0.4 s"],
    [9.96, "10.0 s"],
    [42.4, "42 s"],
    [59.6, "1 min 00 s"],
    [185, "3 min 05 s"],
    [7800, "2 h 10 min"],
    [-3, "0 s"],
  ])("%d seconds are %s", (seconds, want) => expect(duration(seconds)).toBe(want));
});

describe("ago", () => {
  const now = Date.UTC(2026, 10, 27);
  test.each([
    [0, "now"],
    [-30, "30 seconds ago"],
    [-61, "1 minute ago"],
    [-86400, "yesterday"],
    [86400 * 3, "in 3 days"],
    [-86400 * 400, "last year"],
  ])("%d seconds from now are %s", (seconds, want) => expect(ago(now / 1000 + seconds, now)).toBe(want));
});
