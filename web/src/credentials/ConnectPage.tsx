import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { ConnectForm } from "./ConnectForm";
import { providers, serverTypeOf } from "./providers";
import { credentialQuery } from "./queries";

/** Connects a source provider with a token, or gives a credential another one. */
export default function ConnectPage() {
  const [params, setParams] = useSearchParams();
  const replaces = params.get("replaces") ?? "";
  const { data, error, isLoading, refetch } = useQuery({ ...credentialQuery(replaces), staleTime: Infinity });
  const replaced = replaces === "" ? undefined : data?.credential;
  const serverType = replaced?.serverType ?? serverTypeOf(params.get("serverType")) ?? "GITHUB";
  const [connected, setConnected] = useState(false);
  const options = providers.map((p) => ({ value: p.serverType, label: p.name }));
  return (
    <Page
      title={replaces === "" ? "Connect a source provider" : "Replace a token"}
      crumbs={[{ text: "Source providers", to: paths.sourceProviders() }]}
      description="CodeBuild fetches source, reports build statuses and manages webhooks with an access token of your source provider."
    >
      <Container header={<Header variant="h2">Source</Header>}>
        <SpaceBetween size="l">
          <FormField label="Source provider" {...(replaces === "" ? {} : { description: "That of the credential whose token is replaced." })}>
            <Select
              selectedOption={options.find((o) => o.value === serverType) ?? null}
              options={options}
              disabled={replaces !== ""}
              onChange={(e) => {
                setConnected(false);
                setParams({ serverType: e.detail.selectedOption.value ?? "GITHUB" }, { replace: true });
              }}
            />
          </FormField>
          <ProblemAlert error={replaces === "" ? null : error} doing="load the credential" retry={() => void refetch()} />
          {isLoading ? (
            <Loading what="the credential" minHeight={600} />
          ) : (
            (replaces === "" || replaced !== undefined) && <ConnectForm serverType={serverType} {...(replaced === undefined ? {} : { replaces: replaced })} onConnected={() => setConnected(true)} />
          )}
        </SpaceBetween>
      </Container>
      {connected && (
        <SpaceBetween direction="horizontal" size="xs">
          <AppButton variant="primary" to={paths.newProject()}>
            Create build project
          </AppButton>
          <AppButton to={paths.sourceProviders()}>View all source providers</AppButton>
        </SpaceBetween>
      )}
    </Page>
  );
}
