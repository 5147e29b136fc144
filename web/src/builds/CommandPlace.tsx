import type { Build } from "@aws-sdk/client-codebuild";
import type { FailedCommand } from "../api/slipway.gen";
import { ExternalLink } from "../parts/ExternalLink";
import { commandLink, commandPlace, exitHint } from "./failed";

/** Where a command that failed is written, how it ended, and what that means. */
export function CommandPlace({ build, command }: { build: Build; command: FailedCommand }) {
  const place = commandPlace(command);
  const hint = exitHint(command.exitStatus);
  return (
    <div>
      Exit status {command.exitStatus}
      {place !== undefined && (
        <>
          {" · "}
          <ExternalLink to={commandLink(build, command)}>{place}</ExternalLink>
        </>
      )}
      {hint !== undefined && <div>{hint}</div>}
    </div>
  );
}
