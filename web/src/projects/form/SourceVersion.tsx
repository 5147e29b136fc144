import Autosuggest from "@cloudscape-design/components/autosuggest";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../../api/problem";
import { slipway } from "../../api/slipway";
import type { CredentialSummary, ServerType } from "../../api/slipway.gen";
import { holderOf } from "../providers";
import { usePart } from "./context";
import { Field } from "./Field";

/** What is built if nobody says otherwise: a branch of the repository, or anything that can be typed. */
export function SourceVersion({ server, held }: { server: ServerType; held: readonly CredentialSummary[] }) {
  const [source, change] = usePart("source");
  const [open, setOpen] = useState(false);
  const credential = source.auth === "" ? undefined : holderOf(source, held)?.arn;
  const repository = URL.canParse(source.location) ? source.location : undefined;
  const branches = useQuery({
    queryKey: ["ListBranches", server, repository, credential],
    queryFn: ({ signal }) =>
      slipway("ListBranches", { serverType: server, repositoryUrl: repository ?? "", ...(credential === undefined ? {} : { credential }) }, signal),
    enabled: open && repository !== undefined,
    staleTime: 30_000,
    retry: false,
  });
  const first = branches.data?.defaultBranch;
  const options = (branches.data?.branches ?? []).map((b) => ({
    value: b.name,
    label: b.name,
    ...(b.commitId === undefined ? {} : { description: b.commitId.slice(0, 12) }),
    ...(b.name === first ? { tags: ["default branch"] } : {}),
  }));
  return (
    <Field
      member="sourceVersion"
      optional
      description={
        server === "BITBUCKET" || server === "GITLAB" || server === "GITLAB_SELF_MANAGED"
          ? "A branch, a tag or a commit. Empty means the default branch."
          : "A branch, a tag, a commit or a pull request such as pr/25. Empty means the default branch."
      }
    >
      <Autosuggest
        value={source.version}
        options={options}
        placeholder={first === undefined || first === "" ? "Default branch" : `Default branch (${first})`}
        enteredTextLabel={(value) => `Use "${value}"`}
        statusType={branches.isError ? "error" : branches.isFetching ? "loading" : "finished"}
        loadingText="Asking the provider for branches"
        errorText={branches.error === null ? undefined : Problem.of(branches.error).message}
        recoveryText="Try again"
        empty={repository === undefined ? "Choose a repository first." : "The repository has no branch yet."}
        onFocus={() => setOpen(true)}
        onChange={({ detail }) => change({ version: detail.value.trim() })}
        onLoadItems={({ detail }) => {
          if (detail.samePage) void branches.refetch();
        }}
      />
    </Field>
  );
}
