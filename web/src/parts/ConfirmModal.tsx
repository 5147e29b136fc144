import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";

/** Asks before something is done that cannot be undone; with a word to type if it is grave. */
export function ConfirmModal({
  title,
  action,
  word,
  onConfirm,
  onDismiss,
  children,
}: {
  title: string;
  /** What the button says, such as "Delete". */
  action: string;
  /** The word to type first. */
  word?: string;
  /** Its failure is shown; after it the modal is dismissed. */
  onConfirm: () => Promise<void>;
  onDismiss: () => void;
  children: ReactNode;
}) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onDismiss();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel="Close"
      onDismiss={onDismiss}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={word !== undefined && typed !== word} onClick={() => void confirm()}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {children}
        {word !== undefined && (
          <FormField label={`To confirm, type ${word}`}>
            <Input value={typed} onChange={(e) => setTyped(e.detail.value)} placeholder={word} />
          </FormField>
        )}
        <ProblemAlert error={error} doing={action.toLowerCase()} />
      </SpaceBetween>
    </Modal>
  );
}
