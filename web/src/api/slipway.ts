import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { currentSession } from "../session/session";
import { endpoint } from "./place";
import { Problem } from "./problem";
import { signingName, targetPrefix, type Operations, type SessionCredentials } from "./slipway.gen";

/** Who signs a request: the session's keys, other ones, or nobody. */
export interface Signer {
  readonly credentials?: Pick<SessionCredentials, "accessKeyId" | "secretAccessKey"> & Partial<SessionCredentials>;
  readonly region: string;
}

/**
 * Calls one of Slipway's own operations, signed with the session's keys.
 * A refusal of the server and a server that cannot be reached are thrown as a Problem.
 */
export async function slipway<O extends keyof Operations>(operation: O, input: Operations[O]["input"], signal?: AbortSignal): Promise<Operations[O]["output"]> {
  const session = currentSession();
  if (session === undefined) throw new Problem("NotSignedIn", "You are signed out. Sign in again to go on.");
  return await call(operation, input, { credentials: session.credentials, region: session.region }, signal);
}

/** Calls an operation as signer. Without credentials the request is not signed. */
export async function call<O extends keyof Operations>(
  operation: O,
  input: Operations[O]["input"],
  signer: Signer,
  signal?: AbortSignal,
): Promise<Operations[O]["output"]> {
  return (await post(signingName, `${targetPrefix}.${operation}`, input, signer, signal)) as Operations[O]["output"]; // the server's shapes are generated from the same model
}

/** Calls an operation of a service of AWS's that the server speaks, by its signing name and X-Amz-Target, with the session's keys. */
export async function aws(service: string, target: string, input: object, signal?: AbortSignal): Promise<unknown> {
  const session = currentSession();
  if (session === undefined) throw new Problem("NotSignedIn", "You are signed out. Sign in again to go on.");
  return await post(service, target, input, { credentials: session.credentials, region: session.region }, signal);
}

async function post(service: string, target: string, input: object, signer: Signer, signal: AbortSignal | undefined): Promise<unknown> {
  const url = new URL(endpoint);
  const body = JSON.stringify(input);
  let headers: Readonly<Record<string, string>> = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": target,
  };
  if (signer.credentials !== undefined) {
    const { accessKeyId, secretAccessKey, sessionToken } = signer.credentials;
    const signature = new SignatureV4({
      service,
      region: signer.region,
      sha256: Sha256,
      applyChecksum: false,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined || sessionToken === "" ? {} : { sessionToken }) },
    });
    const signed = await signature.sign({
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { ...headers, host: url.host },
      body,
    });
    headers = Object.fromEntries(Object.entries(signed.headers).filter(([name]) => name !== "host")); // the browser sends its own
  }
  let answer: Response;
  try {
    answer = await fetch(url, { method: "POST", headers, body, cache: "no-store", credentials: "omit", ...(signal === undefined ? {} : { signal }) });
  } catch (e) {
    if (signal?.aborted === true) throw e;
    throw new Problem("Unreachable", "The server does not answer. Check that slipway serve is running and try again.");
  }
  const text = await answer.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Problem("Unreachable", `Something between here and the server answered in its place, with status ${answer.status}.`);
  }
  if (!answer.ok) throw Problem.ofAnswer(parsed, answer.status);
  return parsed;
}
