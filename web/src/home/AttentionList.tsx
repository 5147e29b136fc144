import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import List from "@cloudscape-design/components/list";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { slipway } from "../api/slipway";
import type { CredentialSummary, GetBuildStatisticsOutput, WebhookSummary } from "../api/slipway.gen";
import { Advice } from "../parts/Advice";
import { AppLink } from "../parts/AppLink";
import { Loading } from "../parts/Loading";
import { attention, type Attention } from "./attention";

const words = { error: "Error", warning: "Warning", info: "Note" } as const;

/** What needs attention, the worst first, and a look at everything for whoever wants one. */
export function AttentionList({
  credentials,
  webhooks,
  statistics,
}: {
  credentials: readonly CredentialSummary[] | undefined;
  webhooks: readonly WebhookSummary[] | undefined;
  statistics: GetBuildStatisticsOutput | undefined;
}) {
  const [asked, setAsked] = useState(false);
  const doctor = useQuery({ queryKey: ["doctor"], queryFn: ({ signal }) => slipway("Diagnose", {}, signal), enabled: asked });
  const known = credentials === undefined || webhooks === undefined || statistics === undefined ? undefined : attention(credentials, webhooks, statistics);
  return (
    <Container
      fitHeight
      header={
        <Header
          variant="h2"
          counter={known === undefined ? undefined : `(${known.length})`}
          actions={
            <Button loading={doctor.isFetching} onClick={() => (asked ? void doctor.refetch() : setAsked(true))}>
              Check everything
            </Button>
          }
        >
          Needs attention
        </Header>
      }
    >
      {known === undefined ? (
        <Loading what="what needs attention" minHeight={96} />
      ) : known.length === 0 ? (
        <StatusIndicator type="success">Nothing: tokens, webhooks and the queue are well.</StatusIndicator>
      ) : (
        <List
          ariaLabel="Needs attention"
          items={known}
          renderItem={(a: Attention) => ({
            id: a.text,
            content: (
              <Sign type={a.level} label={words[a.level]}>
                <AppLink to={a.to}>{a.text}</AppLink>
              </Sign>
            ),
            secondaryContent: a.fix === undefined || a.fix === "" ? undefined : <Told advice={a.fix} />,
          })}
        />
      )}
      {doctor.data !== undefined && (
        <Box padding={{ top: "m" }}>
          <List
            ariaLabel="Everything that was checked"
            items={doctor.data.findings ?? []}
            renderItem={(f) => ({
              id: `${f.area} ${f.subject ?? ""} ${f.message}`,
              content: (
                <Sign type={f.level === "OK" ? "success" : f.level === "WARNING" ? "warning" : "error"} label={f.level === "OK" ? "Well" : f.level === "WARNING" ? "Warning" : "Error"}>
                  <Advice text={`${f.subject === undefined || f.subject === "" ? f.area : `${f.area} ${f.subject}`}: ${f.message}`} />
                </Sign>
              ),
              secondaryContent: f.fix === undefined || f.fix === "" ? undefined : <Told advice={f.fix} />,
            })}
          />
        </Box>
      )}
      {doctor.error !== null && <StatusIndicator type="error">{doctor.error.message}</StatusIndicator>}
    </Container>
  );
}

/** A sign beside some words, which are broken where words end. */
function Sign({ type, label, children }: { type: StatusIndicatorProps.Type; label: string; children: ReactNode }) {
  return (
    <div style={{ display: "flex", gap: 6 }}>
      <StatusIndicator type={type} iconAriaLabel={label} />
      <div style={{ minWidth: 0 }}>{children}</div>
    </div>
  );
}

/** What to do, below the words beside a sign. */
function Told({ advice }: { advice: string }) {
  return (
    <div style={{ paddingInlineStart: 26 }}>
      <Box color="text-body-secondary">
        <Advice text={advice} />
      </Box>
    </div>
  );
}
