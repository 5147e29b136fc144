import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ImportCredentialInput, ImportCredentialOutput } from "../api/slipway.gen";

/**
 * Stores a credential. If there is one already whose token it replaces, ask is
 * first told what that would do, and nothing is stored unless it agrees: then
 * undefined is returned. The token is in input and nowhere else, so that it is
 * gone when this is over.
 */
export async function save(
  input: ImportCredentialInput,
  replaces: boolean,
  ask: (would: ImportCredentialOutput) => Promise<boolean>,
): Promise<ImportCredentialOutput | undefined> {
  if (!replaces) {
    try {
      return await slipway("ImportCredential", { ...input, shouldOverwrite: false });
    } catch (e) {
      if (Problem.of(e).name !== "ResourceAlreadyExistsException") throw e;
    }
  }
  const would = await slipway("ImportCredential", { ...input, dryRun: true });
  if (would.overwrites === true && !(await ask(would))) return undefined;
  return await slipway("ImportCredential", { ...input, shouldOverwrite: true });
}
