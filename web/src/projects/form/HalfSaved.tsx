import Alert from "@cloudscape-design/components/alert";
import { Problem } from "../../api/problem";
import type { Saved } from "../save";

/** Says which half of a form was saved, why the other was not, and what to do. */
export function HalfSaved({ half }: { half: Exclude<Saved, { done: "all" }> }) {
  const { header, next } = words(half);
  return (
    <Alert type="error" header={header}>
      {Problem.of(half.error).message} {next}
    </Alert>
  );
}

function words(half: Exclude<Saved, { done: "all" }>): { header: string; next: string } {
  if (half.done === "deletion") return { header: "The webhook is deleted, but the project is not saved", next: "Change what it says and save again." };
  switch (half.failed) {
    case "delete":
      return { header: "The project is saved, but its webhook is still there", next: "Save again to try once more, or check the box below to keep the webhook." };
    case "update":
      return { header: "The project is saved, but its webhook is as it was", next: "Change its settings below and save again." };
    default:
      return { header: "The project is saved, but it has no webhook yet", next: "Change what it says below and save again, or uncheck the box to go without a webhook." };
  }
}
