import { describe, expect, test } from "vitest";
import { ago, duration, full, shortDay } from "./time";

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

describe("what Intl would say", () => {
  const now = Date.UTC(2026, 10, 27, 11, 12, 13);
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
  const short = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
  test.each([
    ["second", 1, 59],
    ["minute", 60, 59],
    ["hour", 3600, 23],
    ["day", 86400, 6],
    ["week", 7 * 86400, 4],
    ["month", 30 * 86400, 12],
    ["year", 365 * 86400, 20],
  ] as const)("of every count of %ss", (unit, size, most) => {
    for (let n = unit === "second" ? 10 : 1; n <= most; n++) {
      expect(ago(now / 1000 + n * size, now)).toBe(relative.format(n, unit));
      expect(ago(now / 1000 - n * size, now)).toBe(relative.format(-n, unit));
    }
  });
  test("of moments all through the year and the day", () => {
    for (let i = 0; i < 400; i++) {
      const at = now + i * 86_461_000 * 1.07;
      expect(full(at / 1000)).toBe(absolute.format(at).replace("\u202f", " "));
      expect(shortDay(new Date(at).toISOString().slice(0, 10))).toBe(short.format(at));
    }
  });
});
