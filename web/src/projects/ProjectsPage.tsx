import { useState } from "react";
import { useSearchParams } from "wouter";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { paths, useGo } from "../app/navigate";
import { liveInterval } from "../app/query";
import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { columns, type Row } from "./columns";
import { DeleteProject } from "./DeleteProject";
import { matching, pageOf, searchOf, shownOf, type Shown } from "./list";
import { projectNamesQuery, projectsQuery, statisticsQuery } from "./queries";

/** The projects. */
export default function ProjectsPage() {
  const [search, setSearch] = useSearchParams();
  const shown = shownOf(search);
  const show = (change: Partial<Shown>) => setSearch(searchOf({ ...shown, ...change }), { replace: true });
  const go = useGo();
  const [selected, select] = useState<string>();
  const [deleting, setDeleting] = useState<string>();

  const names = useQuery(projectNamesQuery(shown.sortBy, shown.sortOrder));
  const all = names.data ?? [];
  const found = matching(all, shown.text);
  const page = pageOf(found, shown.page);
  const projects = useQuery(projectsQuery(page.names));
  const latest = useQuery({
    ...statisticsQuery,
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: ({ state }) => ([...(state.data?.values() ?? [])].some((b) => b?.buildStatus === "IN_PROGRESS") ? liveInterval : false),
  });
  const rows: Row[] = page.names.map((name) => ({ name, project: projects.data?.get(name), latest: latest.data?.get(name), known: latest.isSuccess }));
  const picked = rows.find((r) => r.name === selected);
  const sorting = columns.find((c) => c.sortingField === shown.sortBy);

  const none = all.length === 0;
  return (
    <Page
      title="Build projects"
      counter={names.data === undefined ? "" : `(${all.length})`}
      description="A project says where the source is, in what it is built and with which commands."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={picked === undefined} onClick={() => setDeleting(picked?.name)}>
            Delete
          </Button>
          <Button disabled={picked === undefined} onClick={() => picked !== undefined && go(paths.editProject(picked.name))}>
            Edit
          </Button>
          <Button disabled={picked === undefined} onClick={() => picked !== undefined && go(paths.startBuild(picked.name))}>
            Start build
          </Button>
          <AppButton variant="primary" to={paths.newProject()}>
            Create build project
          </AppButton>
        </SpaceBetween>
      }
    >
      <ProblemAlert error={names.error ?? projects.error} doing="list the projects" retry={() => void Promise.all([names.refetch(), projects.refetch()])} />
      <Table<Row>
        variant="container"
        items={rows}
        trackBy="name"
        columnDefinitions={columns}
        loading={names.isPending}
        loadingText="Loading projects"
        selectionType="single"
        selectedItems={picked === undefined ? [] : [picked]}
        onSelectionChange={({ detail }) => select(detail.selectedItems[0]?.name)}
        {...(sorting === undefined ? {} : { sortingColumn: sorting })}
        sortingDescending={shown.sortOrder === "DESCENDING"}
        onSortingChange={({ detail }) =>
          show({
            ...shownOf(new URLSearchParams({ sortBy: detail.sortingColumn.sortingField ?? "" })),
            text: shown.text,
            sortOrder: detail.isDescending === true ? "DESCENDING" : "ASCENDING",
          })
        }
        ariaLabels={{ tableLabel: "Build projects", selectionGroupLabel: "Project to act on", itemSelectionLabel: (_, row) => row.name }}
        filter={
          <TextFilter
            filteringText={shown.text}
            filteringPlaceholder="Find projects by name"
            filteringAriaLabel="Find projects by name"
            countText={found.length === 1 ? "1 match" : `${found.length} matches`}
            onChange={({ detail }) => show({ text: detail.filteringText, page: 1 })}
          />
        }
        pagination={<Pagination currentPageIndex={page.page} pagesCount={page.pages} onChange={({ detail }) => show({ page: detail.currentPageIndex })} />}
        empty={
          none ? (
            <Empty
              title="No build projects yet"
              action={
                <AppButton variant="primary" to={paths.newProject()}>
                  Create build project
                </AppButton>
              }
            >
              A build project names a repository and the commands that build it. Each push can then start a build, and so can you. Connect a source provider first if the repository is private.
            </Empty>
          ) : (
            <Empty title="No project matches" action={<Button onClick={() => show({ text: "", page: 1 })}>Clear filter</Button>}>
              No project has “{shown.text}” in its name.
            </Empty>
          )
        }
      />
      {deleting !== undefined && <DeleteProject name={deleting} onDeleted={() => select(undefined)} onDismiss={() => setDeleting(undefined)} />}
    </Page>
  );
}
