import { describe, expect, test } from "vitest";
import { fileName, textOf, whole } from "./download";
import { occurrences, pieces } from "./highlight";
import { MemoryLog } from "./memory";
import { reason } from "./NoLines";
import { grouped, placeOf } from "./phases";
import { stamp } from "./stamps";

const E = "\u001b";

describe("highlights", () => {
  test("are found in any case, unless it matters", () => {
    expect(occurrences("Error: an ERROR", "error", false)).toEqual([0, 10]);
    expect(occurrences("Error: an ERROR", "ERROR", true)).toEqual([10]);
    expect(occurrences("aaaa", "aa", false)).toEqual([0, 2]);
    expect(occurrences("x", "", false)).toEqual([]);
  });
  test("do not slip where lower case has another length", () => expect(occurrences("İİ error", "error", false)).toEqual([3]));
  test("cut spans", () => {
    const cut = pieces([{ text: "foo", style: { fg: 1 } }, { text: "bar", style: {} }], [1], 4);
    expect(cut.map((p) => [p.text, p.hit])).toEqual([["f", false], ["oo", true], ["ba", true], ["r", false]]);
    expect(pieces([{ text: "abab", style: {} }], [0, 2], 2).map((p) => p.text)).toEqual(["ab", "ab"]);
  });
});

describe("phases", () => {
  const mark = (kind: "PHASE" | "COMMAND", line: number) => ({ kind, line, text: `${kind} ${line}` });
  const marks = [mark("PHASE", 3), mark("COMMAND", 4), mark("COMMAND", 9), mark("PHASE", 20)];
  test.each([
    [1, undefined, undefined],
    [3, 3, undefined],
    [8, 3, 4],
    [9, 3, 9],
    [25, 20, undefined],
  ])("line %d is in the phase of line %s and the command of line %s", (line, phase, command) => {
    const place = placeOf(marks, line);
    expect([place.phase?.line, place.command?.line]).toEqual([phase, command]);
  });
  test("have their commands", () => expect(grouped(marks).map((g) => [g.phase?.line, g.commands.length])).toEqual([[3, 2], [20, 0]]));
});

describe("download", () => {
  const log = new MemoryLog([`${E}[31mred${E}[0m`, "two", "three"]);
  log.page = 2;
  const options = { signal: new AbortController().signal, progress: () => {} };
  test("has every line, as written or as shown", async () => {
    expect((await whole(log, { ...options, colours: true })).size).toBe("\u001b[31mred\u001b[0m\ntwo\nthree\n".length);
    expect((await whole(log, { ...options, colours: false })).size).toBe("red\ntwo\nthree\n".length);
  });
  test("can be cancelled", async () => {
    const run = new AbortController();
    await expect(whole(log, { colours: true, signal: run.signal, progress: () => run.abort() })).rejects.toThrow();
  });
  test("copies some lines as shown", async () => expect(await textOf(log, 1, 3)).toBe("red\ntwo\nthree\n"));
  test("has a name of its own", () => {
    expect(fileName("demo:1234", 7)).toBe("demo-7.log");
    expect(fileName("demo:1234", undefined)).toBe("demo-1234.log");
    expect(fileName("../x:y", 1)).not.toContain("/");
  });
});

describe("stamp", () => {
  test.each([
    [1000, 1000, "+0:00.0"],
    [62_345, 0, "+1:02.3"],
    [3_723_000, 0, "+1:02:03.0"],
    [59_990, 0, "+0:59.9"],
    [0, 1000, "+0:00.0"],
  ])("%d after %d is %s", (time, begun, want) => expect(stamp(time, begun, "relative")).toBe(want));
  test("a line without a time has none", () => expect(stamp(undefined, 0, "absolute")).toBe(""));
});

describe("a log without lines", () => {
  test.each([
    [{ buildComplete: false, currentPhase: "QUEUED" }, "The build waits for its turn"],
    [{ buildComplete: false, currentPhase: "BUILD" }, "The build has not written anything yet"],
    [{ buildComplete: true, logs: { cloudWatchLogs: { status: "DISABLED" as const } } }, "This build keeps no log"],
    [{ buildComplete: true }, "The build wrote nothing"],
    [null, "There is no such build"],
  ])("of %j says why", (build, want) => expect(reason(build, false)[0]).toBe(want));
  test("that is gone says so", () => expect(reason({ buildComplete: true }, true)[0]).toBe("The log is gone"));
});
