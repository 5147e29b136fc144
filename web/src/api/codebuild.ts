import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { currentSession } from "../session/session";
import { endpoint } from "./place";
import { Problem } from "./problem";

/**
 * AWS's own client for CodeBuild, signing with the session's keys. Use it as
 * codebuild.send(new ListProjectsCommand({})).
 */
export const codebuild = new CodeBuildClient({
  endpoint,
  region: () => Promise.resolve(signedIn().region),
  credentials: () => {
    const { accessKeyId, secretAccessKey, sessionToken } = signedIn().credentials;
    // Asked for anew at each request: the session renews its keys.
    return Promise.resolve({ accessKeyId, secretAccessKey, sessionToken, expiration: new Date() });
  },
  maxAttempts: 2,
});

function signedIn() {
  const session = currentSession();
  if (session === undefined) throw new Problem("NotSignedIn", "You are signed out. Sign in again to go on.");
  return session;
}
