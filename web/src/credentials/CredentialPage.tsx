import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "wouter";
import type { CredentialSummary } from "../api/slipway.gen";
import { paths, useGo } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { ProjectLinks } from "./CredentialsTable";
import { DeleteModal } from "./DeleteModal";
import { HealthBox } from "./HealthBox";
import { providerName, selfHosted } from "./providers";
import { credentialQuery } from "./queries";
import { UsesTable } from "./UsesTable";
import { handle, matchWords, title } from "./words";

/** One credential. */
export default function CredentialPage() {
  const word = decoded(useParams<{ credential: string }>().credential);
  const { data, error, isPending, refetch } = useQuery(credentialQuery(word));
  const [deleting, setDeleting] = useState(false);
  const go = useGo();
  const credential = data?.credential;
  return (
    <Page
      title={credential === undefined ? "Source credential" : title(credential)}
      crumbs={[{ text: "Source providers", to: paths.sourceProviders() }]}
      actions={
        credential !== undefined && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setDeleting(true)}>Delete</Button>
            <AppButton to={paths.connect(credential.serverType, handle(credential))}>Replace token</AppButton>
          </SpaceBetween>
        )
      }
    >
      <ProblemAlert error={error} doing="load the credential" retry={() => void refetch()} />
      {isPending && <Loading what="the credential" minHeight={600} />}
      {credential !== undefined && (
        <SpaceBetween size="l">
          <HealthBox key={credential.modified} credential={credential} />
          <About credential={credential} />
          <UsesTable credential={credential.arn} />
          <CommandLine credential={credential} />
          {deleting && <DeleteModal credential={credential} onDeleted={() => go(paths.sourceProviders())} onDismiss={() => setDeleting(false)} />}
        </SpaceBetween>
      )}
    </Page>
  );
}

/** A part of an address as it was before it was escaped: the router leaves the colons and slashes of an ARN as they are there. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function About({ credential: c }: { credential: CredentialSummary }) {
  const fact = (label: string, value: string | undefined) => (value === undefined || value === "" ? [] : [{ label, value: <span style={{ overflowWrap: "anywhere" }}>{value}</span> }]);
  const isNamed = c.name !== undefined && c.name !== "";
  return (
    <Container header={<Header variant="h2">What it is, and where it applies</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          ...fact("ARN", c.arn),
          ...fact("Connection", c.connectionArn),
          ...fact("Refers to", c.resource),
          ...fact("Source provider", providerName(c.serverType)),
          ...fact("Authorization type", c.authType),
          ...fact("Username", c.username),
          { label: "For", value: matchWords(c.match) ?? (isNamed ? "Projects whose source names it" : "Whatever no other credential is for") },
          ...(selfHosted(c.serverType) ? [{ label: "Hosts", value: c.hosts === undefined || c.hosts.length === 0 ? "That of the first repository that it is used for" : c.hosts.join(", ") }] : []),
          { label: "Created", value: <Time at={c.created} /> },
          { label: "Token imported", value: <Time at={c.modified} /> },
          { label: "Last used", value: <Time at={c.lastUsed} none="Never" /> },
          { label: "Used by", value: c.usedBy === undefined || c.usedBy.length === 0 ? "No project" : <ProjectLinks projects={c.usedBy} /> },
        ]}
      />
    </Container>
  );
}

function CommandLine({ credential }: { credential: CredentialSummary }) {
  const word = handle(credential);
  const lines = [`slipway credential show ${word}`, `slipway credential verify ${word}`, `slipway credential uses ${word}`];
  return (
    <Container header={<Header variant="h2">The same on the command line</Header>}>
      <SpaceBetween size="s">
        {lines.map((line) => (
          <CopyToClipboard key={line} variant="inline" textToCopy={line} copyButtonAriaLabel={`Copy ${line}`} copySuccessText="Copied" copyErrorText="Could not copy" />
        ))}
        <Box color="text-body-secondary">
          A token, hosts, match and expiry are changed by importing it again: choose Replace token, or see <Box variant="code">slipway credential import --help</Box>.
        </Box>
      </SpaceBetween>
    </Container>
  );
}
