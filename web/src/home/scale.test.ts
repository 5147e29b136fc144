import { expect, test } from "vitest";
import { scale } from "./scale";

test.each([
  [0, "counts", [0, 1]],
  [1, "counts", [0, 1]],
  [5, "counts", [0, 1, 2, 3, 4, 5]],
  [6, "counts", [0, 2, 4, 6]],
  [51, "counts", [0, 20, 40, 60]],
  [1200, "counts", [0, 500, 1000, 1500]],
  [0.4, "seconds", [0, 1]],
  [200, "seconds", [0, 60, 120, 180, 240]],
  [4000, "seconds", [0, 900, 1800, 2700, 3600, 4500]],
  [86_400 * 12, "seconds", [0, 432_000, 864_000, 1_296_000]],
] as const)("at most %d %s", (most, of, want) => expect(scale(most, of)).toEqual(want));
