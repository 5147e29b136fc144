import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { groupEvents, type FilterGroups } from "./filters";

/** What must be entered at the provider. It is shown once: nothing keeps the secret. */
export interface ByHand {
  readonly payloadUrl: string;
  readonly secret: string;
  readonly groups: FilterGroups;
}

/** Shows the payload URL and the secret of a webhook, once. */
export function SecretModal({ byHand: { payloadUrl, secret, groups }, onDismiss }: { byHand: ByHand; onDismiss: () => void }) {
  const events = [...new Set(groups.flatMap(groupEvents))];
  return (
    <Modal
      visible
      header="Set the webhook up at the provider"
      closeAriaLabel="Close"
      onDismiss={onDismiss}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onDismiss}>
            Done
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning" header="The secret is shown this once">
          Copy it now. If it is lost, rotate the secret to get a new one.
        </Alert>
        <KeyValuePairs
          items={[
            { label: "Payload URL", value: payloadUrl === "" ? "As before" : <Copied text={payloadUrl} what="payload URL" /> },
            { label: "Secret", value: <Copied text={secret} what="secret" /> },
            { label: "Content type", value: "application/json" },
            { label: "Events", value: events.length === 0 ? "Pushes and pull requests" : events.join(", ") },
          ]}
        />
      </SpaceBetween>
    </Modal>
  );
}

/** Text with a button that copies it. */
export function Copied({ text, what }: { text: string; what: string }) {
  return <CopyToClipboard variant="inline" textToCopy={text} copyButtonAriaLabel={`Copy ${what}`} copySuccessText="Copied" copyErrorText="Could not copy: select the text and copy it" />;
}
