import { describe, expect, test } from "vitest";
import { centred, layout, revealed, rowHeight, scrolled, topOf, visible } from "./geometry";

const small = layout(1000, 600);
const big = layout(10_000_000, 600);

describe("layout", () => {
  test("a log that fits a browser scrolls one to one", () => {
    expect(small.height).toBe(20_000);
    expect(topOf(small, 777)).toBe(777);
    expect(scrolled(small, 0, 0, 777)).toBe(777);
  });
  test("a log that does not is no higher than a browser takes", () => {
    expect(big.height).toBe(15_000_000);
    expect(big.maxOffset).toBe(10_000_000 * rowHeight - 600);
  });
  test("a log shorter than what is seen does not scroll", () => expect(layout(3, 600)).toMatchObject({ maxOffset: 0, maxTop: 0 }));
});

describe("scaled scrolling", () => {
  test("the ends are the ends", () => {
    expect(scrolled(big, 5000, 400, 0)).toBe(0);
    expect(scrolled(big, 5000, 400, big.maxTop)).toBe(big.maxOffset);
    expect(topOf(big, big.maxOffset)).toBe(big.maxTop);
  });
  test("a wheel moves by what it says", () => expect(scrolled(big, 5000, 375, 475)).toBe(5100));
  test("dragging goes to the part of the log", () => {
    const to = scrolled(big, 0, 0, big.maxTop / 2);
    expect(to).toBeCloseTo(big.maxOffset / 2, 0);
    expect(topOf(big, to)).toBeCloseTo(big.maxTop / 2, 0);
  });
  test("every line can be reached by steps", () => {
    let offset = 0;
    let top = 0;
    for (let i = 0; i < 1000; i++) {
      const next = top + 100;
      offset = scrolled(big, offset, top, next);
      top = topOf(big, offset); // the scrollbar came to rest
    }
    expect(offset).toBe(100_000);
  });
  test("no move leaves the log", () => {
    for (const top of [-50, 0, 1, 1e6, 15e6, 99e6]) {
      const offset = scrolled(big, big.maxOffset - 3, big.maxTop - 2, top);
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThanOrEqual(big.maxOffset);
    }
  });
});

describe("visible", () => {
  test.each([
    [0, 1, 30],
    [10, 1, 31],
    [20, 2, 31],
    [19_400, 971, 1000],
  ])("an offset of %d shows %d to %d", (offset, first, last) => expect(visible(small, offset)).toEqual({ first, last }));
  test("an empty log shows none", () => {
    const { first, last } = visible(layout(0, 600), 0);
    expect(first).toBeGreaterThan(last);
  });
});

test("a line is centred unless an end is near", () => {
  expect(centred(small, 500)).toBe(9690);
  expect(centred(small, 1)).toBe(0);
  expect(centred(small, 1000)).toBe(small.maxOffset);
});

test("a line in sight needs no move", () => {
  expect(revealed(small, 100, 10)).toBe(100);
  expect(revealed(small, 100, 2)).toBe(20);
  expect(revealed(small, 0, 31)).toBe(20);
});
