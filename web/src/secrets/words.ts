import type { SecretSummary } from "../api/slipway.gen";

/** What kind of thing it is, in AWS's words. */
export function kindWords(s: Pick<SecretSummary, "kind" | "type">): string {
  if (s.kind === "SECRET") return "Secret";
  return s.type === undefined || s.type === "" ? "Parameter" : `Parameter, ${s.type}`;
}
