import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { slipway } from "../api/slipway";
import type { CredentialSummary, GetBuildStatisticsOutput, WebhookSummary } from "../api/slipway.gen";
import { Advice } from "../parts/Advice";
import { AppLink } from "../parts/AppLink";
import { Loading } from "../parts/Loading";
import { attention } from "./attention";

const bare = { margin: 0, padding: 0, listStyle: "none" } as const;
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
        <ul aria-label="Needs attention" style={bare}>
          {known.map((a) => (
            <li key={a.text}>
              <Sign type={a.level} label={words[a.level]} advice={a.fix}>
                <AppLink to={a.to}>{a.text}</AppLink>
              </Sign>
            </li>
          ))}
        </ul>
      )}
      {doctor.data !== undefined && (
        <Box padding={{ top: "m" }}>
          <ul aria-label="Everything that was checked" style={bare}>
            {(doctor.data.findings ?? []).map((f, i) => (
              <li key={i}>
                <Sign type={f.level === "OK" ? "success" : f.level === "WARNING" ? "warning" : "error"} label={f.level === "OK" ? "Well" : f.level === "WARNING" ? "Warning" : "Error"} advice={f.fix}>
                  <Advice text={`${f.subject === undefined || f.subject === "" ? f.area : `${f.area} ${f.subject}`}: ${f.message}`} />
                </Sign>
              </li>
            ))}
          </ul>
        </Box>
      )}
      {doctor.error !== null && <StatusIndicator type="error">{doctor.error.message}</StatusIndicator>}
    </Container>
  );
}

/** A sign beside some words, which are broken where words end, and what to do below them. */
function Sign({ type, label, advice = "", children }: { type: StatusIndicatorProps.Type; label: string; advice?: string | undefined; children: ReactNode }) {
  return (
    <div style={{ display: "flex", gap: 6, paddingBlock: 4 }}>
      <StatusIndicator type={type} iconAriaLabel={label} />
      <div style={{ minWidth: 0 }}>
        {children}
        {advice !== "" && (
          <Box color="text-body-secondary">
            <Advice text={advice} />
          </Box>
        )}
      </div>
    </div>
  );
}
