import { parse } from "./ansi";
import type { Line } from "./chunks";
import { look } from "./colours";
import { rowHeight } from "./geometry";
import { occurrences, pieces } from "./highlight";
import styles from "./log.module.css";

/** Characters of a line in its row: all of them are shown once it is selected. */
const longest = 5000;
/** What is read of a line to find those; a progress bar needs many more than it shows. */
const longestRead = 100_000;

export type RowKind = "selected" | "current" | "hit" | undefined;

/** What one row shows. */
export interface RowLook {
  /** Undefined as long as it is on its way. */
  readonly line: Line | undefined;
  readonly stamp: string | undefined;
  readonly kind: RowKind;
  readonly dark: boolean;
  /** What is marked in it. */
  readonly marked: string;
  readonly matchCase: boolean;
}

/**
 * The rows of a log in an element. They are no React elements, for they change
 * with each frame of a scroll: a row that leaves at one end comes back at the
 * other, and only what differs is written. They stand in the order of their lines,
 * which is the order in which they are read out and copied.
 */
export class Rows {
  private rows: Row[] = [];
  private from = 1;

  constructor(private readonly table: HTMLElement) {}

  /** Shows the lines from one to another, each as it is to look. */
  show(from: number, to: number, lookOf: (n: number) => RowLook): void {
    const count = Math.max(0, to - from + 1);
    while (this.rows.length > count) this.rows.pop()?.element.remove();
    while (this.rows.length < count) {
      const row = new Row();
      this.rows.push(row);
      this.table.append(row.element);
    }
    this.turn(from);
    this.from = from;
    this.rows.forEach((row, i) => row.show(from + i, lookOf(from + i)));
  }

  /** Moves the rows of lines that are left behind to the other end, if others stay. */
  private turn(from: number): void {
    const way = from - this.from;
    if (way === 0 || Math.abs(way) >= this.rows.length) return;
    if (way > 0) {
      const gone = this.rows.splice(0, way);
      this.table.append(...gone.map((r) => r.element));
      this.rows.push(...gone);
    } else {
      const gone = this.rows.splice(way);
      this.table.prepend(...gone.map((r) => r.element));
      this.rows.unshift(...gone);
    }
  }
}

class Row {
  readonly element = part("div", "row", "row");
  private readonly link = document.createElement("a");
  private readonly stamp = part("span", "stamp", "cell");
  private readonly text = part("span", "text", "cell");
  private n = 0;
  private shown: RowLook | undefined;

  constructor() {
    this.link.tabIndex = -1;
    const number = part("span", "number", "cell");
    number.append(this.link);
    this.element.style.height = `${rowHeight}px`;
    this.element.append(number, this.text);
  }

  show(n: number, next: RowLook): void {
    const old = this.shown;
    const moved = n !== this.n;
    if (moved) this.number(n);
    if (old?.stamp !== next.stamp) this.stampIs(next.stamp);
    if (old === undefined || old.kind !== next.kind) this.kindIs(next.kind);
    if (next.line === undefined) {
      if (old === undefined || old.line !== undefined || moved) this.wait(n);
    } else if (old?.line !== next.line || old.dark !== next.dark || old.marked !== next.marked || old.matchCase !== next.matchCase) {
      this.text.replaceChildren(...content(next.line.text, next));
    }
    this.shown = next;
  }

  private number(n: number): void {
    this.n = n;
    this.element.setAttribute("aria-rowindex", String(n));
    this.link.textContent = String(n);
    this.link.setAttribute("href", `${window.location.pathname}?line=${n}`); // the page has a base that is elsewhere
    this.link.dataset["line"] = String(n);
  }

  private stampIs(stamp: string | undefined): void {
    if (stamp === undefined) {
      this.stamp.remove();
      return;
    }
    this.stamp.textContent = stamp;
    if (this.stamp.parentNode === null) this.text.before(this.stamp);
  }

  private kindIs(kind: RowKind): void {
    this.element.className = kind === undefined ? name("row") : `${name("row")} ${name(kind)}`;
    if (kind === "selected") this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
  }

  /** Shows that the line is on its way. */
  private wait(n: number): void {
    const width = `${20 + ((n * 7919) % 40)}ch`;
    const known = this.text.firstElementChild;
    if (this.shown?.line === undefined && known instanceof HTMLElement) {
      known.style.width = width;
      return;
    }
    const bar = document.createElement("span");
    bar.className = name("skeleton");
    bar.style.width = width;
    this.text.replaceChildren(bar);
  }
}

// A log is what a build wrote, maybe hostile: its text becomes text, and addresses in it are no links.
function content(text: string, { dark, marked, matchCase }: RowLook): readonly (Node | string)[] {
  if (text === "") return [document.createElement("br")];
  const spans = parse(text.length > longestRead ? text.slice(0, longestRead) : text);
  const whole = spans.length === 1 ? (spans[0]?.text ?? "") : spans.map((s) => s.text).join("");
  const starts = occurrences(whole.slice(0, longest), marked, matchCase);
  const out: (Node | string)[] = [];
  let left = longest;
  for (const piece of starts.length === 0 ? spans.map((s) => ({ ...s, hit: false })) : pieces(spans, starts, marked.length)) {
    const shown = piece.text.length > left ? piece.text.slice(0, left) : piece.text;
    left -= shown.length;
    const css = look(piece.style, dark);
    if (piece.hit) out.push(worded("mark", "mark", shown));
    else if (Object.keys(css).length === 0) out.push(shown);
    else {
      const span = document.createElement("span");
      span.textContent = shown;
      Object.assign(span.style, css);
      out.push(span);
    }
    if (left <= 0) break;
  }
  if (whole.length > longest || text.length > longestRead) out.push(worded("span", "more", "… (select the line to see all of it)"));
  return out;
}

function worded(tag: "mark" | "span", style: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = name(style);
  element.textContent = text;
  return element;
}

function part(tag: "div" | "span", style: string, role: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = name(style);
  element.setAttribute("role", role);
  return element;
}

function name(style: string): string {
  return styles[style] ?? "";
}
