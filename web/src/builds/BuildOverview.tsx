import type { Build } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { BuildStatus } from "../parts/BuildStatus";
import { ExternalLink } from "../parts/ExternalLink";
import { Duration, Time } from "../parts/Time";
import { duration } from "../parts/time";
import { buildspecWords, commitLink, queuedSeconds, sourceWords } from "./build";
import { useProvisioning } from "./useFacts";
import { shortCommit, shortVersion, startedByWebhook } from "./words";

/** What one wants to know first of a build. */
export function BuildOverview({ build }: { build: Build }) {
  return (
    <Container header={<Header variant="h2">Overview</Header>}>
      <KeyValuePairs
        columns={4}
        minColumnWidth={180}
        items={[
          { label: "Status", value: <Status build={build} /> },
          { label: "Initiator", value: <Initiator build={build} /> },
          { label: "Started", value: <Time at={build.startTime} /> },
          { label: "Duration", value: <Duration from={build.startTime} to={build.endTime} /> },
          { label: "Source", value: <Source build={build} /> },
          { label: "Source version", value: build.sourceVersion === undefined ? "–" : <span title={build.sourceVersion}>{shortVersion(build.sourceVersion)}</span> },
          { label: "Resolved commit", value: <Commit build={build} /> },
          { label: "Queued for", value: <Queued build={build} /> },
          { label: "Project", value: build.projectName === undefined ? "–" : <AppLink to={paths.project(build.projectName)}>{build.projectName}</AppLink> },
          { label: "Buildspec", value: buildspecWords(build.source?.buildspec) },
          { label: "Log group", value: build.logs?.groupName ?? "–" },
          { label: "Log stream", value: build.logs?.streamName ?? "–" },
        ]}
      />
    </Container>
  );
}

function Status({ build }: { build: Build }) {
  const provisioning = useProvisioning(build);
  return (
    <>
      <BuildStatus status={build.buildStatus} phase={build.currentPhase} />
      {provisioning !== undefined && (
        <Box color="text-body-secondary" fontSize="body-s">
          {provisioning}
        </Box>
      )}
    </>
  );
}

function Initiator({ build }: { build: Build }) {
  const { initiator, id } = build;
  if (initiator === undefined) return <>–</>;
  if (!startedByWebhook(initiator) || id === undefined) return <>{initiator}</>;
  return <AppLink to={`${paths.build(id)}?tab=webhook`}>{initiator}</AppLink>;
}

function Source({ build: { source } }: { build: Build }) {
  return (
    <>
      {sourceWords(source?.type)}
      {source?.location !== undefined && source.location !== "" && (
        <Box color="text-body-secondary" fontSize="body-s">
          {source.location}
        </Box>
      )}
    </>
  );
}

function Commit({ build }: { build: Build }) {
  const commit = build.resolvedSourceVersion;
  if (commit === undefined) return <>–</>;
  const to = commitLink(build.source?.type, build.source?.location, commit);
  return (
    <>
      {to === undefined ? (
        <span title={commit}>{shortCommit(commit)}</span>
      ) : (
        <ExternalLink to={to}>{shortCommit(commit)}</ExternalLink>
      )}{" "}
      <CopyToClipboard variant="icon" textToCopy={commit} copyButtonAriaLabel="Copy the commit id" copySuccessText="Commit id copied" copyErrorText="The browser did not let the commit id be copied" />
    </>
  );
}

function Queued({ build }: { build: Build }) {
  const queued = build.phases?.find((p) => p.phaseType === "QUEUED");
  if (queued?.startTime !== undefined && queued.endTime === undefined && build.endTime === undefined) return <Duration from={queued.startTime} />;
  const seconds = queuedSeconds(build, 0);
  return <>{seconds === undefined ? "–" : duration(seconds)}</>;
}
