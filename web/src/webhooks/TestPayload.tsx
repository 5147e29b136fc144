import FileUpload from "@cloudscape-design/components/file-upload";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import Tiles from "@cloudscape-design/components/tiles";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { slipway } from "../api/slipway";
import type { ServerType } from "../api/slipway.gen";
import { ProblemAlert } from "../parts/ProblemAlert";
import { ago } from "../parts/time";
import { plain } from "./words";

/** A payload of one's own, and its event as the provider's header says it. */
export interface Tested {
  readonly payload: string;
  readonly event: string;
}

const examples: Readonly<Record<ServerType, string>> = {
  GITHUB: "push or pull_request",
  GITHUB_ENTERPRISE: "push or pull_request",
  BITBUCKET: "repo:push or pullrequest:created",
  GITLAB: "Push Hook or Merge Request Hook",
  GITLAB_SELF_MANAGED: "Push Hook or Merge Request Hook",
};

/** Which payload is tested: that of a kept delivery, or one's own. */
export function TestPayload({
  projectName,
  kept,
  deliveryId,
  value,
  onChange,
  set,
  server,
}: {
  projectName: string;
  kept: boolean;
  deliveryId: string;
  value: Tested;
  onChange: (value: Tested) => void;
  /** Sets a parameter of the page's address. */
  set: (name: string, value: string) => void;
  server: ServerType | undefined;
}) {
  return (
    <SpaceBetween size="l">
      <FormField label="Payload" stretch>
        <Tiles
          value={kept ? "kept" : "own"}
          columns={2}
          items={[
            { value: "kept", label: "Of a kept delivery", description: "What a provider really sent" },
            { value: "own", label: "Of your own", description: "Such as one copied from the provider's page of recent deliveries" },
          ]}
          onChange={({ detail }) => set("payload", detail.value)}
        />
      </FormField>
      {kept ? (
        <Kept projectName={projectName} deliveryId={deliveryId} onChoose={(id) => set("deliveryId", id)} />
      ) : (
        <Own value={value} onChange={onChange} server={server} />
      )}
    </SpaceBetween>
  );
}

function Kept({ projectName, deliveryId, onChoose }: { projectName: string; deliveryId: string; onChoose: (id: string) => void }) {
  const query = useQuery({
    queryKey: ["webhooks", "kept", projectName],
    queryFn: ({ signal }) => slipway("ListWebhookDeliveries", { maxResults: 100, ...(projectName === "" ? {} : { projectName }) }, signal),
  });
  const options = (query.data?.deliveries ?? []).map((d) => ({
    value: d.id,
    label: d.id,
    description: plain([d.event, d.repository, ago(d.received)].filter((s) => s !== undefined && s !== "").join(", ")),
  }));
  const chosen = options.find((o) => o.value === deliveryId) ?? (deliveryId === "" ? null : { value: deliveryId, label: deliveryId });
  return (
    <FormField label="Delivery" description="Newest first.">
      <Select
        selectedOption={chosen}
        options={options}
        placeholder="Choose a delivery"
        filteringType="auto"
        filteringAriaLabel="Find a delivery"
        statusType={query.isPending ? "loading" : query.isError ? "error" : "finished"}
        loadingText="Loading deliveries"
        errorText="The deliveries could not be listed"
        empty="There are no deliveries yet"
        onChange={({ detail }) => onChoose(detail.selectedOption.value ?? "")}
      />
    </FormField>
  );
}

function Own({ value, onChange, server }: { value: Tested; onChange: (value: Tested) => void; server: ServerType | undefined }) {
  const [files, setFiles] = useState<File[]>([]);
  const [failed, setFailed] = useState<unknown>();
  const take = async (chosen: File[]) => {
    setFailed(undefined);
    setFiles(chosen);
    try {
      onChange({ ...value, payload: (await chosen[0]?.text()) ?? "" });
    } catch (e) {
      setFiles([]);
      setFailed(e);
    }
  };
  return (
    <SpaceBetween size="m">
      <FormField label="File" description="JSON, at most 25 MiB. It goes to this server only and is not kept.">
        <FileUpload
          value={files}
          accept="application/json,.json"
          showFileSize
          onChange={({ detail }) => void take(detail.value)}
          i18nStrings={{
            uploadButtonText: (multiple) => (multiple ? "Choose files" : "Choose file"),
            dropzoneText: () => "Drop the file here",
            removeFileAriaLabel: () => "Remove the file",
            limitShowFewer: "Show fewer files",
            limitShowMore: "Show more files",
            errorIconAriaLabel: "Error",
          }}
        />
      </FormField>
      <ProblemAlert error={failed} doing="read the file" />
      {files.length === 0 && (
        <FormField label="Or the text" stretch>
          <Textarea rows={10} value={value.payload} spellcheck={false} placeholder='{"ref": "refs/heads/main", …}' onChange={({ detail }) => onChange({ ...value, payload: detail.value })} />
        </FormField>
      )}
      <FormField
        label={
          <>
            Event <i>- optional</i>
          </>
        }
        description={`As the provider's header says it${server === undefined ? "" : `, such as ${examples[server]}`}. It is only needed if the payload does not show it.`}
      >
        <Input value={value.event} spellcheck={false} autoComplete={false} onChange={({ detail }) => onChange({ ...value, event: detail.value })} />
      </FormField>
    </SpaceBetween>
  );
}
