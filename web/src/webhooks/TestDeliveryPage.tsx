import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { slipway } from "../api/slipway";
import type { TestWebhookOutput } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { FilterEditor } from "./FilterEditor";
import { ofWebhook, type FilterGroups } from "./filters";
import { TestPayload, type Tested } from "./TestPayload";
import { TestResult } from "./TestResult";
import { useProjectNames } from "./useProjectNames";
import { providerOf, useProjectWebhook } from "./useWebhook";

/** Holds a payload against a project's filters, or others, without building. */
export default function TestDeliveryPage() {
  const [search, setSearch] = useSearchParams();
  const projectName = search.get("projectName") ?? "";
  const deliveryId = search.get("deliveryId") ?? "";
  const names = useProjectNames();
  const settings = useProjectWebhook(projectName);
  const [tested, setTested] = useState<Tested>({ payload: "", event: "" });
  const [edited, setEdited] = useState<FilterGroups>(); // undefined for the project's own
  const [answer, setAnswer] = useState<TestWebhookOutput>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const kept = search.get("payload") !== "own" && (deliveryId !== "" || search.get("payload") === "kept");
  const server = providerOf(settings.data?.sourceType ?? "");

  const set = (name: string, value: string) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now);
        if (value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const test = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const of = kept ? { deliveryId } : { payload: tested.payload, ...(tested.event === "" ? {} : { event: tested.event }) };
      setAnswer(await slipway("TestWebhook", { projectName, ...of, ...(edited === undefined ? {} : { filterGroups: edited }) }));
    } catch (e) {
      setAnswer(undefined);
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const missing =
    projectName === ""
      ? "Choose a project"
      : kept && deliveryId === ""
        ? "Choose a delivery"
        : !kept && tested.payload === ""
          ? "Give a payload"
          : edited?.length === 0 // which the server would take for the project's own
            ? "Add a filter group"
            : undefined;
  return (
    <Page
      title="Test a payload"
      crumbs={[{ text: "Webhook deliveries", to: paths.deliveries() }]}
      description="Hold a payload against a project's filters, or others, without building anything."
    >
      <Container header={<Header variant="h2">What to test</Header>}>
        <SpaceBetween size="l">
          <FormField label="Project">
            <Select
              selectedOption={projectName === "" ? null : { value: projectName, label: projectName }}
              options={(names.data ?? []).map((name) => ({ value: name, label: name }))}
              placeholder="Choose a project"
              statusType={names.isPending ? "loading" : names.isError ? "error" : "finished"}
              loadingText="Loading projects"
              errorText="The projects could not be listed"
              empty="There are no projects"
              filteringType={(names.data?.length ?? 0) > 8 ? "auto" : "none"}
              filteringAriaLabel="Find a project"
              onChange={({ detail }) => {
                setEdited(undefined);
                setAnswer(undefined);
                set("projectName", detail.selectedOption.value ?? "");
              }}
            />
          </FormField>
          <TestPayload projectName={projectName} kept={kept} deliveryId={deliveryId} value={tested} onChange={setTested} set={set} server={server} />
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">Filters</Header>}>
        <SpaceBetween size="l">
          <FormField label="Hold it against" stretch>
            <Tiles
              value={edited === undefined ? "project" : "edited"}
              columns={2}
              items={[
                { value: "project", label: "The project's filters", description: "As its webhook has them now" },
                { value: "edited", label: "Other filters", description: "Nothing is saved", disabled: server === undefined },
              ]}
              onChange={({ detail }) => setEdited(detail.value === "edited" ? ofWebhook(settings.data?.webhook?.filterGroups) : undefined)}
            />
          </FormField>
          <ProblemAlert error={settings.error} doing="read the project" retry={() => void settings.refetch()} />
          {edited !== undefined && server !== undefined && (
            <FilterEditor value={edited} onChange={setEdited} preview={{ projectName, serverType: server, repositoryUrl: settings.data?.repositoryUrl ?? "" }} />
          )}
        </SpaceBetween>
      </Container>
      <div>
        <Button variant="primary" loading={busy} disabled={missing !== undefined} {...(missing === undefined ? {} : { disabledReason: missing })} onClick={() => void test()}>
          Test
        </Button>
      </div>
      <ProblemAlert error={error} doing="test the payload" />
      <div aria-live="polite">{answer !== undefined && <TestResult answer={answer} />}</div>
    </Page>
  );
}
