import { expect, test } from "vitest";
import { matching, pageOf, searchOf, shownOf } from "./list";

test.each(["", "text=app&page=3", "sortBy=NAME&sortOrder=ASCENDING"])("the address %j says what is shown, and back", (address) => {
  expect(searchOf(shownOf(new URLSearchParams(address))).toString()).toBe(address);
});

test("an address that says nonsense is as usual", () => {
  expect(searchOf(shownOf(new URLSearchParams("page=-1&sortBy=COLOUR&sortOrder=up"))).toString()).toBe("");
});

test("names are found by a part, in either case", () => {
  expect(matching(["App", "api", "web"], " AP ")).toEqual(["App", "api"]);
  expect(matching(["b", "a"], "")).toEqual(["b", "a"]);
});

test("a page that is gone is the last one", () => {
  const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
  expect(pageOf(names, 2)).toEqual({ names: names.slice(25), page: 2, pages: 2 });
  expect(pageOf(names, 9).page).toBe(2);
  expect(pageOf([], 1)).toEqual({ names: [], page: 1, pages: 1 });
});
