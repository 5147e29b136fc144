import Button from "@cloudscape-design/components/button";
import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { keepPreviousData, useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import { slipway } from "../api/slipway";
import type { ListWebhookDeliveriesOutput, WebhookDeliverySummary } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { liveInterval } from "../app/query";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { NoDeliveries } from "./NoDeliveries";
import { Said } from "./Said";
import { useProjectNames } from "./useProjectNames";
import { cameWords, plain, providers, signatureWords, stateWords } from "./words";
import css from "./webhooks.module.css";

const columns: readonly TableProps.ColumnDefinition<WebhookDeliverySummary>[] = [
  { id: "id", header: "Delivery", minWidth: 90, isRowHeader: true, cell: (d) => <AppLink to={paths.delivery(d.id)}>{d.id}</AppLink> },
  { id: "received", header: "Received", minWidth: 150, cell: (d) => <Time at={d.received} /> },
  { id: "provider", header: "Provider", minWidth: 110, cell: (d) => (d.serverType === undefined ? "–" : providers[d.serverType]) },
  { id: "repository", header: "Repository", cell: (d) => plain(d.repository ?? "–") },
  { id: "event", header: "Event", minWidth: 130, cell: (d) => plain(d.event ?? "–") },
  { id: "signature", header: "Signature", minWidth: 120, cell: (d) => <Said words={signatureWords[d.signature]} /> },
  { id: "state", header: "State", minWidth: 130, cell: (d) => <Said words={stateWords[d.state]} /> },
  { id: "outcome", header: "What came of it", minWidth: 220, cell: (d) => <Outcome delivery={d} /> },
  { id: "repeats", header: "Repeats", cell: (d) => d.repeats ?? 0 },
];

/** The deliveries kept, newest first. */
export default function DeliveriesPage() {
  const [search, setSearch] = useSearchParams();
  const projectName = search.get("projectName") ?? "";
  const names = useProjectNames();
  const query = useInfiniteQuery({
    queryKey: ["webhooks", "deliveries", projectName],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      slipway("ListWebhookDeliveries", { maxResults: 50, ...(projectName === "" ? {} : { projectName }), ...(pageParam === "" ? {} : { nextToken: pageParam }) }, signal),
    getNextPageParam: (page: ListWebhookDeliveriesOutput) => (page.nextToken === "" ? undefined : page.nextToken),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (pending(state.data) ? liveInterval : 5 * liveInterval),
  });
  const deliveries = query.data?.pages.flatMap((p) => p.deliveries ?? []) ?? [];
  const options = [{ value: "", label: "All projects" }, ...(names.data ?? []).map((name) => ({ value: name, label: name }))];
  if (projectName !== "" && !options.some((o) => o.value === projectName)) options.push({ value: projectName, label: projectName });
  return (
    <Page
      title="Webhook deliveries"
      description="What source providers told, newest first, and what came of it. Deliveries are kept for some weeks."
      actions={<AppButton to={paths.testDelivery(projectName === "" ? undefined : projectName)}>Test a payload</AppButton>}
    >
      <ProblemAlert error={query.error} doing="list the deliveries" retry={() => void query.refetch()} />
      <Table
        variant="container"
        ariaLabels={{ tableLabel: "Webhook deliveries" }}
        wrapLines
        trackBy="id"
        header={
          <Header variant="h2" counter={`(${deliveries.length}${query.hasNextPage ? "+" : ""})`}>
            Deliveries
          </Header>
        }
        filter={
          <div style={{ maxWidth: 400 }}>
            <Select
              ariaLabel="Project"
              inlineLabelText="Project"
              selectedOption={options.find((o) => o.value === projectName) ?? null}
              options={options}
              filteringType={options.length > 8 ? "auto" : "none"}
              filteringAriaLabel="Find a project"
              onChange={({ detail }) =>
                setSearch((now) => {
                  const next = new URLSearchParams(now);
                  if (detail.selectedOption.value === undefined || detail.selectedOption.value === "") next.delete("projectName");
                  else next.set("projectName", detail.selectedOption.value);
                  return next;
                })
              }
            />
          </div>
        }
        columnDefinitions={columns}
        items={deliveries}
        loading={query.isPending}
        loadingText="Loading deliveries"
        empty={query.isError ? "The deliveries could not be read." : <NoDeliveries projectName={projectName} />}
        footer={
          query.hasNextPage ? (
            <Box textAlign="center">
              <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Load more
              </Button>
            </Box>
          ) : undefined
        }
      />
    </Page>
  );
}

function pending(data: InfiniteData<ListWebhookDeliveriesOutput> | undefined): boolean {
  return data?.pages.some((p) => (p.deliveries ?? []).some((d) => d.state === "PENDING")) === true;
}

function Outcome({ delivery: { buildIds = [], note = "", state, outcome, reason = "" } }: { delivery: WebhookDeliverySummary }) {
  return (
    <SpaceBetween size="xxs">
      {buildIds.map((id) => (
        <AppLink key={id} to={paths.build(id)}>
          {id}
        </AppLink>
      ))}
      {outcome !== undefined && !(outcome === "BUILD" && buildIds.length > 0) && (
        <span className={css["text"]}>
          <Said words={cameWords(outcome, reason)} />
        </span>
      )}
      {note !== "" && <span className={css["text"]}>{plain(note)}</span>}
      {buildIds.length === 0 && note === "" && outcome === undefined && (state === "DONE" ? "Built nothing" : "–")}
    </SpaceBetween>
  );
}
