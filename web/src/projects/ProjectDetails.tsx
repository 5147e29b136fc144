import type { Project, ProjectArtifacts, ProjectSource } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { isValidElement, type ReactNode } from "react";
import { paths } from "../app/navigate";
import { credentialsQuery } from "../credentials/queries";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Time } from "../parts/Time";
import css from "./AsCode.module.css";
import { isInline } from "./buildspec";
import { computeName, environmentName } from "./environment";
import { formOf, serverOf } from "./form";
import { holderOf, providerName } from "./providers";
import { Repository } from "./Repository";

type Value = ReactNode;

/** Every setting of a project, in the sections of its form. */
export function ProjectDetails({ project: p }: { project: Project }) {
  const edit = <AppButton to={paths.editProject(p.name ?? "")}>Edit</AppButton>;
  const e = p.environment;
  const b = p.buildBatchConfig;
  const l = p.logsConfig;
  return (
    <SpaceBetween size="l">
      <Section
        title="Project configuration"
        actions={edit}
        items={{
          Name: p.name,
          "Project ARN": p.arn,
          Description: p.description,
          "Build badge": onOff(p.badge?.badgeEnabled),
          "Concurrent build limit": p.concurrentBuildLimit ?? "None of its own",
          "Auto-retry limit": p.autoRetryLimit,
          Created: <Time at={p.created} />,
          "Last modified": <Time at={p.lastModified} />,
        }}
      />
      <Source title="Source" source={p.source} version={p.sourceVersion} />
      {(p.secondarySources ?? []).map((s) => (
        <Source
          key={s.sourceIdentifier}
          title={`Secondary source ${s.sourceIdentifier ?? ""}`}
          source={s}
          version={p.secondarySourceVersions?.find((v) => v.sourceIdentifier === s.sourceIdentifier)?.sourceVersion}
        />
      ))}
      <Section
        title="Environment"
        items={{
          Image: e?.image,
          "Environment type": environmentName(e?.type),
          Compute: computeName(e?.computeType),
          Privileged: onOff(e?.privilegedMode),
          "Service role": p.serviceRole,
          Timeout: minutes(p.timeoutInMinutes),
          "Queued timeout": minutes(p.queuedTimeoutInMinutes),
          "Image pull credentials": e?.imagePullCredentialsType,
          "Registry credential": e?.registryCredential?.credential,
          Certificate: e?.certificate,
          Fleet: e?.fleet?.fleetArn,
          "Encryption key": p.encryptionKey,
          VPC: p.vpcConfig === undefined ? undefined : [p.vpcConfig.vpcId, ...(p.vpcConfig.subnets ?? []), ...(p.vpcConfig.securityGroupIds ?? [])].join(", "),
          "File systems": p.fileSystemLocations?.map((f) => `${f.location ?? ""} at ${f.mountPoint ?? ""}`).join(", "),
        }}
      />
      <Variables project={p} />
      <Buildspec source={p.source} />
      <Section
        title="Batch configuration"
        note="Recorded. Slipway starts no batch builds yet."
        items={
          b === undefined
            ? { "Batch configuration": "Not set" }
            : {
                "Batch service role": b.serviceRole,
                "Batch timeout": minutes(b.timeoutInMins),
                "Maximum builds allowed in batch": b.restrictions?.maximumBuildsAllowed,
                "Compute types allowed": b.restrictions?.computeTypesAllowed?.join(", "),
                "Combine artifacts": onOff(b.combineArtifacts),
                "Commit statuses": b.batchReportMode,
              }
        }
      />
      <Artifacts title="Artifacts" artifacts={p.artifacts} />
      {(p.secondaryArtifacts ?? []).map((a) => (
        <Artifacts key={a.artifactIdentifier} title={`Secondary artifacts ${a.artifactIdentifier ?? ""}`} artifacts={a} />
      ))}
      {p.cache !== undefined && p.cache.type !== "NO_CACHE" && (
        <Section title="Cache" items={{ "Cache type": p.cache.type, Location: p.cache.location, Modes: p.cache.modes?.join(", "), Namespace: p.cache.cacheNamespace }} />
      )}
      <Section
        title="Logs"
        items={{
          "CloudWatch logs": l?.cloudWatchLogs?.status === "DISABLED" ? "Disabled" : "Enabled",
          "Group name": l?.cloudWatchLogs?.groupName ?? `/aws/codebuild/${p.name ?? ""}`,
          "Stream name": l?.cloudWatchLogs?.streamName,
          "S3 logs": l?.s3Logs?.status === "ENABLED" ? `Enabled: ${l.s3Logs.location ?? ""}` : "Disabled",
        }}
      />
      {(p.tags ?? []).length > 0 && <Section title="Tags" items={Object.fromEntries((p.tags ?? []).map((t) => [t.key ?? "", t.value ?? ""]))} />}
    </SpaceBetween>
  );
}

