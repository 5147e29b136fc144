/** 0 to 15 are the basic colours, whose look the theme decides; others are "#rrggbb". */
export type Colour = number | string;

/** How a terminal would show some text. */
export interface Style {
  readonly fg?: Colour;
  readonly bg?: Colour;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly strike?: true;
  readonly inverse?: true;
}

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export const plainStyle: Style = {};

/** Cursor movements may leave so many blanks in one line: what asks for more is no progress bar. */
const maxBlanks = 20_000;
const maxParameters = 32;
const tabStop = 8;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const anyControl = /[\0-\x08\x0a-\x1f\x7f-\x9f]/;

/**
 * What a terminal shows for one line of a log: colours apply, later text stands
 * where a carriage return or a cursor movement puts it, and all other control
 * sequences are dropped. Every line starts without colours, so that what one
 * line leaves open stains no other. Takes time in proportion to the line.
 */
export function parse(line: string): readonly Span[] {
  if (line === "") return [];
  if (!anyControl.test(line)) return [{ text: line, style: plainStyle }];
  const screen = new Screen();
  new Reader(line, screen).run();
  return screen.spans();
}

/** The text that a terminal shows for one line. */
export function plain(line: string): string {
  if (!anyControl.test(line)) return line;
  return parse(line)
    .map((s) => s.text)
    .join("");
}

/** One line of a terminal. As long as nothing moves the cursor back it only grows. */
class Screen {
  private cells: string[] = [];
  private styles: Style[] = [];
  private column = 0;
  private blanks = maxBlanks;
  style: Style = plainStyle;

  put(char: string): void {
    if (this.column > 0 && joins(char)) {
      this.cells[this.column - 1] = (this.cells[this.column - 1] ?? "") + char;
      return;
    }
    this.fill();
    this.cells[this.column] = char;
    this.styles[this.column] = this.style;
    this.column++;
  }

  /** A tab stays one where it is the last thing of the line, so that it is copied as one. */
  tab(): void {
    if (this.column < this.cells.length || this.blanks < maxBlanks) this.move(tabStop - (this.column % tabStop));
    else this.put("\t");
  }

  to(column: number): void {
    this.column = Math.max(0, Math.min(column, this.cells.length + this.blanks));
  }

  move(by: number): void {
    this.to(this.column + by);
  }

  erase(what: number): void {
    if (what === 0 || what === 2) {
      const keep = what === 2 ? 0 : Math.min(this.column, this.cells.length);
      this.cells.length = keep;
      this.styles.length = keep;
    } else if (what === 1) {
      const end = Math.min(this.column + 1, this.cells.length, this.blanks);
      this.blanks -= end;
      this.cells.fill(" ", 0, end);
      this.styles.fill(plainStyle, 0, end);
    }
  }

  /** Blanks between the end of the text and the cursor. */
  private fill(): void {
    const missing = Math.min(this.column - this.cells.length, this.blanks);
    for (let i = 0; i < missing; i++) {
      this.cells.push(" ");
      this.styles.push(plainStyle);
    }
    if (missing > 0) this.blanks -= missing;
    this.column = Math.min(this.column, this.cells.length);
  }

  spans(): readonly Span[] {
    const out: Span[] = [];
    let from = 0;
    for (let i = 1; i <= this.cells.length; i++) {
      const style = this.styles[from] ?? plainStyle;
      if (i < this.cells.length && same(style, this.styles[i] ?? plainStyle)) continue;
      out.push({ text: this.cells.slice(from, i).join(""), style });
      from = i;
    }
    return out;
  }
}

const joining = /^(?:\p{M}|\u200d)/u; // variation selectors are marks

/** Whether a character joins the one before it. */
function joins(char: string): boolean {
  return char > "\u02ff" && joining.test(char);
}

function same(a: Style, b: Style): boolean {
  return (
    a === b ||
    (a.fg === b.fg && a.bg === b.bg && a.bold === b.bold && a.dim === b.dim && a.italic === b.italic && a.underline === b.underline && a.strike === b.strike && a.inverse === b.inverse)
  );
}

/** Tells text from control sequences, by ECMA-48. */
class Reader {
  private at = 0;
  /** Whether the rest of the line ends no string: then there is none to skip. */
  private noEnd = false;

  constructor(
    private readonly line: string,
    private readonly screen: Screen,
  ) {}

  run(): void {
    const { line, screen } = this;
    while (this.at < line.length) {
      const code = line.charCodeAt(this.at);
      if (code === 0x1b) this.escape();
      else if (code === 0x9b) this.sequence(this.at + 1);
      else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.text(this.at + 1);
      else if (code >= 0x20 && (code < 0x7f || code > 0x9f)) {
        const char = String.fromCodePoint(line.codePointAt(this.at) ?? code);
        screen.put(char);
        this.at += char.length;
      } else {
        if (code === 0x0d) screen.to(0);
        else if (code === 0x08) screen.move(-1);
        else if (code === 0x09) screen.tab();
        this.at++;
      }
    }
  }

