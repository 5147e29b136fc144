import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { CredentialSummary, ServerType } from "../../api/slipway.gen";
import { ConnectForm } from "../../credentials/ConnectForm";
import { credentialsQuery } from "../../credentials/queries";
import { authOf, providerName } from "../providers";
import { usePart } from "./context";

/**
 * Takes a token for the provider of the source: at once if there is none yet,
 * else if it is asked for. What the provider says of the token stays until it is
 * closed.
 */
export function Connect({ server, held }: { server: ServerType; held: readonly CredentialSummary[] }) {
  const [, change] = usePart("source");
  const [asked, ask] = useState(false);
  const [saved, setSaved] = useState(false);
  const client = useQueryClient();
  const name = providerName(server);
  const connected = async (arn: string) => {
    ask(true);
    setSaved(true);
    await client.invalidateQueries({ queryKey: credentialsQuery.queryKey });
    const stored = client.getQueryData(credentialsQuery.queryKey)?.credentials?.find((c) => c.arn === arn);
    const auth = stored === undefined ? undefined : authOf(stored);
    change(auth ?? { auth: "OAUTH", authResource: "" });
  };
  if (held.length > 0 && !asked) {
    return (
      <Button iconName="add-plus" formAction="none" onClick={() => ask(true)}>
        Connect another token
      </Button>
    );
  }
  return (
    <Container
      header={
        <Header
          variant="h3"
          description="The token is stored on this server, encrypted. Without a name it serves all projects of this provider."
          actions={
            held.length > 0 && (
              <Button
                formAction="none"
                onClick={() => {
                  ask(false);
                  setSaved(false);
                }}
              >
                {saved ? "Done" : "Cancel connecting"}
              </Button>
            )
          }
        >
          {held.length > 0 && !saved ? `Connect another ${name} token` : `Connect ${name}`}
        </Header>
      }
    >
      <ConnectForm serverType={server} onConnected={({ arn }) => void connected(arn)} />
    </Container>
  );
}
