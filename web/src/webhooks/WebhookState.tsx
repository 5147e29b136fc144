import type { Webhook } from "@aws-sdk/client-codebuild";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { ExternalLink } from "../parts/ExternalLink";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { groupWords, ofWebhook } from "./filters";
import { approval } from "./policy";
import { Copied } from "./SecretModal";
import { Code, Said } from "./Said";
import { useWebhookState } from "./useWebhook";
import { hookStateWords, plain, providers } from "./words";
import css from "./webhooks.module.css";

/** How a webhook stands and what it lets through. */
export function WebhookState({
  projectName,
  webhook,
  onEdit,
  onDelete,
  onRotate,
}: {
  projectName: string;
  webhook: Omit<Webhook, "secret">;
  onEdit: () => void;
  onDelete: () => void;
  onRotate: () => void;
}) {
  const { query, verify } = useWebhookState(projectName, true);
  const [verifying, setVerifying] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const state = query.data ?? undefined;
  const ask = async () => {
    setVerifying(true);
    setFailed(undefined);
    try {
      await verify();
    } catch (e) {
      setFailed(e);
    } finally {
      setVerifying(false);
    }
  };
  const payloadUrl = state?.payloadUrl ?? webhook.payloadUrl ?? "";
  const message = webhook.statusMessage ?? state?.message ?? "";
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button loading={verifying} onClick={() => void ask()}>
                  Verify
                </Button>
                <Button onClick={onRotate}>Rotate secret</Button>
                <Button onClick={onDelete} ariaLabel="Delete webhook">
                  Delete
                </Button>
              </SpaceBetween>
            }
          >
            Webhook
          </Header>
        }
      >
        <SpaceBetween size="m">
          <ProblemAlert error={failed ?? query.error} doing="read how the webhook stands" retry={() => void ask()} />
          {message !== "" && (
            <Alert type={webhook.status === "CREATE_FAILED" || state?.state !== "ACTIVE" ? "error" : "info"} header="What the provider says">
              {plain(message)}
            </Alert>
          )}
          {(state?.warnings ?? []).map((w) => (
            <Alert key={w} type="warning">
              <span className={css["text"]}>{w}</span>
            </Alert>
          ))}
          <KeyValuePairs
            columns={3}
            items={[
              { label: "State", value: state?.state === undefined ? "–" : <Said words={hookStateWords[state.state]} /> },
              {
                label: "Provider",
                value: state === undefined ? "–" : <ExternalLink to={state.providerUrl}>{providers[state.serverType]}</ExternalLink>,
              },
              { label: "Last delivery", value: <Last delivery={state?.lastDelivery} /> },
              { label: "Payload URL", value: payloadUrl === "" ? "–" : <Copied text={payloadUrl} what="payload URL" /> },
              { label: "Secret changed", value: <Time at={webhook.lastModifiedSecret} /> },
              { label: "Last response", value: state?.lastResponse === undefined || state.lastResponse === "" ? "–" : plain(state.lastResponse) },
              { label: "Creation", value: webhook.manualCreation === true || state?.manualCreation === true ? "Manual: set up at the provider by hand" : "By Slipway" },
              {
                label: "Shared with",
                value:
                  (state?.sharedWith ?? []).length === 0 ? (
                    "No other project"
                  ) : (
                    <SpaceBetween direction="horizontal" size="xs">
                      {(state?.sharedWith ?? []).map((name) => (
                        <AppLink key={name} to={paths.project(name)}>
                          {name}
                        </AppLink>
                      ))}
                    </SpaceBetween>
                  ),
              },
              { label: "Pull requests that need approval", value: approval(webhook.pullRequestBuildPolicy?.requiresCommentApproval).label },
            ]}
          />
        </SpaceBetween>
      </Container>
      <Container
        header={
          <Header
            variant="h2"
            description="A delivery starts a build if any group matches."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <AppButton to={paths.deliveries(projectName)}>View deliveries</AppButton>
                <AppButton to={paths.testDelivery(projectName)}>Test a payload</AppButton>
                <Button onClick={onEdit}>Edit filters</Button>
              </SpaceBetween>
            }
          >
            Filter groups
          </Header>
        }
      >
        <Groups webhook={webhook} />
      </Container>
    </SpaceBetween>
  );
}

function Last({ delivery }: { delivery: { readonly id: string; readonly received: number } | undefined }) {
  if (delivery === undefined) return <>None yet</>;
  return (
    <>
      <AppLink to={paths.delivery(delivery.id)}>{delivery.id}</AppLink>, <Time at={delivery.received} />
    </>
  );
}

function Groups({ webhook }: { webhook: Omit<Webhook, "secret"> }) {
  const groups = ofWebhook(webhook.filterGroups);
  if (groups.length > 0) {
    return (
      <ol aria-label="Filter groups" style={{ margin: 0, paddingInlineStart: 24 }}>
        {groups.map((group, i) => (
          <li key={i}>
            <Code>{groupWords(group)}</Code>
          </li>
        ))}
      </ol>
    );
  }
  if (webhook.branchFilter !== undefined && webhook.branchFilter !== "") {
    return (
      <Box>
        Pushes and pull requests of branches that match <Code>{webhook.branchFilter}</Code> (branch filter)
      </Box>
    );
  }
  return <Box color="text-body-secondary">There are none: every push and every pull request builds.</Box>;
}
