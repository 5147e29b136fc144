import FileInput from "@cloudscape-design/components/file-input";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

/** The server takes no more certificates than this many bytes. */
const maxBytes = 256 * 1024;

/** Certificates to trust at a host of one's own, pasted or out of a file. */
export function CertificateField({
  value,
  onChange,
  fault,
  replaces,
  disabled,
}: {
  value: string;
  onChange: (pem: string) => void;
  fault: string | undefined;
  /** Whether there may be some already, which stay. */
  replaces: boolean;
  disabled: boolean;
}) {
  const [unread, setUnread] = useState<string>();
  const read = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > maxBytes) {
      setUnread("The file is too long: choose one with only the certificates that signed your server's.");
      return;
    }
    setUnread(undefined);
    onChange(await file.text());
  };
  return (
    <FormField
      label={
        <span>
          CA certificate <i>- optional</i>
        </span>
      }
      description={`The certificates to trust at the host, in PEM form, if no public authority signed its own.${replaces ? " Left empty, those that are stored stay." : ""}`}
      errorText={unread ?? fault}
      stretch
    >
      <SpaceBetween size="xs">
        <Textarea value={value} onChange={(e) => onChange(e.detail.value)} placeholder="-----BEGIN CERTIFICATE-----" rows={4} disabled={disabled} spellcheck={false} autoComplete={false} />
        {!disabled && (
          <FileInput accept=".pem,.crt,.cer" value={[]} onChange={(e) => void read(e.detail.value[0])}>
            Choose a PEM file
          </FileInput>
        )}
      </SpaceBetween>
    </FormField>
  );
}
