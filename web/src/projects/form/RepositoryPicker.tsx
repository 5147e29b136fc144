import Autosuggest from "@cloudscape-design/components/autosuggest";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../../api/problem";
import { slipway } from "../../api/slipway";
import type { CredentialSummary, ServerType } from "../../api/slipway.gen";
import { exampleUrl, holderOf } from "../providers";
import { useDebounced } from "../../parts/useDebounced";
import { usePart } from "./context";
import { Field } from "./Field";

/** Finds a repository among those that the token reaches, as its name is typed; a URL is taken as it is. */
export function RepositoryPicker({ server, held }: { server: ServerType; held: readonly CredentialSummary[] }) {
  const [source, change] = usePart("source");
  const [open, setOpen] = useState(false);
  const credential = holderOf(source, held);
  const typed = source.location.includes("://") ? "" : source.location.trim();
  const search = useDebounced(typed);
  const found = useInfiniteQuery({
    queryKey: ["ListRepositories", credential?.arn, search],
    queryFn: ({ signal, pageParam }) =>
      slipway("ListRepositories", { credential: credential?.arn ?? "", ...(search === "" ? {} : { search }), ...(pageParam === "" ? {} : { nextToken: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => (last.nextToken === undefined || last.nextToken === "" ? undefined : last.nextToken),
    enabled: credential !== undefined && open,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  const pages = found.data?.pages ?? [];
  const options = pages
    .flatMap((p) => p.repositories ?? [])
    .map((r) => ({
      // Bitbucket does not say in its list who is admin of what.
      value: r.cloneUrl,
      label: r.fullName,
      description: r.cloneUrl,
      tags: [r.private === true ? "private" : "public", ...(r.admin === true || server === "BITBUCKET" ? [] : ["no webhooks: the token is not admin here"])],
    }));
  const warnings = [...new Set(pages.flatMap((p) => p.warnings ?? []))];
  const busy = found.isFetching || search !== typed;
  return (
    <Field member="source.location" description="Type a part of its name to search, or paste its URL." constraintText={warnings.length > 0 ? warnings.join(" ") : undefined}>
      <Autosuggest
        value={source.location}
        options={options}
        filteringType="manual"
        placeholder={exampleUrl(server)}
        enteredTextLabel={(value) => `Use "${value}"`}
        statusType={found.isError ? "error" : busy ? "loading" : found.hasNextPage ? "pending" : "finished"}
        loadingText="Asking the provider for repositories"
        errorText={found.error === null ? undefined : Problem.of(found.error).message}
        recoveryText="Try again"
        empty={search === "" ? "The token reaches no repository." : `The token reaches no repository called "${search}".`}
        onFocus={() => setOpen(true)}
        onChange={({ detail }) => change({ location: detail.value.trim() })}
        onLoadItems={({ detail }) => {
          setOpen(true);
          if (detail.samePage) void found.refetch();
          else if (!detail.firstPage && found.hasNextPage && !found.isFetching) void found.fetchNextPage();
        }}
      />
    </Field>
  );
}
