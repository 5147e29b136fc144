import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { Problem } from "../api/problem";

/** What went wrong, in the server's words, with a way to try again. Nothing if nothing did. */
export function ProblemAlert({ error, doing, retry }: { error: unknown; doing: string; retry?: () => void }) {
  if (error === null || error === undefined) return null;
  const problem = Problem.of(error);
  return (
    <Alert type="error" header={`Could not ${doing}`} action={retry === undefined ? undefined : <Button onClick={retry}>Try again</Button>}>
      {problem.message}
    </Alert>
  );
}
