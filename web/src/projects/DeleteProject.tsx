import { DeleteProjectCommand } from "@aws-sdk/client-codebuild";
import { useQueryClient } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";
import { useNotify } from "../app/notifications";
import { ConfirmModal } from "../parts/ConfirmModal";

/** Asks for the name before a project is deleted, and deletes it. */
export function DeleteProject({ name, onDeleted, onDismiss }: { name: string; onDeleted: () => void; onDismiss: () => void }) {
  const client = useQueryClient();
  const notify = useNotify();
  return (
    <ConfirmModal
      title={`Delete ${name}?`}
      action="Delete"
      word={name}
      onDismiss={onDismiss}
      onConfirm={async () => {
        await codebuild.send(new DeleteProjectCommand({ name }));
        notify({ type: "success", content: `The project ${name} is deleted.` });
        onDeleted();
        await client.invalidateQueries({ queryKey: ["projects"], refetchType: "active", exact: false });
      }}
    >
      The project and its webhook are deleted; this cannot be undone. Its builds and their logs stay in the build history. The repository at the provider is not touched.
    </ConfirmModal>
  );
}
