import { aws } from "../api/slipway";
import type { SecretSummary } from "../api/slipway.gen";

/** Removes a parameter at once; a secret can be restored for 30 days. */
export async function remove(s: Pick<SecretSummary, "kind" | "name" | "arn">): Promise<void> {
  if (s.kind === "SECRET") await aws("secretsmanager", "secretsmanager.DeleteSecret", { SecretId: s.arn });
  else await aws("ssm", "AmazonSSM.DeleteParameter", { Name: s.name });
}
