import { centred, layout, revealed, rowHeight, scrolled, topOf, type Layout } from "./geometry";

export interface ScrollState {
  readonly layout: Layout;
  /** Pixels of the log above what is seen. */
  readonly offset: number;
  /** Whether the end stays in sight as lines are added. */
  readonly following: boolean;
}

/** After so many milliseconds without a move the scrollbar is put where it belongs. */
const rest = 150;

/** Where in the log the reader is. Binds an element that scrolls to a log that may be too high for it. */
export class Scroll {
  private readonly listeners = new Set<() => void>();
  private state: ScrollState = { layout: layout(0, 0), offset: 0, following: false };
  private element: HTMLElement | undefined;
  private top = 0;
  private owed = false; // the element's scrollTop is to be set when its height is right
  private timer: ReturnType<typeof setTimeout> | undefined;
  private live: boolean | undefined;
  private target: number | undefined; // a line to be centred once there is something to see it in

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): ScrollState => this.state;

  /** Binds the element that scrolls until the returned function is called. */
  attach(element: HTMLElement): () => void {
    this.element = element;
    const onScroll = () => this.moved(element.scrollTop);
    const resized = () => this.resize(this.state.layout.lines, element.clientHeight);
    const observer = new ResizeObserver(resized);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    resized();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
      clearTimeout(this.timer);
      this.element = undefined;
    };
  }

  /**
   * Says how many lines there are, and whether more will come: the end of such
   * a log is followed from the start unless another line is wanted.
   */
  grow(lines: number, live: boolean): void {
    if (lines === 0) return;
    const following = live && (this.state.following || (this.live === undefined && this.target === undefined));
    this.live = live;
    if (following !== this.state.following) this.set({ following });
    if (lines !== this.state.layout.lines) this.resize(lines, this.state.layout.viewport);
  }

  private resize(lines: number, viewport: number): void {
    const next = layout(lines, viewport);
    const { following, offset } = this.state;
    if (this.target !== undefined && lines > 0 && viewport > 0) {
      const line = this.target;
      this.target = undefined;
      this.set({ layout: next, offset: centred(next, line) }, true);
      return;
    }
    this.set({ layout: next, offset: following ? next.maxOffset : Math.min(offset, next.maxOffset) }, true);
  }

  /** Shows another place of the log. */
  to(offset: number): void {
    const { maxOffset } = this.state.layout;
    const to = Math.min(Math.max(offset, 0), maxOffset);
    this.set({ offset: to, following: this.state.following && to >= maxOffset }, true);
  }

  by(pixels: number): void {
    this.to(this.state.offset + pixels);
  }

  /** Shows a line in the middle, as soon as there is one. */
  centre(line: number): void {
    const { lines, viewport } = this.state.layout;
    if (lines === 0 || viewport === 0) {
      this.target = line;
      return;
    }
    this.set({ offset: centred(this.state.layout, line), following: false }, true);
  }

  /** Shows a line in the middle unless it is in sight. */
  show(line: number): void {
    const { layout: l, offset } = this.state;
    if (l.viewport === 0 || revealed(l, offset, line) !== offset) this.centre(line);
  }

  /** Goes to the end, and stays there while the log grows. */
  end(): void {
    this.set({ following: this.live === true, offset: this.state.layout.maxOffset }, true);
  }

  /** Stays where it is, whatever is added. */
  hold(): void {
    this.set({ following: false });
  }

  /** Puts the scrollbar where it belongs, after the element has its height. */
  settle(): void {
    if (!this.owed || this.element === undefined) return;
    this.owed = false;
    this.element.scrollTop = topOf(this.state.layout, this.state.offset);
    this.top = this.element.scrollTop;
  }

  private moved(top: number): void {
    if (top === this.top) return; // our own doing, or to the side
    const { layout: l, offset } = this.state;
    const to = scrolled(l, offset, this.top, top);
    this.top = top;
    this.set({ offset: to, following: this.live === true && to >= l.maxOffset - rowHeight });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.owed = Math.abs(topOf(this.state.layout, this.state.offset) - this.top) > 1;
      this.settle();
    }, rest);
  }

  private set(change: Partial<ScrollState>, owed = false): void {
    this.owed ||= owed;
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
