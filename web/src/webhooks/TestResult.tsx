import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TestWebhookOutput } from "../api/slipway.gen";
import { plain } from "./words";
import { Verdict } from "./Verdict";

/** What came of a test. */
export function TestResult({ answer: { event = "", note = "", verdicts = [], warnings = [] } }: { answer: TestWebhookOutput }) {
  return (
    <Container header={<Header variant="h2" description={event === "" ? undefined : `Event ${plain(event)}`}>Result</Header>}>
      <SpaceBetween size="m">
        {warnings.map((w) => (
          <Alert key={w} type="warning">
            {plain(w)}
          </Alert>
        ))}
        {note !== "" && <div>{plain(note)}</div>}
        {verdicts.length === 0 && note === "" && <div>The payload is about nothing that builds.</div>}
        {verdicts.map((v, i) => (
          <Verdict key={i} verdict={v} dry />
        ))}
      </SpaceBetween>
    </Container>
  );
}
