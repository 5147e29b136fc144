import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import type { Project } from "@aws-sdk/client-codebuild";
import css from "./AsCode.module.css";
import { commands } from "./command";
import type { ProjectForm } from "./form";
import { createRequest, updateRequest, webhookRequest } from "./request";
import { terraform } from "./terraform";

/** What stands in the form, as the commands and the Terraform resources that do the same. */
export function AsCode({ form, was, changes, onDismiss }: { form: ProjectForm; was: Project | undefined; changes: boolean; onDismiss: () => void }) {
  const create = createRequest(form, was);
  const webhook = webhookRequest(form, was?.webhook);
  const cli = changes && was !== undefined ? commands({ update: updateRequest(form, was) }, was.webhook === undefined ? webhook : undefined) : commands({ create }, webhook);
  return (
    <Modal
      visible
      size="large"
      header="CLI command and Terraform"
      closeAriaLabel="Close"
      onDismiss={onDismiss}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onDismiss}>
            Close
          </Button>
        </Box>
      }
    >
      <Tabs
        ariaLabel="Ways to say it"
        tabs={[
          {
            id: "cli",
            label: "AWS CLI",
            content: <Code what="AWS CLI command" text={cli} hint={<>Run it in a shell whose AWS CLI talks to this server: {inline('eval "$(slipway env)"')} sets that up.</>} />,
          },
          {
            id: "terraform",
            label: "Terraform",
            content: <Code what="Terraform" text={terraform(create, webhook)} hint={<>For the provider hashicorp/aws, with this server as the endpoint {inline("codebuild")}.</>} />,
          },
        ]}
      />
    </Modal>
  );
}

function inline(text: string) {
  return <Box variant="code">{text}</Box>;
}

function Code({ what, text, hint }: { what: string; text: string; hint: React.ReactNode }) {
  return (
    <SpaceBetween size="s">
      <Box color="text-body-secondary">{hint}</Box>
      <CopyToClipboard copyButtonText="Copy" copyButtonAriaLabel={`Copy ${what}`} copySuccessText="Copied" copyErrorText="Could not copy: select the text and copy it" textToCopy={text} />
      <pre className={css["code"]} tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
    </SpaceBetween>
  );
}
