import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ServerType } from "../api/slipway.gen";
import { atProvider } from "./build";
import { shortCommit } from "./words";

/** Chooses what to build: a branch of the source's repository, or whatever is typed. */
export function SourceVersion({ type, location, value, onChange }: { type: string; location: string; value: string; onChange: (version: string) => void }) {
  const listed = atProvider(type) && location !== "";
  const [opened, setOpened] = useState(false);
  const branches = useQuery({
    queryKey: ["branches", type, location],
    enabled: listed && opened,
    staleTime: 30_000,
    queryFn: ({ signal }) => slipway("ListBranches", { repositoryUrl: location, serverType: type as ServerType }, signal),
  });
  return (
    <FormField label="Source version" description="A branch, tag, commit or pull request such as pr/7. Empty for the default branch.">
      {listed ? (
        <Autosuggest
          value={value}
          placeholder={branches.data?.defaultBranch ?? "Default branch"}
          enteredTextLabel={(text) => `Use “${text}”`}
          options={(branches.data?.branches ?? []).map((b) => ({
            value: b.name,
            ...(b.commitId === undefined ? {} : { labelTag: shortCommit(b.commitId) }),
            ...(b.name === branches.data?.defaultBranch ? { description: "Default branch" } : {}),
          }))}
          virtualScroll
          statusType={branches.isError ? "error" : branches.isFetching ? "loading" : "finished"}
          loadingText="Asking the provider for its branches"
          errorText={branches.isError ? `The branches could not be listed: ${Problem.of(branches.error).message}` : ""}
          recoveryText="Try again"
          empty="The repository has no branches."
          onLoadItems={() => {
            if (opened && branches.isError) void branches.refetch();
            setOpened(true);
          }}
          onChange={({ detail }) => onChange(detail.value)}
        />
      ) : (
        <Input value={value} disabled={type === "NO_SOURCE"} spellcheck={false} onChange={({ detail }) => onChange(detail.value)} />
      )}
    </FormField>
  );
}
