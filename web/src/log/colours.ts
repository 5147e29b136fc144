import type { CSSProperties } from "react";
import type { Colour, Style } from "./ansi";

type Rgb = readonly [number, number, number];

interface Palette {
  /** The background that is hardest to read on: that of a selected line. */
  readonly paper: Rgb;
  readonly ink: Rgb;
  readonly basic: readonly string[];
}

/** In the order of ECMA-48: black, red, green, yellow, blue, magenta, cyan, white, and the bright ones. */
const light: Palette = {
  paper: [0xe6, 0xef, 0xfb],
  ink: [0x0f, 0x14, 0x1a],
  basic: [
    "#1b232d", "#b3000c", "#006b00", "#7a5200", "#0047b3", "#8a1a8a", "#006670", "#5a5f69",
    "#4b525e", "#c4001a", "#08700c", "#7d5600", "#1154c9", "#9b259b", "#006b75", "#424650",
  ],
};

const dark: Palette = {
  paper: [0x24, 0x35, 0x4d],
  ink: [0xeb, 0xeb, 0xf0],
  basic: [
    "#a4a4ad", "#ff8080", "#5fd068", "#e0b83a", "#7db5ff", "#e193e8", "#4fcfd9", "#dedee3",
    "#b4b4bb", "#ff9c9c", "#7ee787", "#f2cc60", "#9ecbff", "#efb0f5", "#76e3ea", "#ffffff",
  ],
};

const readableContrast = 4.5;
const cache = new Map<string, CSSProperties>();

/** How a style looks in a theme. Whatever colours a build chose, its text can be read. */
export function look(style: Style, isDark: boolean): CSSProperties {
  const key = `${isDark ? "d" : "l"}${style.fg ?? ""}/${style.bg ?? ""}/${flag(style.bold)}${flag(style.dim)}${flag(style.italic)}${flag(style.underline)}${flag(style.strike)}${flag(style.inverse)}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size > 2000) cache.clear(); // a build may use all 16 million colours
  const css = compute(style, isDark ? dark : light);
  cache.set(key, css);
  return css;
}

function flag(set: true | undefined): string {
  return set === true ? "1" : "0";
}

function compute(style: Style, palette: Palette): CSSProperties {
  const css: CSSProperties = {};
  const [front, back] = colours(style, palette);
  if (front !== undefined) css.color = text(front);
  if (back !== undefined) css.backgroundColor = text(back);
  if (style.bold === true) css.fontWeight = 700;
  if (style.italic === true) css.fontStyle = "italic";
  const lines = [style.underline === true ? "underline" : "", style.strike === true ? "line-through" : ""].filter((l) => l !== "");
  if (lines.length > 0) css.textDecorationLine = lines.join(" ");
  return css;
}

/** Text and background as they are shown; undefined for the theme's own. */
function colours(style: Style, palette: Palette): [Rgb | undefined, Rgb | undefined] {
  let front = style.fg === undefined ? undefined : rgb(style.fg, palette);
  let back = style.bg === undefined ? undefined : rgb(style.bg, palette);
  if (style.inverse === true) [front, back] = [back ?? palette.paper, front ?? palette.ink];
  if (style.dim === true) front = mix(front ?? palette.ink, back ?? palette.paper, 0.35);
  if (front === undefined && back === undefined) return [undefined, undefined];
  return [readable(front ?? palette.ink, back ?? palette.paper), back];
}

function rgb(colour: Colour, palette: Palette): Rgb {
  const hex = typeof colour === "number" ? (palette.basic[colour] ?? "#808080") : colour;
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function text([r, g, b]: Rgb): string {
  return `rgb(${r}, ${g}, ${b})`;
}

/** The colour, or as near to it as can be read on a background. */
function readable(colour: Rgb, back: Rgb): Rgb {
  if (contrast(colour, back) >= readableContrast) return colour;
  const [black, white]: [Rgb, Rgb] = [
    [0, 0, 0],
    [255, 255, 255],
  ];
  const end = contrast(black, back) > contrast(white, back) ? black : white;
  for (let part = 0.1; part < 1; part += 0.1) {
    const mixed = mix(colour, end, part);
    if (contrast(mixed, back) >= readableContrast) return mixed;
  }
  return end;
}

function mix(a: Rgb, b: Rgb, part: number): Rgb {
  const one = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * part);
  return [one(0), one(1), one(2)];
}

/** The contrast of two colours, by WCAG 2: from 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function luminance(colour: Rgb): number {
  const channel = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * channel(colour[0]) + 0.7152 * channel(colour[1]) + 0.0722 * channel(colour[2]);
}
