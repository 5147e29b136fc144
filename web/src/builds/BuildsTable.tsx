import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown, { type ButtonDropdownProps } from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import { Problem } from "../api/problem";
import type { BuildSummary } from "../api/slipway.gen";
import { href, paths, useFollow, useGo } from "../app/navigate";
import { useNotify } from "../app/notifications";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { retryBuilds } from "./actions";
import { BuildsFilters } from "./BuildsFilters";
import { columns } from "./columns";
import { ConfirmBuilds, type Confirmed } from "./ConfirmBuilds";
import { filtered, filtersOf, noFilters, underWay, withFilters, type BuildFilters } from "./search";
import { buildSearchKey, useBuildSearch } from "./useBuildSearch";
import { useSteadyRows } from "./useSteadyRows";
import { buildName, count } from "./words";

const none: readonly BuildSummary[] = [];

/** The builds, newest first: all, or those of one project. What is filtered and the page are in the address. */
export function BuildsTable({ projectName }: { projectName?: string }) {
  const [search, setSearch] = useSearchParams();
  const filters = useMemo<BuildFilters>(() => {
    const asked = filtersOf(search);
    return projectName === undefined ? asked : { ...asked, projectName };
  }, [search, projectName]);
  const setFilters = useCallback(
    (next: BuildFilters) => {
      // The page of a project has the project in its path.
      setSearch((now) => withFilters(now, projectName === undefined ? next : { ...next, projectName: undefined }), { replace: true });
    },
    [projectName, setSearch],
  );
  const { result, page, pages, more, goTo } = useBuildSearch(filters);

  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const { rows, waiting, showWaiting } = useSteadyRows(
    result.data?.builds ?? none,
    JSON.stringify([filters, page]),
    page === 1 && (pointed || focused || picked.size > 0),
  );
  const selected = rows.filter((b) => picked.has(b.id));

  const [confirming, setConfirming] = useState<{ what: Confirmed; builds: readonly BuildSummary[] }>();
  const [moving, setMoving] = useState<unknown>();
  const client = useQueryClient();
  const notify = useNotify();
  const go = useGo();
  const follow = useFollow();
  const changed = async () => {
    setPicked(new Set());
    await client.invalidateQueries({ queryKey: buildSearchKey });
  };
  const retry = async (builds: readonly BuildSummary[]) => {
    try {
      const started = await retryBuilds(builds.map((b) => b.id));
      const [only] = started;
      notify({
        type: "success",
        header: `${count(started.length, "build was", "builds were")} started`,
        content: started.length === 1 && only?.id !== undefined ? <AppLink to={paths.build(only.id)} color="inverted">{buildName({ ...only, id: only.id })}</AppLink> : undefined,
      });
    } catch (e) {
      notify({ type: "error", header: "Could not retry", content: Problem.of(e).message });
    }
    await changed();
  };
  const act = (action: string, builds: readonly BuildSummary[]) => {
    const [first] = builds;
    if (first === undefined) return;
    if (action === "stop" || action === "delete") setConfirming({ what: action, builds });
    if (action === "retry") void retry(builds);
    if (action === "change") go(paths.startBuild(first.projectName, first.id));
  };
  const columnsShown = [
    ...columns(projectName !== undefined),
    {
      id: "actions",
      header: "Actions",
      cell: (b: BuildSummary) => (
        <ButtonDropdown
          variant="inline-icon"
          ariaLabel={`Actions for build ${buildName(b)}`}
          expandToViewport
          items={rowActions(b)}
          onItemFollow={follow}
          onItemClick={({ detail }) => act(detail.id, [b])}
        />
      ),
      minWidth: 90,
    },
  ];
  const start = projectName === undefined ? paths.projects() : paths.startBuild(projectName);

  return (
    <SpaceBetween size="m">
      <ProblemAlert error={result.error ?? moving} doing="read the builds" retry={() => void result.refetch().then(() => setMoving(undefined))} />
      <div
        onPointerEnter={({ pointerType }) => setPointed(pointerType === "mouse")}
        onPointerLeave={() => setPointed(false)}
        onFocus={({ target }) => setFocused(target.closest("td, th") !== null)}
        onBlur={() => setFocused(false)}
      >
        <Table
          items={rows}
          columnDefinitions={columnsShown}
          trackBy="id"
          variant="container"
          stickyHeader
          selectionType="multi"
          selectedItems={selected}
          onSelectionChange={({ detail }) => setPicked(new Set(detail.selectedItems.map((b) => b.id)))}
          loading={result.isPending}
          loadingText="Loading builds"
          ariaLabels={{
            tableLabel: "Builds",
            selectionGroupLabel: "Select builds",
            allItemsSelectionLabel: () => "Select all builds of this page",
            itemSelectionLabel: (_, b) => `Select build ${buildName(b)}`,
          }}
          renderAriaLive={({ firstIndex, lastIndex }) => `Builds ${firstIndex} to ${lastIndex} of this page`}
          header={
            <Header
              variant="h2"
              counter={selected.length > 0 ? `(${selected.length} selected)` : undefined}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="refresh" ariaLabel="Refresh builds" onClick={() => void result.refetch()} />
                  <Button disabled={!selected.some(underWay)} onClick={() => act("stop", selected.filter(underWay))}>
                    Stop build
                  </Button>
                  <Button disabled={selected.length === 0} onClick={() => act("retry", selected)}>
                    Retry build
                  </Button>
                  <Button disabled={selected.length === 0 || selected.some(underWay)} onClick={() => act("delete", selected)}>
                    Delete build
                  </Button>
                  {projectName !== undefined && (
                    <AppButton to={start} variant="primary">
                      Start build
                    </AppButton>
                  )}
                </SpaceBetween>
              }
            >
              Builds
            </Header>
          }
          filter={
            <SpaceBetween size="xs">
              <BuildsFilters filters={filters} withinProject={projectName !== undefined} onChange={setFilters} />
              <div aria-live="polite">
                {waiting > 0 && (
                  <Alert type="info" action={<Button onClick={showWaiting}>{`Show ${count(waiting, "new build")}`}</Button>}>
                    {count(waiting, "build has", "builds have")} started meanwhile.
                  </Alert>
                )}
              </div>
            </SpaceBetween>
          }
          pagination={
            <Pagination
              currentPageIndex={page}
              pagesCount={pages}
              openEnd={more}
              ariaLabels={{ nextPageLabel: "Next page", previousPageLabel: "Previous page", pageLabel: (n) => `Page ${n}`, paginationLabel: "Pages of builds" }}
              onChange={({ detail }) => {
                setPicked(new Set());
                setMoving(undefined);
                goTo(detail.currentPageIndex).catch(setMoving);
              }}
            />
          }
          empty={
            result.isError ? (
              <Empty title="The builds could not be read" />
            ) : filtered(filters) || (projectName === undefined && filters.projectName !== undefined) ? (
              <Empty title="No build matches" action={<Button onClick={() => setFilters(noFilters)}>Clear filters</Button>}>
                No build is as the filters say.
              </Empty>
            ) : (
              <Empty
                title="No builds yet"
                action={<AppButton to={start}>{projectName === undefined ? "Go to build projects" : "Start build"}</AppButton>}
              >
                A build runs the commands of the buildspec on the source of a project. Start one by hand, or let a webhook start one at each push.
              </Empty>
            )
          }
        />
      </div>
      {confirming !== undefined && <ConfirmBuilds {...confirming} onDone={changed} onDismiss={() => setConfirming(undefined)} />}
    </SpaceBetween>
  );
}

function rowActions(b: BuildSummary): ButtonDropdownProps.Items {
  const running = underWay(b);
  return [
    { id: "log", text: "View log", href: href(paths.buildLog(b.id)) },
    { id: "retry", text: "Retry build" },
    { id: "change", text: "Retry with changes" },
    { id: "stop", text: "Stop build", disabled: !running, disabledReason: "The build has ended." },
    { id: "delete", text: "Delete build", disabled: running, disabledReason: "Stop the build first." },
  ];
}
