import { aws } from "../api/slipway";
import type { SecretSummary } from "../api/slipway.gen";

/** What kind of thing it is, in AWS's words. */
export function kindWords(s: Pick<SecretSummary, "kind" | "type">): string {
  if (s.kind === "SECRET") return "Secret";
  return s.type === undefined || s.type === "" ? "Parameter" : `Parameter, ${s.type}`;
}


/** Removes a parameter at once; a secret can be restored for 30 days. */
export async function remove(s: Pick<SecretSummary, "kind" | "name" | "arn">): Promise<void> {
  if (s.kind === "SECRET") await aws("secretsmanager", "secretsmanager.DeleteSecret", { SecretId: s.arn });
  else await aws("ssm", "AmazonSSM.DeleteParameter", { Name: s.name });
}
