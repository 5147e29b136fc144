import { ListProjectsCommand } from "@aws-sdk/client-codebuild";
import Select from "@cloudscape-design/components/select";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { codebuild } from "../api/codebuild";
import { Problem } from "../api/problem";

/** The names of all projects, in their order. */
async function projectNames(signal: AbortSignal): Promise<readonly string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await codebuild.send(new ListProjectsCommand({ sortBy: "NAME", ...(nextToken === undefined ? {} : { nextToken }) }), { abortSignal: signal });
    names.push(...(page.projects ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined && nextToken !== "");
  return names;
}

/** Chooses a project, or all of them with undefined. The names are read when it is opened. */
export function ProjectSelect({ value, onChange }: { value: string | undefined; onChange: (projectName: string | undefined) => void }) {
  const [opened, setOpened] = useState(false);
  const names = useQuery({ queryKey: ["projects", "names"], queryFn: ({ signal }) => projectNames(signal), enabled: opened });
  const all = { value: "", label: "All projects" };
  return (
    <Select
      selectedOption={value === undefined ? all : { value, label: value }}
      options={[all, ...(names.data ?? []).map((n) => ({ value: n, label: n }))]}
      filteringType="auto"
      filteringAriaLabel="Find a project"
      virtualScroll
      expandToViewport
      statusType={names.isError ? "error" : names.isFetching ? "loading" : "finished"}
      loadingText="Loading projects"
      errorText={names.isError ? Problem.of(names.error).message : ""}
      recoveryText="Try again"
      empty="There is no project yet."
      noMatch="No project has this name."
      onLoadItems={() => {
        if (opened && names.isError) void names.refetch();
        setOpened(true);
      }}
      onChange={({ detail }) => onChange(detail.selectedOption.value === "" ? undefined : detail.selectedOption.value)}
    />
  );
}
