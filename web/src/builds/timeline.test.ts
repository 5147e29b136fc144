import { describe, expect, test } from "vitest";
import { bars } from "./timeline";

const at = (seconds: number) => new Date(seconds * 1000);

describe("bars of phases", () => {
  test("lie where the phases were within the whole", () => {
    const phases = [
      { phaseType: "QUEUED" as const, startTime: at(100), endTime: at(110) },
      { phaseType: "BUILD" as const, startTime: at(110), endTime: at(140) },
      { phaseType: "COMPLETED" as const, startTime: at(140) },
    ];
    expect(bars(phases, 0)).toEqual([{ left: 0, width: 25 }, { left: 25, width: 75 }, undefined]);
  });

  test("a phase that runs reaches to now", () => {
    const phases = [
      { phaseType: "QUEUED" as const, startTime: at(0), endTime: at(5) },
      { phaseType: "BUILD" as const, startTime: at(5) },
    ];
    expect(bars(phases, 10_000)).toEqual([
      { left: 0, width: 50 },
      { left: 50, width: 50 },
    ]);
  });

  test("a short phase is seen, and stays within", () => {
    const [, last] = bars(
      [
        { phaseType: "BUILD", startTime: at(0), endTime: at(1000) },
        { phaseType: "FINALIZING", startTime: at(1000), endTime: at(1000) },
      ],
      0,
    );
    expect(last).toEqual({ left: 99.4, width: 0.6 });
  });

  test("no phase, none begun, none that takes time", () => {
    expect(bars([], 0)).toEqual([]);
    expect(bars([{ phaseType: "SUBMITTED" }], 0)).toEqual([undefined]);
    expect(bars([{ phaseType: "SUBMITTED", startTime: at(7), endTime: at(7) }], 0)).toEqual([{ left: 0, width: 0.6 }]);
  });
});
