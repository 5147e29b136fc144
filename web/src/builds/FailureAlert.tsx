import type { Build } from "@aws-sdk/client-codebuild";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { failureOf } from "./build";
import { CommandPlace } from "./CommandPlace";
import { useFirstErrorLine } from "./useBuild";
import { useFacts } from "./useFacts";
import styles from "./builds.module.css";

/** Why a build failed, and the way to the line in its log. Nothing for one that did not. */
export function FailureAlert({ build }: { build: Build }) {
  const failure = failureOf(build);
  const id = build.id ?? "";
  const line = useFirstErrorLine(id, failure !== undefined && id !== "");
  const failed = useFacts(build).data?.failedCommand;
  if (failure === undefined) return null;
  const command = failed?.text ?? failure.command;
  const told = failed !== undefined && failure.message === `exit status ${failed.exitStatus}`; // beside the command
  const how = build.buildStatus === "TIMED_OUT" ? "The build timed out" : "The build failed";
  return (
    <Alert
      type="error"
      header={failure.phase === "" ? how : `${how} in phase ${failure.phase}`}
      action={<AppButton to={paths.buildLog(id, line)}>{line === undefined ? "View the log" : "Go to the line in the log"}</AppButton>}
    >
      <SpaceBetween size="xs">
        {command !== undefined && (
          <div>
            <Box variant="awsui-key-label">Command</Box>
            <pre className={styles["command"]} tabIndex={0} aria-label="Command that failed">
              {command.trim()}
            </pre>
            {failed !== undefined && <CommandPlace build={build} command={failed} />}
          </div>
        )}
        <div>
          {told ? failure.statusCode : (failure.message === "" ? "The phase gave no reason; its log may." : failure.message)}
          {!told && failure.statusCode !== undefined && ` (${failure.statusCode})`}
        </div>
      </SpaceBetween>
    </Alert>
  );
}
