import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ImportCredentialOutput } from "../api/slipway.gen";
import { ConfirmModal } from "../parts/ConfirmModal";
import { AffectedProjects } from "./AffectedProjects";
import { NextStep } from "./Health";
import { dead, stateSentence } from "./words";

/** Asks before a token takes the place of another, and shows what that would do. */
export function ReplaceModal({ would, onAnswer }: { would: ImportCredentialOutput; onAnswer: (yes: boolean) => void }) {
  const { health } = would;
  const projects = would.affectedProjects ?? [];
  return (
    <ConfirmModal
      title="Replace the stored token?"
      action="Replace token"
      onConfirm={() => {
        onAnswer(true);
        return Promise.resolve();
      }}
      onDismiss={() => onAnswer(false)}
    >
      <SpaceBetween size="s">
        <Box>
          There is a token already, of <Box variant="code">{would.arn}</Box>. It is replaced for good, at once and for everything that uses it.
        </Box>
        {health !== undefined && (
          <Alert type={dead(health.state) ? "error" : health.state === "VALID" ? "success" : "warning"} header={`The new token: ${stateSentence(health)}`}>
            {health.message ?? "The provider was asked just now."} <NextStep step={health.nextStep} link={health.link} />
          </Alert>
        )}
        <Box variant="h4">What becomes of projects</Box>
        <AffectedProjects projects={projects} none="No project would be affected." />
      </SpaceBetween>
    </ConfirmModal>
  );
}
