import { useCallback, useState } from "react";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { CredentialSummary } from "../api/slipway.gen";
import { useNotify } from "../app/notifications";
import { useCredentialsChanged } from "./queries";
import { stateSentence, title } from "./words";

/** Returns what has a provider asked now what a credential can do, and the ARNs of those being asked about. */
export function useVerify(): { verify: (credential: CredentialSummary) => Promise<void>; asking: ReadonlySet<string> } {
  const [asking, setAsking] = useState<ReadonlySet<string>>(new Set());
  const notify = useNotify();
  const changed = useCredentialsChanged();
  const verify = useCallback(
    async (c: CredentialSummary) => {
      setAsking((all) => new Set([...all, c.arn]));
      try {
        const found = (await slipway("VerifyCredential", { credential: c.arn })).credential?.health;
        if (found !== undefined) {
          const type = found.state === "VALID" ? "success" : found.state === "INVALID" || found.state === "EXPIRED" ? "error" : "warning";
          notify({ type, header: `${title(c)}: ${stateSentence(found)}`, content: found.state === "VALID" ? "The provider was asked just now." : found.message });
        }
      } catch (e) {
        notify({ type: "error", header: `Could not verify ${title(c)}`, content: Problem.of(e).message });
      } finally {
        setAsking((all) => new Set([...all].filter((arn) => arn !== c.arn)));
        changed();
      }
    },
    [changed, notify],
  );
  return { verify, asking };
}
