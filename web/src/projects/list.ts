import type { ProjectSortByType, SortOrderType } from "@aws-sdk/client-codebuild";

/** How many projects a page shows. */
export const pageSize = 25;

/** What of the projects is shown, as the address says it. */
export interface Shown {
  readonly text: string;
  readonly page: number;
  readonly sortBy: ProjectSortByType;
  readonly sortOrder: SortOrderType;
}

const sorts: readonly ProjectSortByType[] = ["NAME", "CREATED_TIME", "LAST_MODIFIED_TIME"];

/** Reads an address. What it does not say, or says wrong, is as usual: the last modified first. */
export function shownOf(search: URLSearchParams): Shown {
  const page = Number(search.get("page") ?? "1");
  return {
    text: search.get("text") ?? "",
    page: Number.isInteger(page) && page > 0 ? page : 1,
    sortBy: sorts.find((s) => s === search.get("sortBy")) ?? "LAST_MODIFIED_TIME",
    sortOrder: search.get("sortOrder") === "ASCENDING" ? "ASCENDING" : "DESCENDING",
  };
}

/** Writes an address, without what is as usual. */
export function searchOf(shown: Shown): URLSearchParams {
  const search = new URLSearchParams();
  if (shown.text !== "") search.set("text", shown.text);
  if (shown.page !== 1) search.set("page", shown.page.toString());
  if (shown.sortBy !== "LAST_MODIFIED_TIME") search.set("sortBy", shown.sortBy);
  if (shown.sortOrder !== "DESCENDING") search.set("sortOrder", shown.sortOrder);
  return search;
}

/** The names that hold a text, large and small letters alike. */
export function matching(names: readonly string[], text: string): readonly string[] {
  const wanted = text.trim().toLowerCase();
  return wanted === "" ? names : names.filter((n) => n.toLowerCase().includes(wanted));
}

/** The names of a page; of the last one, if there are not so many. */
export function pageOf(names: readonly string[], page: number): { readonly names: readonly string[]; readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(names.length / pageSize));
  const at = Math.min(page, pages);
  return { names: names.slice((at - 1) * pageSize, at * pageSize), page: at, pages };
}
