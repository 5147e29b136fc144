import type { QueryClient } from "@tanstack/react-query";
import { slipway } from "../api/slipway";

/** How many days the home page looks back. */
export const days = 14;

/** What the home page asks the server. */
export const statisticsQuery = { queryKey: ["statistics", days], queryFn: ({ signal }: { signal: AbortSignal }) => slipway("GetBuildStatistics", { days }, signal) };
export const credentialsQuery = { queryKey: ["credentials"], queryFn: ({ signal }: { signal: AbortSignal }) => slipway("ListCredentials", {}, signal) };
export const webhooksQuery = { queryKey: ["webhooks"], queryFn: ({ signal }: { signal: AbortSignal }) => slipway("ListWebhooks", {}, signal) };
export const recentQuery = { queryKey: ["builds", "recent"], queryFn: ({ signal }: { signal: AbortSignal }) => slipway("SearchBuilds", { maxResults: 8 }, signal) };

/** Asks already while the page itself is on its way. What fails is asked, and told, by the page. */
export function askAhead(client: QueryClient): void {
  for (const query of [statisticsQuery, credentialsQuery, webhooksQuery, recentQuery]) client.query<unknown>(query).catch(() => undefined);
}
