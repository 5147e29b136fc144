import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { CredentialSummary } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { CredentialsTable } from "./CredentialsTable";
import { DeleteModal } from "./DeleteModal";
import { ExplainBox } from "./ExplainBox";
import { credentialsQuery } from "./queries";
import { useVerify } from "./useVerify";

/** The credentials held. */
export default function CredentialsPage() {
  const { data, error, isPending, refetch } = useQuery(credentialsQuery);
  const { verify, asking } = useVerify();
  const [deleting, setDeleting] = useState<CredentialSummary>();
  const all = data?.credentials ?? [];
  return (
    <Page
      title="Source providers"
      description="The source credentials of this account: how each was found at its last check, and which projects use it."
      actions={
        <AppButton variant="primary" to={paths.connect()}>
          Connect a source provider
        </AppButton>
      }
    >
      <ProblemAlert error={error} doing="load the source credentials" retry={() => void refetch()} />
      <CredentialsTable credentials={all} loading={isPending} asking={asking} onVerify={(c) => void verify(c)} onDelete={setDeleting} />
      <ExplainBox />
      {deleting !== undefined && <DeleteModal credential={deleting} onDismiss={() => setDeleting(undefined)} />}
    </Page>
  );
}
