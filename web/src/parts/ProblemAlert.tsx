import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { Problem } from "../api/problem";
import { endSession } from "../session/session";

/** What went wrong, in the server's words, with a way to try again. Nothing if nothing did. */
export function ProblemAlert({ error, doing, retry }: { error: unknown; doing: string; retry?: () => void }) {
  if (error === null || error === undefined) return null;
  const problem = Problem.of(error);
  // Whoever filled in a form may want to copy something before it goes.
  const action = problem.signedOut ? <Button onClick={endSession}>Sign in again</Button> : retry !== undefined && <Button onClick={retry}>Try again</Button>;
  return (
    <Alert type="error" header={`Could not ${doing}`} action={action}>
      {problem.message}
    </Alert>
  );
}
