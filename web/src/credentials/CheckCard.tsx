import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef } from "react";
import type { CredentialSummary, ServerType } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Health } from "./Health";
import { providerName } from "./providers";
import { dead, handle, title } from "./words";

/** How far the check of a token that was just stored is. */
export type Check = { readonly arn: string; readonly name?: string } & (
  | { readonly state: "asking" }
  | { readonly state: "done"; readonly credential: CredentialSummary | undefined }
  | { readonly state: "failed"; readonly error: unknown }
);

/** The check of a token that was just stored, before the eyes of who stored it. */
export function CheckCard({ check, serverType, onAgain, onReplace }: { check: Check; serverType: ServerType; onAgain: () => void; onReplace: () => void }) {
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => top.current?.focus(), []); // the button that had it is gone
  const about = { serverType, ...(check.name === undefined ? {} : { name: check.name }) };
  const health = check.state === "done" ? check.credential?.health : undefined;
  const refused = health !== undefined && dead(health.state);
  return (
    <div ref={top} tabIndex={-1} role="region" aria-label="Result of saving" style={{ outline: "none" }}>
      <Container
        header={
          <Header
            variant="h2"
            description={title(about)}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button formAction="none" onClick={onAgain} disabled={check.state === "asking"}>
                  Verify now
                </Button>
                <AppButton to={paths.sourceProvider(handle(about))}>View credential</AppButton>
              </SpaceBetween>
            }
          >
            Token saved
          </Header>
        }
      >
        <SpaceBetween size="m">
          <div aria-live="polite">
            {check.state === "asking" && <Loading what={`what the token can do, from ${providerName(serverType)}`} minHeight={360} />}
            {check.state === "failed" && <ProblemAlert error={check.error} doing="check the token" retry={onAgain} />}
            {refused && (
              <Alert
                type="error"
                header={`${providerName(serverType)} does not accept this token`}
                action={
                  <Button formAction="none" variant="primary" onClick={onReplace}>
                    Replace token
                  </Button>
                }
              >
                It is stored all the same, as on AWS, but builds that need it will fail until it is replaced.
              </Alert>
            )}
          </div>
          {check.state === "done" && check.credential !== undefined && <Health credential={check.credential} />}
        </SpaceBetween>
      </Container>
    </div>
  );
}
