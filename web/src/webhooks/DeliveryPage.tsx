import Box from "@cloudscape-design/components/box";
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "wouter";
import { slipway } from "../api/slipway";
import type { ProjectVerdict, WebhookDeliverySummary } from "../api/slipway.gen";
import { paths, useGo } from "../app/navigate";
import { useNotify } from "../app/notifications";
import { liveInterval } from "../app/query";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { Payload } from "./Payload";
import { Code, Said } from "./Said";
import { Verdict } from "./Verdict";
import { plain, providers, signatureWords, stateWords } from "./words";

/** One delivery and what came of it. */
export default function DeliveryPage() {
  const { id } = useParams<{ id: string }>();
  const query = useQuery({
    queryKey: ["webhooks", "delivery", id],
    queryFn: ({ signal }) => slipway("DescribeWebhookDelivery", { id }, signal),
    refetchInterval: ({ state }) => (state.data?.delivery?.state === "PENDING" ? liveInterval : false),
  });
  const { delivery, verdicts = [], headers = {}, payload = "" } = query.data ?? {};
  return (
    <Page
      title={`Delivery ${id}`}
      crumbs={[{ text: "Webhook deliveries", to: paths.deliveries() }]}
      actions={delivery === undefined ? undefined : <Actions id={id} projectName={verdicts[0]?.projectName} kept={payload !== ""} />}
    >
      <ProblemAlert error={query.error} doing="read the delivery" retry={() => void query.refetch()} />
      {query.isPending && <Loading what="delivery" minHeight={600} />}
      {delivery !== undefined && (
        <SpaceBetween size="l">
          <Summary delivery={delivery} />
          <Verdicts delivery={delivery} verdicts={verdicts} />
          <Headers headers={headers} />
          {payload === "" ? <Container header={<Header variant="h2">Payload</Header>}>The payload was not kept.</Container> : <Payload text={payload} name={id} />}
        </SpaceBetween>
      )}
    </Page>
  );
}

function Actions({ id, projectName, kept }: { id: string; projectName: string | undefined; kept: boolean }) {
  const go = useGo();
  const notify = useNotify();
  const [busy, setBusy] = useState(false);
  const redeliver = async () => {
    setBusy(true);
    try {
      const { id: made } = await slipway("RedeliverWebhookDelivery", { id });
      notify({ type: "success", content: `Delivered again as ${made ?? ""}, against today's filters.` });
      if (made !== undefined) go(paths.delivery(made));
    } catch (e) {
      notify({ type: "error", header: "Could not deliver it again", content: e instanceof Error ? e.message : String(e) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <AppButton to={paths.testDelivery(projectName, id)} disabled={!kept}>
        Test with other filters
      </AppButton>
      <Button loading={busy} disabled={!kept} disabledReason="The payload was not kept" onClick={() => void redeliver()}>
        Redeliver
      </Button>
    </SpaceBetween>
  );
}

function Summary({ delivery: d }: { delivery: WebhookDeliverySummary }) {
  const builds = d.buildIds ?? [];
  return (
    <Container header={<Header variant="h2">Summary</Header>}>
      <SpaceBetween size="m">
        {d.note !== undefined && d.note !== "" && <Alert type={d.state === "REFUSED" ? "error" : "info"}>{plain(d.note)}</Alert>}
        <KeyValuePairs
          columns={4}
          items={[
            { label: "State", value: <Said words={stateWords[d.state]} /> },
            { label: "Signature", value: <Said words={signatureWords[d.signature]} /> },
            { label: "Received", value: <Time at={d.received} /> },
            { label: "Provider", value: d.serverType === undefined ? "–" : providers[d.serverType] },
            { label: "Repository", value: <Code>{d.repository}</Code> },
            { label: "Event", value: <Code>{d.event}</Code> },
            { label: "The provider's id", value: <Code>{d.providerDeliveryId}</Code> },
            { label: "Repeats", value: d.repeats === undefined || d.repeats === 0 ? "0" : `${d.repeats}; they were answered and built nothing` },
            ...(d.redelivery === true ? [{ label: "Origin", value: "Delivered again from here" }] : []),
            {
              label: "Builds",
              value:
                builds.length === 0 ? (
                  "None"
                ) : (
                  <SpaceBetween size="xxs">
                    {builds.map((b) => (
                      <AppLink key={b} to={paths.build(b)}>
                        {b}
                      </AppLink>
                    ))}
                  </SpaceBetween>
                ),
            },
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function Verdicts({ delivery, verdicts }: { delivery: WebhookDeliverySummary; verdicts: readonly ProjectVerdict[] }) {
  if (verdicts.length === 0) {
    const pending = delivery.state === "PENDING";
    return (
      <Container header={<Header variant="h2">Verdicts</Header>}>
        <Empty title={pending ? "It is not evaluated yet" : "No project's filters were asked"}>
          {pending ? "This takes a moment." : delivery.state === "REFUSED" ? "A refused delivery is held against no filter." : "It is about nothing that builds, or no project heard it."}
        </Empty>
      </Container>
    );
  }
  return (
    <SpaceBetween size="l">
      {verdicts.map((v, i) => (
        <Container
          key={`${v.projectName}.${i}`}
          header={
            <Header variant="h2">
              Verdict for <AppLink to={paths.project(v.projectName)} fontSize="heading-m">{v.projectName}</AppLink>
            </Header>
          }
        >
          <Verdict verdict={v} />
        </Container>
      ))}
    </SpaceBetween>
  );
}

function Headers({ headers }: { headers: Readonly<Record<string, string>> }) {
  const all = Object.entries(headers).sort(([a], [b]) => a.localeCompare(b));
  return (
    <ExpandableSection variant="container" headerText="Headers" headerCounter={`(${all.length})`}>
      {all.length === 0 ? (
        <Box color="text-body-secondary">None are kept.</Box>
      ) : (
        <KeyValuePairs columns={2} items={all.map(([label, value]) => ({ label, value: <Code>{value}</Code> }))} />
      )}
    </ExpandableSection>
  );
}