  private escape(): void {
    const next = this.line[this.at + 1];
    if (next === "[") this.sequence(this.at + 2);
    else if (next !== undefined && "]PX^_".includes(next)) this.text(this.at + 2);
    else {
      let i = this.at + 1;
      while (within(this.line.charCodeAt(i), 0x20, 0x2f)) i++;
      this.at = within(this.line.charCodeAt(i), 0x30, 0x7e) ? i + 1 : i;
    }
  }

  /** A control sequence, whose parameters start at a place. */
  private sequence(start: number): void {
    let i = start;
    while (within(this.line.charCodeAt(i), 0x30, 0x3f)) i++;
    const parameters = this.line.slice(start, i);
    const inner = i;
    while (within(this.line.charCodeAt(i), 0x20, 0x2f)) i++;
    const final = within(this.line.charCodeAt(i), 0x40, 0x7e) ? this.line[i] : undefined;
    this.at = final === undefined ? i : i + 1;
    if (final === undefined || i > inner || /^[<=>?]/.test(parameters)) return;
    const { screen } = this;
    const count = () => Math.max(1, number(parameters));
    if (final === "m") screen.style = styled(screen.style, parameters);
    else if (final === "K") screen.erase(number(parameters));
    else if (final === "G" || final === "`") screen.to(count() - 1);
    else if (final === "C" || final === "a") screen.move(count());
    else if (final === "D") screen.move(-count());
  }

  /** A string for the terminal, such as a title. One without an end hides nothing. */
  private text(start: number): void {
    this.at = start;
    if (this.noEnd) return;
    for (let i = start; i < this.line.length; i++) {
      const code = this.line.charCodeAt(i);
      if (code === 0x07 || code === 0x9c) {
        this.at = i + 1;
        return;
      }
      if (code === 0x1b && this.line[i + 1] === "\\") {
        this.at = i + 2;
        return;
      }
    }
    this.noEnd = true;
  }
}

function within(code: number, from: number, to: number): boolean {
  return code >= from && code <= to;
}

function number(text: string): number {
  const n = Number.parseInt(text.slice(0, 10), 10);
  return Number.isNaN(n) ? 0 : Math.min(n, 1_000_000);
}

const flags: Readonly<Record<number, Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
};

/** What each code ends. */
const ends: Readonly<Record<number, readonly (keyof Style)[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
  39: ["fg"],
  49: ["bg"],
};

/** The style after "select graphic rendition". Concealed text is shown: a log hides nothing. */
export function styled(style: Style, parameters: string): Style {
  const list = parameters.slice(0, 256).split(";", maxParameters);
  let now = style;
  for (let i = 0; i < list.length; i++) {
    const parts = (list[i] ?? "").split(":", 8);
    const code = number(parts[0] ?? "");
    const flag = flags[code];
    const ended = ends[code];
    if (code === 0) now = plainStyle;
    else if (code === 4 && parts[1] === "0") now = without(now, ["underline"]);
    else if (flag !== undefined) now = { ...now, ...flag };
    else if (ended !== undefined) now = without(now, ended);
    else if (within(code, 30, 37)) now = { ...now, fg: code - 30 };
    else if (within(code, 40, 47)) now = { ...now, bg: code - 40 };
    else if (within(code, 90, 97)) now = { ...now, fg: code - 82 };
    else if (within(code, 100, 107)) now = { ...now, bg: code - 92 };
    else if (code === 38 || code === 48 || code === 58) {
      const colons = parts.length > 1;
      const args = (colons ? parts.slice(1) : list.slice(i + 1)).map(number);
      const kind = args[0];
      // With colons a colour space may stand before red, green and blue.
      const rgb = colons && args.length > 4 ? args.slice(2, 5) : args.slice(1, 4);
      if (!colons) i += kind === 5 ? 2 : kind === 2 ? 4 : 0;
      const colour = kind === 5 ? indexed(args[1] ?? 0) : kind === 2 && rgb.length === 3 ? hex(rgb) : undefined;
      if (colour !== undefined && code !== 58) now = code === 38 ? { ...now, fg: colour } : { ...now, bg: colour };
    }
  }
  return now;
}

function without(style: Style, keys: readonly (keyof Style)[]): Style {
  return Object.fromEntries(Object.entries(style).filter(([key]) => !keys.some((k) => k === key)));
}

/** A colour of the table of 256: the basic ones, a cube of 6 × 6 × 6, and grays. */
function indexed(n: number): Colour | undefined {
  if (n < 16) return n;
  if (n > 255) return undefined;
  if (n >= 232) return hex([n, n, n].map((v) => 8 + (v - 232) * 10));
  const level = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  return hex([Math.floor((n - 16) / 36), Math.floor((n - 16) / 6) % 6, (n - 16) % 6].map(level));
}

function hex(rgb: readonly number[]): string {
  return "#" + rgb.map((v) => Math.min(v, 255).toString(16).padStart(2, "0")).join("");
}
