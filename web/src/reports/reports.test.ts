import { describe, expect, test } from "vitest";
import { buildOf, failingFirst, groupName, groupOfReport, linesOf, passRate, percent, summary } from "./reports";

const report = "arn:aws:codebuild:us-east-1:000000000000:report/shop-unit:0b1f6c9e";
const group = "arn:aws:codebuild:us-east-1:000000000000:report-group/shop-unit";

test("ARNs have names", () => {
  expect(groupName(report)).toBe("shop-unit");
  expect(groupName(group)).toBe("shop-unit");
  expect(groupOfReport(report)).toBe(group);
});

test("failing cases come first, others stay in their order", () => {
  const cases = [{ name: "a", status: "SUCCEEDED" }, { name: "b", status: "SKIPPED" }, { name: "c", status: "ERROR" }, { name: "d", status: "FAILED" }, { name: "e", status: "SUCCEEDED" }];
  expect(failingFirst(cases).map((c) => c.name).join("")).toBe("dcbae");
});

describe("a report in one line", () => {
  test.each([
    [{ testSummary: { total: 5, statusCounts: { SUCCEEDED: 3, FAILED: 2 }, durationInNanoSeconds: 1 } }, "2 failed, 3 succeeded"],
    [{ testSummary: { total: 0, statusCounts: {}, durationInNanoSeconds: 0 } }, "No test cases"],
    [{ codeCoverageSummary: { lineCoveragePercentage: 81.25 } }, "81.3 % of lines covered"],
    [{}, "–"],
  ])("%#", (r, want) => expect(summary(r)).toBe(want));
});

test("figures", () => {
  expect(passRate({ testSummary: { total: 4, statusCounts: { SUCCEEDED: 3 }, durationInNanoSeconds: 1 } })).toBe(75);
  expect(passRate({})).toBeUndefined();
  expect(percent(80)).toBe("80 %");
  expect(linesOf({ linesCovered: 3, linesMissed: 1 })).toBe("3 of 4");
});

test("the build of a report", () => {
  expect(buildOf({ executionId: "arn:aws:codebuild:us-east-1:000000000000:build/shop:0b1f" })).toBe("shop:0b1f");
  expect(buildOf({})).toBeUndefined();
});
