/** Height of each line, in pixels. */
export const rowHeight = 20;

/** Browsers lay out nothing higher than some millions of pixels: Firefox 17, Chromium 33. */
const tallest = 15_000_000;

/**
 * How a log lies in what scrolls. Offsets are pixels of the log, tops are
 * pixels of the scrollbar: the same unless the log is too high for a browser.
 */
export interface Layout {
  readonly lines: number;
  /** Height of what is seen. */
  readonly viewport: number;
  /** Height of what scrolls. */
  readonly height: number;
  readonly maxOffset: number;
  readonly maxTop: number;
}

export function layout(lines: number, viewport: number): Layout {
  const whole = lines * rowHeight;
  const height = Math.min(whole, tallest);
  return { lines, viewport, height, maxOffset: Math.max(0, whole - viewport), maxTop: Math.max(0, height - viewport) };
}

function isScaled(l: Layout): boolean {
  return l.maxOffset > l.maxTop;
}

/** Where the scrollbar belongs for an offset. */
export function topOf(l: Layout, offset: number): number {
  return isScaled(l) ? (offset / l.maxOffset) * l.maxTop : clamp(offset, l.maxTop);
}

/**
 * The offset after the scrollbar went from one top to another. In a scaled log
 * short ways are a wheel, a finger or a key: they move the log by as many pixels.
 * Long ones are the scrollbar being dragged, where one pixel of its track is
 * thousands of pixels of what scrolls.
 */
export function scrolled(l: Layout, offset: number, from: number, to: number): number {
  if (!isScaled(l)) return clamp(to, l.maxOffset);
  if (to <= 0) return 0;
  if (to >= l.maxTop - 1) return l.maxOffset;
  const way = to - from;
  if (Math.abs(way) < l.height / Math.max(l.viewport, 1) / 4) return clamp(offset + way, l.maxOffset);
  return (to / l.maxTop) * l.maxOffset;
}

/** The lines that an offset shows, from 1 on, also those seen in part; none of an empty log. */
export function visible(l: Layout, offset: number): { first: number; last: number } {
  const first = Math.floor(offset / rowHeight) + 1;
  return { first: Math.max(1, Math.min(first, l.lines)), last: Math.min(l.lines, Math.ceil((offset + l.viewport) / rowHeight)) };
}

/** The offset that has a line in the middle of what is seen. */
export function centred(l: Layout, line: number): number {
  return clamp((line - 0.5) * rowHeight - l.viewport / 2, l.maxOffset);
}

/** The offset nearest to the present one that shows a line in full. */
export function revealed(l: Layout, offset: number, line: number): number {
  const start = (line - 1) * rowHeight;
  if (start < offset) return clamp(start, l.maxOffset);
  if (start + rowHeight > offset + l.viewport) return clamp(start + rowHeight - l.viewport, l.maxOffset);
  return offset;
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
