import { render, screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { ExternalLink } from "./ExternalLink";
import { webLink } from "./link";

describe("webLink", () => {
  test.each(["https://github.com/a/b", "http://gitlab.lan:8080/a/b?c#d", "HTTPS://github.com/"])("leads to %s", (to) => {
    expect(webLink(to)).toBe(to);
  });
  test.each([
    undefined,
    "",
    "javascript:alert(1)",
    "JavaScript://github.com/%0aalert(1)",
    " javascript:alert(1)",
    "\u0001javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://github.com/1",
    "file:///etc/passwd",
    "ssh://git@github.com/a",
    "git@github.com:a/b",
    "//evil.example/",
    "/console/projects",
    "https:evil.example",
    "https://",
    "https://token@github.com/a/b",
    "https://:password@github.com/a/b",
  ])("leads nowhere: %s", (to) => {
    expect(webLink(to)).toBeUndefined();
  });
});

test("what may be no link is text", () => {
  render(
    <>
      <ExternalLink to="javascript:alert(1)">bad</ExternalLink>
      <ExternalLink to="https://github.com/a/b">good</ExternalLink>
    </>,
  );
  const links = screen.getAllByRole("link");
  expect(links.map((l) => l.getAttribute("href"))).toEqual(["https://github.com/a/b"]);
  expect(links[0]?.getAttribute("rel")).toContain("noopener");
  expect(screen.getByText("bad").closest("a")).toBeNull();
});

test("pages make links of data in no other way", () => {
  const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });
  const making = Object.entries(sources).flatMap(([file, text]) =>
    [...text.matchAll(/<(?:Link|Button|a)\b[^>]*?\shref=\{([^}]*)\}/g)].map((found) => `${file}: ${found[1] ?? ""}`),
  );
  expect(making.sort()).toEqual([
    "../app/Frame.tsx: path", // of the pages it lists
    "../app/Frame.tsx: paths.home()",
    "../app/Frame.tsx: paths.home()",
    "../credentials/TokenGuide.tsx: link", // of webLink
    "../projects/form/ProjectFields.tsx: `#${idOf(field)",
    "../reports/TrendChart.tsx: p.to", // a path of ours
    "../webhooks/FilterPreview.tsx: href(paths.delivery(delivery.id))",
    "../webhooks/FilterPreview.tsx: href(paths.testDelivery(projectName))",
    "./Advice.tsx: piece.href", // what begins with http:// or https:// in a text
    "./AppButton.tsx: href(to)",
    "./AppLink.tsx: href(to)",
    "./ExternalLink.tsx: href",
  ]);
});
