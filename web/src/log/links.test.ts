import { describe, expect, test } from "vitest";
import { extended, formatRange, parseRange } from "./links";

describe("parseRange", () => {
  test.each([
    ["12", { from: 12, to: 12 }],
    ["12-20", { from: 12, to: 20 }],
    ["20-12", { from: 12, to: 20 }],
    ["0", undefined],
    ["0-5", undefined],
    ["", undefined],
    [null, undefined],
    ["x", undefined],
    ["-3", undefined],
    ["1e5", undefined],
    ["9999999999999", undefined],
  ])("%j is %j", (text, want) => expect(parseRange(text)).toEqual(want));
});

test("what is written is read back", () => {
  for (const range of [{ from: 3, to: 3 }, { from: 3, to: 9 }]) expect(parseRange(formatRange(range))).toEqual(range);
});

test.each([
  [undefined, 5, "5"],
  [{ from: 3, to: 3 }, 5, "3-5"],
  [{ from: 3, to: 9 }, 5, "3-5"],
  [{ from: 3, to: 9 }, 1, "1-9"],
])("shift and a click on %j at %d select %s", (range, line, want) => expect(formatRange(extended(range, line))).toBe(want));
