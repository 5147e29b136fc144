import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Later } from "./Later";

let comeInSight: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(seen: (entries: { isIntersecting: boolean }[]) => void) {
        comeInSight = () => seen([{ isIntersecting: true }]);
        seen([{ isIntersecting: false }]);
      }
      observe() {}
      disconnect() {}
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const chart = () => screen.queryByText("a chart");

function show() {
  render(
    <Later height={300}>
      <p>a chart</p>
    </Later>,
  );
}

test("what is far down keeps its place and comes when the rest has had its time", () => {
  show();
  expect(chart()).toBeNull();
  expect(document.querySelector<HTMLElement>("[style*=min-height]")?.style.minHeight).toBe("300px");
  act(() => {
    vi.advanceTimersByTime(1000);
  });
  expect(chart()).not.toBeNull();
});

test("it comes at once to whoever sees it", () => {
  show();
  act(() => {
    comeInSight();
  });
  expect(chart()).not.toBeNull();
});
