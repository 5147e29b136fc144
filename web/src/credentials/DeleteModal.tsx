import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { slipway } from "../api/slipway";
import type { CredentialSummary } from "../api/slipway.gen";
import { useNotify } from "../app/notifications";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { AffectedProjects } from "./AffectedProjects";
import { useCredentialsChanged, withoutQuery } from "./queries";
import { handle, title } from "./words";

/** Deletes a credential, after showing what becomes of the projects that it serves. */
export function DeleteModal({ credential, onDeleted, onDismiss }: { credential: CredentialSummary; onDeleted?: () => void; onDismiss: () => void }) {
  const without = useQuery(withoutQuery(credential.arn));
  const changed = useCredentialsChanged();
  const notify = useNotify();
  return (
    <ConfirmModal
      title={`Delete the credential ${handle(credential)}?`}
      action="Delete"
      word={handle(credential)}
      onConfirm={async () => {
        await slipway("DeleteCredential", { credential: credential.arn });
        notify({ type: "success", content: `Deleted the credential ${title(credential)}.` });
        onDeleted?.();
        changed();
      }}
      onDismiss={onDismiss}
    >
      <SpaceBetween size="s">
        <Box>The token is deleted here for good. At the provider it stays valid: revoke it there, too, if it is not needed any more.</Box>
        <Box variant="h4">What becomes of projects</Box>
        {without.isPending && <Loading what="the projects that use it" minHeight={80} />}
        <ProblemAlert error={without.error} doing="load the projects that use it" retry={() => void without.refetch()} />
        {without.data !== undefined && <AffectedProjects projects={without.data.affectedProjects ?? []} none="No project uses it." />}
      </SpaceBetween>
    </ConfirmModal>
  );
}
