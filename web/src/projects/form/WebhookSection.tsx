import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { ServerType } from "../../api/slipway.gen";
import { FilterEditor } from "../../webhooks/FilterEditor";
import { firstGroup, ofWebhook, toWebhook } from "../../webhooks/filters";
import { approval, approvals } from "../../webhooks/policy";
import { serverQuery } from "../queries";
import { usePart, useProjectForm } from "./context";

/** Which events of the repository start a build. */
export function WebhookSection({ server, errors }: { server: ServerType; errors: readonly string[] }) {
  const { was } = useProjectForm();
  const [webhook, change] = usePart("webhook");
  const { data } = useQuery(serverQuery);
  const deaf = data !== undefined && data.webhooks !== true && data.polling !== true;
  const existing = was?.webhook;
  const turn = (on: boolean) => {
    const begins = on && existing === undefined && webhook.filterGroups.length === 0;
    change({ on, ...(begins ? { filterGroups: toWebhook([firstGroup(server)]) } : {}) });
  };
  return (
    <Container header={<Header variant="h2">Primary source webhook events</Header>}>
      <SpaceBetween size="l">
        <Checkbox checked={webhook.on} onChange={({ detail }) => turn(detail.checked)} description="Slipway makes a webhook at the provider, with the credential of the source.">
          Rebuild every time a code change is pushed to this repository
        </Checkbox>
        {existing !== undefined && !webhook.on && (
          <Alert type="warning">The webhook and its filter groups are deleted when you save, also at the provider unless other projects share it.</Alert>
        )}
        {webhook.on && deaf && (
          <Alert type="warning" header="Providers cannot reach this server">
            It was started without a public URL and without polling. Start it with slipway serve --public-url URL, or with --poll to have it look for changes by itself.
          </Alert>
        )}
        {webhook.on && <WebhookFields server={server} errors={errors} making={existing === undefined} />}
      </SpaceBetween>
    </Container>
  );
}

function WebhookFields({ server, errors, making }: { server: ServerType; errors: readonly string[]; making: boolean }) {
  const { form, was } = useProjectForm();
  const [webhook, change] = usePart("webhook");
  const groups = useMemo(() => ofWebhook(webhook.filterGroups.map((g) => [...g])), [webhook.filterGroups]);
  // A new webhook that says nothing of it gets the first; an old one may have none.
  const policy = approval(webhook.approval === "" && making ? "ALL_PULL_REQUESTS" : webhook.approval === "" ? undefined : webhook.approval);
  const branchFilter = was?.webhook?.branchFilter ?? "";
  return (
    <SpaceBetween size="l">
      <FormField label="Build type">
        <RadioGroup
          value={webhook.buildType === "BUILD_BATCH" ? "BUILD_BATCH" : "BUILD"}
          onChange={({ detail }) => change({ buildType: detail.value === "BUILD_BATCH" ? "BUILD_BATCH" : "BUILD" })}
          items={[
            { value: "BUILD", label: "Single build", description: "Each event that the filters let through starts one build." },
            { value: "BUILD_BATCH", label: "Batch build", description: "Recorded. Slipway starts no batch builds yet; the deliveries say so." },
          ]}
        />
      </FormField>
      {branchFilter !== "" && (
        <Alert type="info" header={`The webhook has the branch filter ${branchFilter}`}>
          It stays as long as there are no filter groups. Filter groups take its place.
        </Alert>
      )}
      <div>
        <Box variant="awsui-key-label">Webhook event filter groups</Box>
        <Box color="text-body-secondary" fontSize="body-s">
          A build starts when an event fits any of the groups. Without a group, every push and every pull request starts one.
        </Box>
      </div>
      <FilterEditor
        value={groups}
        onChange={(next) => change({ filterGroups: toWebhook(next) })}
        preview={{ serverType: server, repositoryUrl: form.source.location }}
        errors={errors}
      />
      <FormField label="Pull requests that need a comment's approval" description="A build waits until somebody with write access comments /codebuild_run(COMMIT-ID) on the pull request.">
        <Select
          selectedOption={policy}
          options={approvals}
          onChange={({ detail }) => change({ approval: approvals.find((a) => a.value === detail.selectedOption.value)?.value ?? "" })}
        />
      </FormField>
      {making && (
        <Checkbox checked={webhook.manual} onChange={({ detail }) => change({ manual: detail.checked })} description="Slipway makes nothing there. You get the payload URL and the secret to enter.">
          I set the webhook up at the provider by hand (manual creation)
        </Checkbox>
      )}
    </SpaceBetween>
  );
}
