import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { slipway } from "../api/slipway";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { about, plain, providers } from "./words";
import { VerdictTable } from "./VerdictTable";
import css from "./webhooks.module.css";

/** Why a build was started: the delivery that did and its verdict. For builds that webhooks start. */
export function WebhookVerdict({ buildId }: { buildId: string }) {
  const list = useQuery({
    queryKey: ["ListWebhookDeliveries", { buildId }],
    queryFn: ({ signal }) => slipway("ListWebhookDeliveries", { buildId, maxResults: 1 }, signal),
    staleTime: Infinity, // a build is started once
  });
  const id = list.data?.deliveries?.[0]?.id;
  const full = useQuery({
    queryKey: ["DescribeWebhookDelivery", id],
    queryFn: ({ signal }) => slipway("DescribeWebhookDelivery", { id: id ?? "" }, signal),
    enabled: id !== undefined,
    staleTime: 60_000,
  });
  const delivery = full.data?.delivery;
  const verdicts = full.data?.verdicts ?? [];
  const verdict = verdicts.find((v) => v.buildId === buildId);
  return (
    <Container header={<Header variant="h2">Started by a webhook</Header>}>
      <div style={{ minHeight: 96 }}>
        <ProblemAlert error={list.error ?? full.error} doing="read the delivery that started this build" retry={() => void (list.isError ? list.refetch() : full.refetch())} />
        {(list.isPending || (id !== undefined && full.isPending)) && <Loading what="delivery" minHeight={96} />}
        {list.isSuccess && id === undefined && "The delivery that started this build is no longer kept."}
        {delivery !== undefined && (
          <SpaceBetween size="s">
            <KeyValuePairs
              columns={3}
              items={[
                { label: "Delivery", value: <AppLink to={paths.delivery(delivery.id)}>{delivery.id}</AppLink> },
                { label: "Provider", value: delivery.serverType === undefined ? "–" : providers[delivery.serverType] },
                { label: "Received", value: <Time at={delivery.received} /> },
              ]}
            />
            {verdict !== undefined && (
              <div className={css["text"]}>
                {plain(verdict.reason ?? "")} {about(verdict)}
              </div>
            )}
            {verdict?.groups !== undefined && verdict.groups.length > 0 && (
              <ExpandableSection headerText="Filters that let it through">
                <VerdictTable groups={verdict.groups} label="Filters that let this build through" />
              </ExpandableSection>
            )}
          </SpaceBetween>
        )}
      </div>
    </Container>
  );
}
