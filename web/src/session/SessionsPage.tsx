import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import Box from "@cloudscape-design/components/box";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { slipway } from "../api/slipway";
import type { Session } from "../api/slipway.gen";
import { useNotify } from "../app/notifications";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Empty } from "../parts/Empty";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { signOut } from "./keys";

/** Who is signed in to the console, and the way to end that. */
export default function SessionsPage() {
  const cache = useQueryClient();
  const notify = useNotify();
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => slipway("ListSessions", {}, signal) });
  const [ending, setEnding] = useState<Session>();
  const end = async (s: Session) => {
    if (s.current === true) {
      await signOut();
      return;
    }
    await slipway("RevokeSession", { id: s.id });
    notify({ type: "success", content: `The session of ${s.user} is over; its keys are refused from now on.` });
    await cache.invalidateQueries({ queryKey: ["sessions"] });
  };
  return (
    <Page title="Sessions" description="Who is signed in to this console. Keys of a session last an hour, are renewed while the console is in use, and end after 12 hours.">
      <ProblemAlert error={sessions.error} doing="list the sessions" retry={() => void sessions.refetch()} />
      <Table
        variant="container"
        header={
          <Header variant="h2" counter={sessions.data === undefined ? undefined : `(${(sessions.data.sessions ?? []).length})`}>
            Signed in
          </Header>
        }
        loading={sessions.isPending}
        loadingText="Loading sessions"
        items={sessions.data?.sessions ?? []}
        trackBy="id"
        enableKeyboardNavigation
        empty={<Empty title="Nobody is signed in" />}
        columnDefinitions={[
          {
            id: "user",
            header: "User",
            isRowHeader: true,
            cell: (s) => (
              <>
                {s.user} {s.current === true && <StatusIndicator type="success">this session</StatusIndicator>}
              </>
            ),
          },
          { id: "origin", header: "Signed in with", cell: (s) => (s.origin === "LINK" ? "a link" : "an access key") },
          { id: "created", header: "Since", cell: (s) => <Time at={s.created} /> },
          { id: "expires", header: "Keys expire", cell: (s) => <Time at={s.expires} /> },
          { id: "ends", header: "Ends", cell: (s) => <Time at={s.ends} /> },
          {
            id: "end",
            header: "Actions",
            cell: (s) => (
              <Button variant="inline-link" ariaLabel={`End the session of ${s.user}`} onClick={() => setEnding(s)}>
                {s.current === true ? "Sign out" : "End"}
              </Button>
            ),
          },
        ]}
      />
      <Box color="text-body-secondary">
        The same on the command line: <Box variant="code">slipway console sessions</Box>, <Box variant="code">slipway console revoke</Box>.
      </Box>
      {ending !== undefined && (
        <ConfirmModal title="End session" action={ending.current === true ? "Sign out" : "End session"} onConfirm={() => end(ending)} onDismiss={() => setEnding(undefined)}>
          {ending.current === true ? "You will have to sign in again." : `${ending.user} will have to sign in again; what they started goes on.`}
        </ConfirmModal>
      )}
    </Page>
  );
}
