import { expect, test } from "vitest";
import { everyDay, percent, successRate } from "./statistics";

test("a rate counts what ended by itself", () => {
  expect(successRate({ succeeded: 3, failed: 1 })).toBe(0.75);
  expect(successRate({})).toBeUndefined();
});

test("one failure in many is not perfection", () => {
  expect(percent(0.999)).toBe("99 %");
  expect(percent(1)).toBe("100 %");
  expect(percent(undefined)).toBe("–");
});

test("days without builds have their place", () => {
  const now = Date.UTC(2026, 10, 27, 1);
  expect(everyDay([{ day: "2026-11-26", succeeded: 2 }], 3, now)).toEqual([{ day: "2026-11-25" }, { day: "2026-11-26", succeeded: 2 }, { day: "2026-11-27" }]);
});
