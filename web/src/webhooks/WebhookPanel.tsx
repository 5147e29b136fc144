import { CreateWebhookCommand, DeleteWebhookCommand, UpdateWebhookCommand, type Webhook } from "@aws-sdk/client-codebuild";
import Button from "@cloudscape-design/components/button";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { codebuild } from "../api/codebuild";
import { useNotify } from "../app/notifications";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { ofWebhook, toWebhook } from "./filters";
import { SecretModal, type ByHand } from "./SecretModal";
import { providerOf, useProjectWebhook } from "./useWebhook";
import { WebhookForm, type WebhookSettings } from "./WebhookForm";
import { WebhookState } from "./WebhookState";

type Asked = "form" | "delete" | "rotate";

/** The webhook of a project: how it stands, what it lets through, and what one can do with it. */
export function WebhookPanel({ projectName }: { projectName: string }) {
  const client = useQueryClient();
  const notify = useNotify();
  const settings = useProjectWebhook(projectName);
  const [asked, setAsked] = useState<Asked>();
  const [byHand, setByHand] = useState<ByHand>();
  if (settings.data === undefined) {
    return settings.isError ? (
      <ProblemAlert error={settings.error} doing="read the webhook" retry={() => void settings.refetch()} />
    ) : (
      <Loading what="webhook" minHeight={320} />
    );
  }
  const { webhook, sourceType, repositoryUrl } = settings.data;
  const server = providerOf(sourceType);
  const close = () => setAsked(undefined);
  const done = async (answer: Webhook | undefined, notice: string) => {
    await client.invalidateQueries();
    close();
    const { secret, payloadUrl = "", filterGroups } = answer ?? {};
    if (secret !== undefined && secret !== "") setByHand({ secret, payloadUrl, groups: ofWebhook(filterGroups) });
    else notify({ type: "success", content: notice });
  };
  const save = async ({ groups, approval, manual }: WebhookSettings) => {
    const filterGroups = toWebhook(groups);
    const policy = webhook?.pullRequestBuildPolicy;
    const pullRequestBuildPolicy = { ...policy, requiresCommentApproval: approval };
    if (webhook === undefined) {
      const answer = await codebuild.send(
        new CreateWebhookCommand({ projectName, pullRequestBuildPolicy, ...(groups.length > 0 ? { filterGroups } : {}), ...(manual ? { manualCreation: true } : {}) }),
      );
      await done(answer.webhook, `The webhook of ${projectName} is created.`);
      return;
    }
    // An empty branch filter means that there is no filter at all.
    const filters = groups.length > 0 ? { filterGroups } : { branchFilter: "" };
    const changed = approval !== (policy?.requiresCommentApproval ?? "DISABLED");
    await codebuild.send(new UpdateWebhookCommand({ projectName, ...filters, ...(changed ? { pullRequestBuildPolicy } : {}) }));
    await done(undefined, `The filters of ${projectName} are saved. They hold from the next delivery on.`);
  };
  if (asked === "form" && server !== undefined) {
    return <WebhookForm projectName={projectName} server={server} repositoryUrl={repositoryUrl} webhook={webhook} onSave={save} onCancel={close} />;
  }
  return (
    <SpaceBetween size="l">
      {webhook === undefined ? (
        <Container>
          <None server={server !== undefined} sourceType={sourceType} onCreate={() => setAsked("form")} />
        </Container>
      ) : (
        <WebhookState
          projectName={projectName}
          webhook={webhook}
          onEdit={() => setAsked("form")}
          onDelete={() => setAsked("delete")}
          onRotate={() => setAsked("rotate")}
        />
      )}
      {asked === "delete" && (
        <ConfirmModal
          title="Delete webhook"
          action="Delete"
          onDismiss={close}
          onConfirm={async () => {
            await codebuild.send(new DeleteWebhookCommand({ projectName }));
            await done(undefined, `The webhook of ${projectName} is deleted.`);
          }}
        >
          Pushes and pull requests no longer start builds of {projectName}. The webhook is removed at the provider unless other projects share it. Its filters are lost.
        </ConfirmModal>
      )}
      {asked === "rotate" && (
        <ConfirmModal
          title="Rotate secret"
          action="Rotate secret"
          onDismiss={close}
          onConfirm={async () => {
            const answer = await codebuild.send(new UpdateWebhookCommand({ projectName, rotateSecret: true }));
            await done(answer.webhook, `The webhook of ${projectName} has a new secret, at the provider too.`);
          }}
        >
          The webhook gets a new secret. The old one is accepted for a while, so that no delivery is lost. If the webhook was set up by hand, the new secret is shown once and must be entered at the provider.
        </ConfirmModal>
      )}
      {byHand !== undefined && <SecretModal byHand={byHand} onDismiss={() => setByHand(undefined)} />}
    </SpaceBetween>
  );
}

function None({ server, sourceType, onCreate }: { server: boolean; sourceType: string; onCreate: () => void }) {
  if (!server) {
    return (
      <Empty title="This project can have no webhook">
        Webhooks are for sources at GitHub, GitLab and Bitbucket. The source of this project is of type {sourceType}.
      </Empty>
    );
  }
  return (
    <Empty
      title="No webhook"
      action={
        <Button variant="primary" onClick={onCreate}>
          Create webhook
        </Button>
      }
    >
      A webhook starts a build when something happens to the repository, such as a push or a pull request. Filter groups say when.
    </Empty>
  );
}
