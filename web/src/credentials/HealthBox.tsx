import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { slipway } from "../api/slipway";
import type { CredentialSummary } from "../api/slipway.gen";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Health } from "./Health";
import { useCredentialsChanged } from "./queries";
import { repositoryOf } from "./repository";
import { stateSentence } from "./words";

/** How a credential was found at its last check, and a way to check it now, also at one repository. */
export function HealthBox({ credential }: { credential: CredentialSummary }) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string>();
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const [found, setFound] = useState<CredentialSummary>();
  const changed = useCredentialsChanged();
  const verify = async () => {
    const repository = text.trim() === "" ? undefined : repositoryOf(text);
    setFault(repository !== undefined && "fault" in repository ? repository.fault : undefined);
    if (repository !== undefined && "fault" in repository) return;
    setAsking(true);
    setError(undefined);
    try {
      const out = await slipway("VerifyCredential", { credential: credential.arn, ...(repository === undefined ? {} : { repositoryUrl: repository.url }) });
      setFound(out.credential);
      changed();
    } catch (e) {
      setError(e);
    } finally {
      setAsking(false);
    }
  };
  const shown = found ?? credential;
  return (
    <Container
      header={
        <Header variant="h2" description="What the provider said of the token, and what it can do.">
          Health
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Health credential={shown} />
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void verify();
          }}
        >
          <FormField
            label={
              <span>
                Try it at a repository <i>- optional</i>
              </span>
            }
            description="Without one it is tried at up to three repositories of the projects that use it."
            errorText={fault}
            secondaryControl={
              <Button formAction="submit" loading={asking} loadingText="Asking the provider">
                Verify now
              </Button>
            }
          >
            <Input value={text} onChange={(e) => setText(e.detail.value)} placeholder="https://github.com/owner/repository" spellcheck={false} />
          </FormField>
        </form>
        <ProblemAlert error={error} doing="verify it" />
        <Box color="text-body-secondary">
          <span role="status">{!asking && found?.health !== undefined && `The provider was asked: ${stateSentence(found.health)}.`}</span>
        </Box>
      </SpaceBetween>
    </Container>
  );
}
