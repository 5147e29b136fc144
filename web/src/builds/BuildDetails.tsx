import type { Build } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { inlineBuildspec } from "./build";
import styles from "./builds.module.css";

/** All else that the build's record has. */
export function BuildDetails({ build }: { build: Build }) {
  const { environment, source } = build;
  const rows: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ["Build ARN", build.arn],
    ["Build ID", build.id],
    ["Service role", build.serviceRole],
    ["Encryption key", build.encryptionKey],
    ["Image", environment?.image],
    ["Environment type", environment?.type],
    ["Compute type", environment?.computeType],
    ["Privileged", environment?.privilegedMode],
    ["Image pull credentials", environment?.imagePullCredentialsType],
    ["Certificate", environment?.certificate],
    ["Timeout", minutes(build.timeoutInMinutes)],
    ["Queued timeout", minutes(build.queuedTimeoutInMinutes)],
    ["Git clone depth", source?.gitCloneDepth === 0 ? "Full" : source?.gitCloneDepth],
    ["Git submodules", source?.gitSubmodulesConfig?.fetchSubmodules],
    ["Report build statuses", source?.reportBuildStatus],
    ["Skip certificate checks", source?.insecureSsl],
    ["Retry of", build.autoRetryConfig?.previousAutoRetry],
    ["Retried by", build.autoRetryConfig?.nextAutoRetry],
    ["S3 logs", build.logs?.s3Logs?.status === "ENABLED" ? build.logs.s3Logs.location : undefined],
    ["VPC", build.vpcConfig?.vpcId],
    ...(build.secondarySources ?? []).map((s) => [`Secondary source ${s.sourceIdentifier ?? ""}`, s.location] as const),
  ];
  const items = rows.flatMap(([label, value]) => (value === undefined || value === "" ? [] : [{ label, value: typeof value === "boolean" ? (value ? "Yes" : "No") : value }]));
  return (
    <SpaceBetween size="l">
      <div className={styles["details"]}>
        <KeyValuePairs columns={3} minColumnWidth={240} items={items} />
      </div>
      {inlineBuildspec(source?.buildspec) && (
        <div>
          <Box variant="h3" padding={{ bottom: "xs" }}>
            Buildspec
          </Box>
          <pre className={styles["text"]} tabIndex={0} aria-label="Buildspec of the build">
            {source?.buildspec}
          </pre>
        </div>
      )}
    </SpaceBetween>
  );
}

function minutes(n: number | undefined): string | undefined {
  return n === undefined ? undefined : `${n} min`;
}
