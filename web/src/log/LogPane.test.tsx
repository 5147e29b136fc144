import { act, configure, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { LogPane } from "./LogPane";
import { MemoryLog } from "./memory";

configure({ asyncUtilTimeout: 20_000 }); // finding by role in all of a page takes its time
vi.setConfig({ testTimeout: 60_000 });

const height = 400;
beforeEach(() => {
  // jsdom lays nothing out: the log is so high, and nothing else matters here.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(height);
  vi.stubGlobal("ResizeObserver", class {
    observe() {}
    unobserve() {}
    disconnect() {}
  });
  window.history.replaceState(null, "", "/builds/x");
});

const lines = (n: number) => Array.from({ length: n }, (_, i) => `line number ${i + 1}`);
const shown = () => screen.getAllByRole("row").map((row) => Number(row.getAttribute("aria-rowindex")));

async function show(log: MemoryLog) {
  render(<LogPane source={log} build={null} height="400px" fileName="x.log" />);
  return await screen.findByRole("region", { name: "Build log" });
}

test("rows stand in the order of their lines, wherever keys lead", async () => {
  const region = await show(new MemoryLog(lines(1000)));
  await screen.findByText("line number 1");
  for (const key of ["PageDown", "ArrowDown", "ArrowDown", "PageDown", "PageUp", "ArrowUp"]) {
    fireEvent.keyDown(region, { key });
    const now = shown();
    expect(now).toEqual(now.map((_, i) => (now[0] ?? 0) + i));
    for (const row of screen.getAllByRole("row")) expect(row.textContent).toContain(`line number ${row.getAttribute("aria-rowindex") ?? ""}`);
  }
  fireEvent.keyDown(region, { key: "End" });
  await screen.findByText("line number 1000");
  fireEvent.keyDown(region, { key: "Home" });
  expect(shown()[0]).toBe(1);
  fireEvent.keyDown(region, { key: "/" });
  expect(document.activeElement).toBe(screen.getByRole("searchbox", { name: "Search the log" }));
});

test("a running build's log is followed until somebody scrolls up", async () => {
  const log = new MemoryLog(lines(300), false);
  const region = await show(log);
  const follow = screen.getByRole("button", { name: "Follow" });
  await screen.findByText("line number 300");
  expect(follow.getAttribute("aria-pressed")).toBe("true");
  act(() => void log.messages.push("line number 301"));
  await screen.findByText("line number 301");
  fireEvent.keyDown(region, { key: "PageUp" });
  await waitFor(() => expect(follow.getAttribute("aria-pressed")).toBe("false"));
  fireEvent.click(follow);
  await waitFor(() => expect(follow.getAttribute("aria-pressed")).toBe("true"));
});

test("a line that is selected is told of, also as rows move on", async () => {
  const region = await show(new MemoryLog(lines(1000)));
  fireEvent.click(await within(region).findByRole("link", { name: "3" }));
  const selected = () => screen.getAllByRole("row").filter((row) => row.getAttribute("aria-current") === "true");
  await waitFor(() => expect(selected().map((row) => row.getAttribute("aria-rowindex"))).toEqual(["3"]));
  expect(window.location.search).toBe("?line=3");
  expect(await screen.findByRole("region", { name: "Line 3 in full" })).toBeDefined();
  fireEvent.keyDown(region, { key: "End" });
  expect(selected()).toEqual([]);
  fireEvent.keyDown(region, { key: "Escape" });
  await waitFor(() => expect(window.location.search).toBe(""));
});

test("what a build wrote is text, whatever it looks like", async () => {
  await show(new MemoryLog(["<img src=x onerror=alert(1)>", "\u001b[31mred\u001b[0m https://example.com", ""]));
  await screen.findByText("<img src=x onerror=alert(1)>");
  expect(screen.getByText("red").style.color).not.toBe("");
  expect(within(screen.getByRole("table")).getAllByRole("link").map((a) => a.textContent)).toEqual(["1", "2", "3"]);
});
