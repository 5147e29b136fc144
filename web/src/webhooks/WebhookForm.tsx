import type { PullRequestBuildCommentApproval, Webhook } from "@aws-sdk/client-codebuild";
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { Problem } from "../api/problem";
import type { ServerType } from "../api/slipway.gen";
import { ProblemAlert } from "../parts/ProblemAlert";
import { FilterEditor } from "./FilterEditor";
import { ofWebhook, refusedFilter, type FilterGroups } from "./filters";
import { approval, approvals } from "./policy";

/** What a form of a webhook says. */
export interface WebhookSettings {
  readonly groups: FilterGroups;
  readonly approval: PullRequestBuildCommentApproval;
  readonly manual: boolean;
}

/** Makes a webhook, or changes the filters of one. */
export function WebhookForm({
  projectName,
  server,
  repositoryUrl,
  webhook,
  onSave,
  onCancel,
}: {
  projectName: string;
  server: ServerType;
  repositoryUrl: string;
  /** The webhook to change; undefined to make one. */
  webhook: Omit<Webhook, "secret"> | undefined;
  onSave: (settings: WebhookSettings) => Promise<void>;
  onCancel: () => void;
}) {
  const making = webhook === undefined;
  const [groups, setGroups] = useState<FilterGroups>(() => ofWebhook(webhook?.filterGroups));
  const [chosen, setChosen] = useState<PullRequestBuildCommentApproval>(making ? "ALL_PULL_REQUESTS" : approval(webhook.pullRequestBuildPolicy?.requiresCommentApproval).value);
  const [manual, setManual] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onSave({ groups, approval: chosen, manual });
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  const message = error === undefined ? undefined : Problem.of(error).message;
  const aboutFilter = message !== undefined && refusedFilter(groups, message) !== undefined;
  return (
    <Container
      header={<Header variant="h2">{making ? "Create webhook" : "Edit filters"}</Header>}
      footer={
        <SpaceBetween size="s">
          {!aboutFilter && <ProblemAlert error={error} doing={making ? "create the webhook" : "save the filters"} />}
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" loading={busy} onClick={() => void save()}>
              {making ? "Create webhook" : "Save"}
            </Button>
            <Button variant="link" onClick={onCancel}>
              Cancel
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        {webhook?.branchFilter !== undefined && webhook.branchFilter !== "" && (
          <Alert type="info" header={`The webhook has the branch filter ${webhook.branchFilter}`}>
            What you save takes its place. The branch filter ^main$ is what HEAD_REF matches ^refs/heads/main$ is in a filter group.
          </Alert>
        )}
        <FilterEditor
          value={groups}
          onChange={(g) => {
            setGroups(g);
            setError(undefined);
          }}
          preview={{ projectName, serverType: server, repositoryUrl }}
          errors={aboutFilter ? [message] : []}
        />
        <FormField label="Pull requests that need a comment's approval" description="A build waits until somebody with write access comments /codebuild_run(COMMIT-ID) on the pull request.">
          <Select
            selectedOption={approval(chosen)}
            options={approvals}
            onChange={({ detail }) => setChosen(approvals.find((a) => a.value === detail.selectedOption.value)?.value ?? chosen)}
          />
        </FormField>
        {making && (
          <Checkbox checked={manual} onChange={({ detail }) => setManual(detail.checked)} description="Slipway makes nothing there. You get the payload URL and the secret to enter.">
            I set the webhook up at the provider by hand (manual creation)
          </Checkbox>
        )}
      </SpaceBetween>
    </Container>
  );
}
