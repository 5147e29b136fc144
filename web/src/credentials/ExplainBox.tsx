import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import type { CredentialRung, ExplainCredentialOutput, ServerType } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { ProblemAlert } from "../parts/ProblemAlert";
import { providers, serverTypeOf } from "./providers";
import { explainQuery } from "./queries";
import { repositoryOf } from "./repository";
import { basisWords, handle, matchWords, title } from "./words";

const anyProvider = { value: "", label: "As the host tells" };
const options: { value: string; label: string }[] = [anyProvider, ...providers.map((p) => ({ value: p.serverType, label: p.name }))];

/** Tells which credential serves a repository, and why. What was asked stands in the address. */
export function ExplainBox() {
  const [params, setParams] = useSearchParams();
  const asked = params.get("repositoryUrl") ?? "";
  const serverType = serverTypeOf(params.get("serverType"));
  const [text, setText] = useState(asked);
  const [provider, setProvider] = useState<string>(serverType ?? "");
  const [fault, setFault] = useState<string>();
  const { data, error, isFetching, refetch } = useQuery(explainQuery(asked, serverType));
  const ask = () => {
    const found = repositoryOf(text);
    setFault("fault" in found ? found.fault : undefined);
    if ("fault" in found) return;
    setText(found.url);
    if (found.url === asked && provider === (serverType ?? "")) void refetch();
    else setParams({ repositoryUrl: found.url, ...(provider === "" ? {} : { serverType: provider }) });
  };
  return (
    <Container header={<Header variant="h2" description="Several credentials may fit a repository. The first that applies is used.">Which credential wins for a repository?</Header>}>
      <SpaceBetween size="m">
        <form
          onSubmit={(e) => {
            e.preventDefault();
            ask();
          }}
        >
          <Grid gridDefinition={[{ colspan: { default: 12, xs: 6 } }, { colspan: { default: 12, xs: 4 } }, { colspan: { default: 12, xs: 2 } }]}>
            <FormField label="Repository URL" errorText={fault} stretch>
              <Input value={text} onChange={(e) => setText(e.detail.value)} placeholder="https://github.com/owner/repository" spellcheck={false} />
            </FormField>
            <FormField label="Source provider" stretch>
              <Select selectedOption={options.find((o) => o.value === provider) ?? anyProvider} options={options} onChange={(e) => setProvider(e.detail.selectedOption.value ?? "")} />
            </FormField>
            <Box padding={{ top: "xl" }}>
              <Button formAction="submit" loading={isFetching && asked !== ""}>
                Explain
              </Button>
            </Box>
          </Grid>
        </form>
        <div aria-live="polite">
          <ProblemAlert error={asked === "" ? null : error} doing="explain it" />
          {asked !== "" && data !== undefined && <Ladder explained={data} />}
        </div>
      </SpaceBetween>
    </Container>
  );
}

function Ladder({ explained }: { explained: ExplainCredentialOutput }) {
  const rungs = (explained.rungs ?? []).map((rung, i) => ({ ...rung, id: String(i + 1) }));
  return (
    <SpaceBetween size="s">
      {explained.message !== undefined && <Alert type={rungs.some((r) => r.wins) ? "success" : "warning"}>{explained.message}</Alert>}
      <Table
        variant="embedded"
        wrapLines
        items={rungs}
        trackBy="id"
        ariaLabels={{ tableLabel: "Credentials in the order in which they are asked" }}
        empty="There is no credential that could serve it."
        columnDefinitions={[
          { id: "place", header: "#", width: 50, cell: (r) => r.id },
          { id: "basis", header: "Basis", minWidth: 150, cell: (r) => basisWords(r.basis) },
          { id: "credential", header: "Credential", minWidth: 150, isRowHeader: true, cell: (r) => <RungCredential rung={r} serverType={explained.serverType} /> },
          { id: "for", header: "For", minWidth: 120, cell: (r) => matchWords(r.match) ?? "–" },
          { id: "verdict", header: "Result", minWidth: 160, cell: (r) => <Verdict rung={r} /> },
          { id: "why", header: "Why", minWidth: 200, cell: (r) => r.reason ?? "–" },
        ]}
      />
    </SpaceBetween>
  );
}

function RungCredential({ rung, serverType }: { rung: CredentialRung; serverType: ServerType | undefined }) {
  if (rung.arn === undefined || rung.arn === "") return <>–</>;
  const about = { serverType: serverType ?? "GITHUB", ...(rung.name === undefined ? {} : { name: rung.name }) };
  const known = rung.basis === "DEFAULT" || (rung.name !== undefined && rung.name !== "");
  return (
    <span style={{ overflowWrap: "anywhere" }}>
      <AppLink to={paths.sourceProvider(known ? handle(about) : rung.arn)}>{known ? title(about) : rung.arn}</AppLink>
    </span>
  );
}

function Verdict({ rung }: { rung: CredentialRung }) {
  if (rung.wins) return <StatusIndicator type="success">Wins</StatusIndicator>;
  if (rung.applies) return <StatusIndicator type="info">Applies</StatusIndicator>;
  return <StatusIndicator type="stopped">Does not apply</StatusIndicator>;
}
