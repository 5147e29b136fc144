import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import { FilterEditor } from "./FilterEditor";
import type { FilterGroups } from "./filters";

vi.setConfig({ testTimeout: 60_000 }); // jsdom and many components are slow together on a busy machine
vi.mock("../api/slipway", () => ({ slipway: vi.fn() }));
const server = vi.mocked(slipway);

beforeEach(() => {
  server.mockReset();
  server.mockResolvedValue({ previews: [], warnings: [] });
});

let latest: FilterGroups = [];

function Form({ initial }: { initial: FilterGroups }) {
  const [value, setValue] = useState(initial);
  const change = (groups: FilterGroups) => {
    latest = groups;
    setValue(groups);
  };
  return <FilterEditor value={value} onChange={change} preview={{ serverType: "GITHUB", repositoryUrl: "https://github.com/acme/app.git" }} />;
}

function show(initial: FilterGroups) {
  latest = initial;
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Form initial={initial} />
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

const pushes: FilterGroups = [[{ type: "EVENT", pattern: "PUSH" }]];

test("groups and filters are added and removed with the keyboard alone", async () => {
  const user = show([]);
  screen.getByRole("button", { name: "Add filter group" }).focus();
  await user.keyboard("{Enter}");
  const group = screen.getByRole("group", { name: "Filter group 1" });
  expect(group.contains(document.activeElement)).toBe(true);
  expect(latest).toEqual(pushes);

  within(group).getByRole("button", { name: "Add start filter to filter group 1" }).focus();
  await user.keyboard("{Enter}");
  const pattern = screen.getByLabelText("Pattern of HEAD_REF in filter group 1");
  expect(document.activeElement).toBe(pattern);
  await user.keyboard("^v1$");
  expect(latest).toEqual([[{ type: "EVENT", pattern: "PUSH" }, { type: "HEAD_REF", pattern: "^v1$" }]]);

  await user.tab();
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Remove HEAD_REF in filter group 1" }));
  await user.keyboard("{Enter}");
  expect(latest).toEqual(pushes);
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add start filter to filter group 1" }));

  screen.getByRole("button", { name: "Remove filter group 1" }).focus();
  await user.keyboard("{Enter}");
  expect(latest).toEqual([]);
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add filter group" }));
});

test("a filter under which not to build excludes", async () => {
  const user = show(pushes);
  await user.click(screen.getByRole("button", { name: "Add don't start filter to filter group 1" }));
  await user.keyboard("x");
  expect(latest[0]?.[1]).toEqual({ type: "HEAD_REF", pattern: "x", excludeMatchedPattern: true });
  expect(screen.getByLabelText("Pattern of excluded HEAD_REF in filter group 1")).toBeDefined();
});

test("a refused pattern is marked with what the server says", async () => {
  const message = "The pattern '(' of the HEAD_REF filter cannot be used: missing closing ) at '('.";
  server.mockRejectedValue(new Problem("InvalidInputException", message));
  show([[{ type: "EVENT", pattern: "PUSH" }, { type: "HEAD_REF", pattern: "(" }]]);
  const pattern = screen.getByLabelText("Pattern of HEAD_REF in filter group 1");
  await waitFor(() => expect(pattern.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getAllByText(message).length).toBeGreaterThan(0);
});

test("an unanchored pattern is warned of", async () => {
  server.mockResolvedValue({ previews: [], warnings: ["The HEAD_REF pattern 'main' also matches 'refs/heads/not-main-at-all'."] });
  show(pushes);
  expect(await screen.findByText(/also matches 'refs\/heads\/not-main-at-all'/)).toBeDefined();
});

test("each recent delivery shows whether it would build, and why not", async () => {
  server.mockResolvedValue({
    previews: [
      {
        delivery: { id: "d-2", received: 1, signature: "VALID", state: "DONE" },
        builtBefore: true,
        verdict: {
          projectName: "app",
          outcome: "NO_MATCH",
          event: "PUSH",
          headRef: "refs/heads/dev",
          groups: [{ matched: false, filters: [{ type: "EVENT", pattern: "PUSH", value: "PUSH", matched: true }, { type: "HEAD_REF", pattern: "^refs/heads/main$", value: "refs/heads/dev", matched: false }] }],
        },
      },
      { delivery: { id: "d-1", received: 1, signature: "VALID", state: "DONE" }, verdict: { projectName: "app", outcome: "BUILD", event: "PUSH", headRef: "refs/heads/main" } },
    ],
  });
  show(pushes);
  expect(await screen.findByText("1 of 2 would build.")).toBeDefined();
  expect(screen.getByText("HEAD_REF said no")).toBeDefined();
  expect(screen.getByText("Built then")).toBeDefined();
});
