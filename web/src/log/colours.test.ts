import { describe, expect, test } from "vitest";
import { contrast, look } from "./colours";

function rgb(css: string | undefined): [number, number, number] {
  const [r = 0, g = 0, b = 0] = (css ?? "").match(/\d+/g)?.map(Number) ?? [];
  return [r, g, b];
}

// The lightest and the darkest that a line's background is, by theme.
const papers = { light: [rgb("255 255 255"), rgb("230 239 251"), rgb("255 244 204")], dark: [rgb("19 25 32"), rgb("36 53 77"), rgb("61 52 16")] } as const;

describe.each([false, true])("dark: %s", (dark) => {
  test.each(Array.from({ length: 16 }, (_, i) => i))("colour %d can be read", (fg) => {
    for (const paper of papers[dark ? "dark" : "light"]) expect(contrast(rgb(look({ fg }, dark).color), paper)).toBeGreaterThanOrEqual(4.4999);
  });

  test("any text on any background can be read", () => {
    const all = [...Array.from({ length: 16 }, (_, i) => i), "#000000", "#ffffff", "#808080", "#ff0000", "#00ff00", "#0000ff", "#777777", "#010203"];
    for (const fg of [undefined, ...all]) {
      for (const bg of all) {
        for (const more of [{}, { inverse: true }, { dim: true }] as const) {
          const css = look({ ...(fg === undefined ? {} : { fg }), bg, ...more }, dark);
          expect(contrast(rgb(css.color), rgb(css.backgroundColor?.toString())), `${fg} on ${bg}`).toBeGreaterThanOrEqual(4.4999);
        }
      }
    }
  });

  test("dim text can be read", () => {
    for (const paper of papers[dark ? "dark" : "light"]) expect(contrast(rgb(look({ dim: true }, dark).color), paper)).toBeGreaterThanOrEqual(4.4999);
  });
});

test("plain text has the colours of the theme", () => expect(look({}, true)).toEqual({}));
test("decorations add up", () => expect(look({ underline: true, strike: true, bold: true, italic: true }, false)).toEqual({ fontWeight: 700, fontStyle: "italic", textDecorationLine: "underline line-through" }));
