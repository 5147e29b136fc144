import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { CredentialHealth, CredentialSummary, JobAbility } from "../api/slipway.gen";
import { Advice } from "../parts/Advice";
import { ExternalLink } from "../parts/ExternalLink";
import { linkHost, webLink } from "../parts/link";
import { Time } from "../parts/Time";
import { Expiry } from "./Expiry";
import { abilityWords, dead, jobWords, kindWords, ownerWords, scopeWords, stateWords, stepTold, whyNot } from "./words";

/** What the last check of a credential found: how it is, what it can do, and what to do about what it cannot. */
export function Health({ credential }: { credential: CredentialSummary }) {
  const { health } = credential;
  if (health === undefined) return <Box>It was not checked yet.</Box>;
  const state = stateWords(health);
  const tried = [health.host, health.repository].filter((part) => part !== undefined && part !== "").join(" ");
  const said = health.message ?? "";
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={3}
        items={[
          { label: "State", value: <StatusIndicator type={state.type}>{state.text}</StatusIndicator> },
          { label: "Owner", value: ownerWords(health) },
          { label: "Kind", value: kindWords(health.tokenKind) },
          { label: "Scopes", value: scopeWords(health) ?? "The provider does not tell" },
          { label: "Expires", value: <Expiry expires={credential.expires} /> },
          { label: "Checked", value: <Time at={health.checked} none="Not yet" /> },
          ...(tried === "" ? [] : [{ label: "Tried at", value: tried }]),
        ]}
      />
      {health.state !== "VALID" && (said !== "" || (health.nextStep ?? "") !== "") && (
        <Alert type={dead(health.state) ? "error" : "warning"} header={said === "" ? undefined : said}>
          <NextStep step={health.nextStep} link={health.link} />
        </Alert>
      )}
      {(health.jobs ?? []).length > 0 && <Jobs jobs={health.jobs ?? []} health={health} />}
      {(health.warnings ?? []).map((warning) => (
        <Alert key={warning} type="warning">
          {warning}
        </Alert>
      ))}
    </SpaceBetween>
  );
}

/** What to do, and the link where, if it is not among the words. */
export function NextStep({ step = "", link }: { step: string | undefined; link: string | undefined }) {
  const to = webLink(link);
  return (
    <>
      <Advice text={step} here="with Replace token" />
      {to !== undefined && !step.includes(to) && (
        <>
          {" "}
          <ExternalLink to={to}>Open {linkHost(to)}</ExternalLink>
        </>
      )}
    </>
  );
}

/** What a credential can do, job by job. What was said of the whole credential is not said again. */
function Jobs({ jobs, health }: { jobs: readonly JobAbility[]; health: CredentialHealth }) {
  return (
    <Table
      variant="embedded"
      wrapLines
      items={jobs}
      trackBy="job"
      ariaLabels={{ tableLabel: "What it can do" }}
      columnDefinitions={[
        {
          id: "job",
          minWidth: 200,
          header: "Job",
          isRowHeader: true,
          cell: (j) => (
            <>
              <div>{jobWords(j.job).name}</div>
              <Box color="text-body-secondary" fontSize="body-s">
                {jobWords(j.job).why}
              </Box>
            </>
          ),
        },
        {
          id: "ability",
          minWidth: 170,
          header: "Result",
          cell: (j) => {
            const { type, text } = abilityWords(j.ability);
            return <StatusIndicator type={type}>{text}</StatusIndicator>;
          },
        },
        {
          id: "why",
          minWidth: 240,
          header: "Why, and what to do",
          cell: (j) => {
            if (j.ability === "YES") return "–";
            const why = whyNot(j);
            const said = why === "" || why === health.message;
            const told = stepTold(j, health);
            if (said && told) return "See above";
            const missing = (j.missing ?? []).filter((scope) => !why.includes(scope));
            return (
              <SpaceBetween size="xxs">
                {!said && <div>{why}</div>}
                {missing.length > 0 && <div>Missing: {missing.join(", ")}</div>}
                {!told && <NextStep step={j.nextStep} link={j.link} />}
              </SpaceBetween>
            );
          },
        },
      ]}
    />
  );
}
