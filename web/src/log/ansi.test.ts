import { describe, expect, test } from "vitest";
import { parse, plain, type Style } from "./ansi";

const E = "\u001b";

/** The line as pairs of text and style. */
function shown(line: string): [string, Style][] {
  return parse(line).map((s) => [s.text, s.style]);
}

describe("text", () => {
  test.each([
    ["", ""],
    ["plain", "plain"],
    ["a\tb", "a\tb"],
    [" 10 %\r 50 %\r100 %", "100 %"],
    ["downloading\rdone", "doneloading"],
    [`downloading\r${E}[Kdone`, "done"],
    [`${E}[2K\rdone`, "done"],
    [`abc${E}[2Kdef`, "   def"],
    ["abc\b\bX", "aXc"],
    ["done\r", "done"],
    [`a${E}[3Cb`, "a   b"],
    [`abc${E}[2Gx`, "axc"],
    [`abcdef${E}[3D${E}[1K!`, "   !ef"],
    ["ab\tc\rX", "Xb\tc"],
    ["abc\r\tX", "abc     X"],
    ["🎉🎉\rX", "X🎉"],
    ["e\u0301x\ra", "ax"],
    [`${E}]0;title\u0007text`, "text"],
    [`${E}]8;;https://example.com${E}\\link${E}]8;;${E}\\`, "link"],
    [`${E}]0;no end of it`, "0;no end of it"],
    [`${E}P1$r0m${E}\\x`, "x"],
    [`${E}(Bx${E}7y${E}8z`, "xyz"],
    [`a${E}`, "a"],
    [`a${E}[`, "a"],
    [`a${E}[31`, "a"],
    [`a${E}[31é`, "aé"],
    [`${E}[?25lx${E}[?25h`, "x"],
    [`${E}[2J${E}[Hx`, "x"],
    ["a\u0000\u0007\u007fb", "ab"],
    ["\u009b31mx\u009b0m", "x"],
    [`x${E}[999999999Cy`, "x" + " ".repeat(20_000) + "y"],
  ])("%j shows %j", (line, want) => expect(plain(line)).toBe(want));
});

describe("styles", () => {
  test.each<[string, [string, Style][]]>([
    [`${E}[31mred${E}[0m not`, [["red", { fg: 1 }], [" not", {}]]],
    [`${E}[1;92mok${E}[22m.${E}[39m.`, [["ok", { bold: true, fg: 10 }], [".", { fg: 10 }], [".", {}]]],
    [`${E}[38;5;196mx`, [["x", { fg: "#ff0000" }]]],
    [`${E}[38;5;244mx`, [["x", { fg: "#808080" }]]],
    [`${E}[48;5;4mx`, [["x", { bg: 4 }]]],
    [`${E}[38;2;1;2;3;4mx`, [["x", { fg: "#010203", underline: true }]]],
    [`${E}[38:2::1:2:300mx`, [["x", { fg: "#0102ff" }]]],
    [`${E}[38:2:1:2:3mx`, [["x", { fg: "#010203" }]]],
    [`${E}[38:5:9;1mx`, [["x", { fg: 9, bold: true }]]],
    [`${E}[4:3mx${E}[4:0my`, [["x", { underline: true }], ["y", {}]]],
    [`${E}[2;3;7;9mx${E}[23;27;29my`, [["x", { dim: true, italic: true, inverse: true, strike: true }], ["y", { dim: true }]]],
    [`${E}[mx`, [["x", {}]]],
    [`${E}[31;mx`, [["x", {}]]],
    [`${E}[38;5mx`, [["x", { fg: 0 }]]],
    [`${E}[38;2;1mx`, [["x", {}]]],
    [`${E}[8mhidden`, [["hidden", {}]]],
    [`${E}[58;2;1;2;3;1mx`, [["x", { bold: true }]]],
    [`${E}[31mab\r${E}[32mc`, [["c", { fg: 2 }], ["b", { fg: 1 }]]],
    [`${E}[31ma${E}[32m${E}[31mb`, [["ab", { fg: 1 }]]],
  ])("%j is %j", (line, want) => expect(shown(line)).toEqual(want));

  test("a line leaves nothing open for the next", () => {
    parse(`${E}[31mred`);
    expect(shown("next\u0007")).toEqual([["next", {}]]);
  });
});

describe("hostile input", () => {
  const parts = [E, `${E}[`, `${E}]`, "\u009b", "\r", "\b", "\t", ";", ":", "38", "2", "5", "999999", "m", "K", "G", "C", "D", "\u0007", `${E}\\`, "a", "é", "🎉", "\u0301", "\ud800", "?", " ", "1K"];
  // A generator of our own, so that a failure can be had again.
  const random = (seed: number) => () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;

  test("nothing makes it fail, leave a control character, or show more than it may", () => {
    const next = random(42);
    for (let run = 0; run < 5000; run++) {
      let line = "";
      const length = Math.floor(next() * 40);
      for (let i = 0; i < length; i++) line += parts[Math.floor(next() * parts.length)] ?? "";
      const text = plain(line);
      // eslint-disable-next-line no-control-regex -- that is what must not be there
      expect(text, JSON.stringify(line)).not.toMatch(/[\0-\x08\x0a-\x1f\x7f-\x9f]/);
      expect(text.length).toBeLessThanOrEqual(line.length + 20_000);
      for (const span of parse(line)) expect(span.text).not.toBe("");
    }
  });

  test.each([
    ["strings without an end", `${E}]`.repeat(200_000)],
    ["long parameters", `${E}[${"1;".repeat(200_000)}m`],
    ["many parameters", `${E}[${"1;".repeat(100)}mx`.repeat(2000)],
    ["erasing what blanks filled", `${E}[20000G${E}[1K${E}[2K`.repeat(20_000)],
    ["erasing to the left", "x".repeat(100_000) + `${E}[1K`.repeat(100_000)],
    ["going back and forth", "abc\r".repeat(100_000)],
    ["marks on one letter", "a" + "\u0301".repeat(300_000)],
    ["tabs after a return", "a\r" + "\t".repeat(300_000) + "x"],
  ])("%s take no long time", (_, line) => {
    const begun = performance.now();
    parse(line);
    expect(performance.now() - begun).toBeLessThan(1500);
  });
});
