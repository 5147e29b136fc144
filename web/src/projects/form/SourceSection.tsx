import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { CredentialSummary, ServerType } from "../../api/slipway.gen";
import { credentialsQuery, explainQuery } from "../../credentials/queries";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { firstGroup, toWebhook } from "../../webhooks/filters";
import { sample } from "../buildspec";
import { serverOf, type FilterGroups } from "../form";
import { exampleUrl, offered, providerName } from "../providers";
import { usePart, useProjectForm } from "./context";
import { Connect } from "./Connect";
import { CredentialSelect } from "./CredentialSelect";
import { Field } from "./Field";
import { RepositoryPicker } from "./RepositoryPicker";
import { SourceOptions } from "./SourceOptions";
import { SourceVersion } from "./SourceVersion";

/** Where the source comes from, and who signs in there. */
export function SourceSection() {
  const { form, patch, was } = useProjectForm();
  const [source] = usePart("source");
  const server = serverOf(source.type);
  const types = offered.includes(source.type) ? offered : [...offered, source.type];
  const options = types.map((value) => ({ value, label: providerName(value) }));
  const change = (type: string | undefined) => {
    const to = types.find((t) => t === type);
    if (to === undefined || to === source.type) return;
    // A repository, a login and a version are of one provider, and so is the group that a webhook begins with.
    const next = serverOf(to);
    const untouched = was?.webhook === undefined && server !== undefined && same(form.webhook.filterGroups, toWebhook([firstGroup(server)]));
    patch({
      ...(untouched ? { webhook: { ...form.webhook, filterGroups: next === undefined ? [] : toWebhook([firstGroup(next)]) } } : {}),
      source: { ...source, type: to, location: "", auth: next === undefined ? "" : "OAUTH", authResource: "", version: "", insecureSsl: false },
      ...(to === "NO_SOURCE" ? { buildspec: { ...form.buildspec, kind: "inline", inline: form.buildspec.inline === "" ? sample : form.buildspec.inline } } : {}),
    });
  };
  return (
    <Container header={<Header variant="h2">Source</Header>}>
      <SpaceBetween size="l">
        <Field member="source">
          <Select selectedOption={options.find((o) => o.value === source.type) ?? null} options={options} onChange={({ detail }) => change(detail.selectedOption.value)} />
        </Field>
        {server !== undefined && <Repository key={server} server={server} />}
        {server === undefined && source.type !== "NO_SOURCE" && <OtherSource />}
      </SpaceBetween>
    </Container>
  );
}

function same(a: FilterGroups, b: FilterGroups): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function Repository({ server }: { server: ServerType }) {
  const { was } = useProjectForm();
  const [source, change] = usePart("source");
  const [chosen, choose] = useState<"account" | "public">();
  const credentials = useQuery(credentialsQuery);
  const held = (credentials.data?.credentials ?? []).filter((c) => c.serverType === server);
  const access = chosen ?? (source.auth !== "" || (was !== undefined && held.length > 0) ? "account" : "public");
  const name = providerName(server);
  return (
    <SpaceBetween size="l">
      <FormField label="Repository access">
        <RadioGroup
          value={access}
          onChange={({ detail }) => {
            choose(detail.value === "public" ? "public" : "account");
            change(detail.value === "public" ? { auth: "", authResource: "" } : { auth: source.auth === "" ? "OAUTH" : source.auth });
          }}
          items={[
            { value: "account", label: `Repository in my ${name} account`, description: "Pick it among those that a connected token reaches." },
            { value: "public", label: "Public repository", description: "Type the URL of one that anybody can clone." },
          ]}
        />
      </FormField>
      <ProblemAlert error={credentials.error} doing="list the credentials" retry={() => void credentials.refetch()} />
      {access === "account" && held.length > 0 && <CredentialSelect held={held} />}
      {access === "account" && credentials.isSuccess && <Connect server={server} held={held} />}
      {access === "account" && held.length > 0 ? (
        <RepositoryPicker server={server} held={held} />
      ) : (
        <Field member="source.location" description={access === "public" ? "The HTTPS URL of the repository, without a user name or token." : undefined}>
          <Input value={source.location} placeholder={exampleUrl(server)} inputMode="url" spellcheck={false} onChange={({ detail }) => change({ location: detail.value.trim() })} />
        </Field>
      )}
      <Used server={server} held={held} />
      <SourceVersion server={server} held={held} />
      <SourceOptions server={server} />
    </SpaceBetween>
  );
}

/** Says before the first build that no credential would reach the repository. */
function Used({ server, held }: { server: ServerType; held: readonly CredentialSummary[] }) {
  const [source] = usePart("source");
  const named = source.auth === "SECRETS_MANAGER" || source.auth === "CODECONNECTIONS";
  const hosted = held.some((c) => c.hosts !== undefined && c.hosts.length > 0);
  const url = URL.canParse(source.location) ? new URL(source.location) : undefined;
  const asked = !named && source.auth === "OAUTH" && url !== undefined && hosted;
  const explained = useQuery({ ...explainQuery(asked ? source.location : "", server), retry: false });
  if (!asked || explained.data === undefined || (explained.data.arn ?? "") !== "") return null;
  return (
    <Alert type="warning" header="No credential would reach this repository">
      {explained.data.message ?? "None of those that are connected fits it."}
    </Alert>
  );
}

/** What the location is of sources that no provider with a token has. */
const places: Readonly<Record<string, string>> = {
  S3: "A bucket and the key of a ZIP file in it, as in bucket/path/source.zip, or of a folder with a slash at the end.",
  CODECOMMIT: "As in https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app. The server signs in with its own AWS credentials.",
};

function OtherSource() {
  const [source, change] = usePart("source");
  return (
    <SpaceBetween size="l">
      {source.type === "CODEPIPELINE" && <Alert type="info">A source of AWS CodePipeline is brought by a pipeline of AWS: a build that Slipway starts has to name another one.</Alert>}
      <Field member="source.location" description={places[source.type] ?? ""}>
        <Input value={source.location} spellcheck={false} onChange={({ detail }) => change({ location: detail.value })} />
      </Field>
    </SpaceBetween>
  );
}
