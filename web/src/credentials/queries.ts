import { infiniteQueryOptions, keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { slipway } from "../api/slipway";
import type { ServerType } from "../api/slipway.gen";

/** All credentials. */
export const credentialsQuery = queryOptions({
  queryKey: ["credentials"],
  queryFn: ({ signal }) => slipway("ListCredentials", {}, signal),
});

/** One credential, by name, ARN or server type. */
export function credentialQuery(credential: string) {
  return queryOptions({
    queryKey: ["credential", credential],
    queryFn: ({ signal }) => slipway("DescribeCredential", { credential }, signal),
    enabled: credential !== "",
  });
}

/** The kinds of tokens that a provider has, the best first. */
export function tokenKindsQuery(serverType: ServerType, host: string | undefined) {
  return queryOptions({
    queryKey: ["tokenKinds", serverType, host],
    queryFn: ({ signal }) => slipway("ListTokenKinds", { serverType, ...(host === undefined ? {} : { host }) }, signal),
    placeholderData: (previous, query) => (query?.queryKey[1] === serverType ? keepPreviousData(previous) : undefined),
    staleTime: 60 * 60 * 1000,
  });
}

/** A page of what a credential was given out for, the latest first. */
export function usesQuery(credential: string) {
  return infiniteQueryOptions({
    queryKey: ["credentialUses", credential],
    queryFn: ({ signal, pageParam }) => slipway("ListCredentialUses", { credential, maxResults: 25, ...(pageParam === "" ? {} : { nextToken: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => (page.nextToken === "" ? undefined : page.nextToken),
  });
}

/** Which credential serves a repository, and all that could. */
export function explainQuery(repositoryUrl: string, serverType: ServerType | undefined) {
  return queryOptions({
    queryKey: ["explainCredential", repositoryUrl, serverType],
    queryFn: ({ signal }) => slipway("ExplainCredential", { repositoryUrl, ...(serverType === undefined ? {} : { serverType }) }, signal),
    enabled: repositoryUrl !== "",
    placeholderData: keepPreviousData,
  });
}

/** What would become of projects without a credential. */
export function withoutQuery(credential: string) {
  return queryOptions({
    queryKey: ["withoutCredential", credential],
    queryFn: ({ signal }) => slipway("DeleteCredential", { credential, dryRun: true }, signal),
    gcTime: 0,
  });
}

/** Returns what has everything that is known of credentials read anew. */
export function useCredentialsChanged(): () => void {
  const client = useQueryClient();
  return useCallback(() => {
    for (const key of ["credentials", "credential", "credentialUses", "explainCredential"]) void client.invalidateQueries({ queryKey: [key] });
  }, [client]);
}