/** Settings with their names; those that are not set are left out. */
function Section({ title, items, actions, note }: { title: string; items: Readonly<Record<string, Value>>; actions?: ReactNode; note?: string }) {
  const set = Object.entries(items).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return (
    <Container header={<Header variant="h2" actions={actions} description={note}>{title}</Header>}>
      <KeyValuePairs columns={3} items={set.map(([label, value]) => ({ label, value: isValidElement(value) ? value : <span style={{ overflowWrap: "anywhere" }}>{value}</span> }))} />
    </Container>
  );
}

function Source({ title, source: s, version }: { title: string; source: ProjectSource | undefined; version: string | undefined }) {
  const server = serverOf(s?.type);
  return (
    <Section
      title={title}
      items={{
        "Source provider": providerName(s?.type),
        Repository: s?.type === "NO_SOURCE" ? undefined : <Repository source={s} />,
        "Source version": s?.type === "NO_SOURCE" ? undefined : (version ?? "") === "" ? "Default branch" : version,
        Credential: s !== undefined && server !== undefined ? <Credential source={s} /> : undefined,
        "Git clone depth": server === undefined ? undefined : (s?.gitCloneDepth ?? 0) === 0 ? "Full" : s?.gitCloneDepth,
        "Git submodules": server === undefined ? undefined : onOff(s?.gitSubmodulesConfig?.fetchSubmodules),
        "Report build status": server === undefined ? undefined : onOff(s?.reportBuildStatus),
        "Status context": s?.buildStatusConfig?.context,
        "Target URL": s?.buildStatusConfig?.targetUrl,
        "TLS certificate errors": s?.insecureSsl === true ? "Ignored (insecure)" : undefined,
      }}
    />
  );
}

function Credential({ source }: { source: ProjectSource }) {
  const credentials = useQuery(credentialsQuery);
  const held = (credentials.data?.credentials ?? []).filter((c) => c.serverType === source.type);
  const { auth, authResource } = formOf({ source }).source;
  if (auth === "" || auth === "OAUTH") return <>Default source credential</>;
  const holder = holderOf(formOf({ source }).source, held);
  if (holder === undefined) return <>{authResource}</>;
  return <AppLink to={paths.sourceProvider(holder.arn)}>{holder.name ?? holder.arn}</AppLink>;
}

function Variables({ project }: { project: Project }) {
  const variables = project.environment?.environmentVariables ?? [];
  if (variables.length === 0) return null;
  return (
    <Table
      variant="container"
      header={<Header variant="h2" counter={`(${variables.length})`}>Environment variables</Header>}
      items={variables}
      ariaLabels={{ tableLabel: "Environment variables" }}
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (v) => v.name },
        { id: "value", header: "Value", cell: (v) => v.value },
        { id: "type", header: "Type", cell: (v) => v.type ?? "PLAINTEXT" },
      ]}
    />
  );
}

function Buildspec({ source }: { source: ProjectSource | undefined }) {
  const text = source?.buildspec ?? "";
  if (!isInline(text)) return <Section title="Buildspec" items={{ "Buildspec file": text === "" ? "buildspec.yml in the root of the source" : text }} />;
  return (
    <Container header={<Header variant="h2">Buildspec</Header>}>
      <SpaceBetween size="xs">
        <Box color="text-body-secondary">The build commands are kept with the project.</Box>
        <pre className={css["code"]} tabIndex={0} role="region" aria-label="Build commands">
          {text}
        </pre>
      </SpaceBetween>
    </Container>
  );
}

function Artifacts({ title, artifacts: a }: { title: string; artifacts: ProjectArtifacts | undefined }) {
  const s3 = a?.type === "S3";
  return (
    <Section
      title={title}
      items={{
        Type: a?.type === "NO_ARTIFACTS" ? "No artifacts" : a?.type,
        "Bucket name": a?.location,
        "Artifacts path": a?.path,
        "Artifacts name": a?.name,
        "Namespace type": a?.namespaceType,
        "Artifacts packaging": a?.packaging,
        "Artifacts encryption": s3 ? (a.encryptionDisabled === true ? "Disabled" : "Enabled") : undefined,
      }}
    />
  );
}

function onOff(value: boolean | undefined): string {
  return value === true ? "Enabled" : "Disabled";
}

function minutes(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} minutes`;
}
