import type { CreateProjectInput, CreateWebhookInput, ProjectArtifacts, ProjectSource } from "@aws-sdk/client-codebuild";
import { Expression, write, type Item, type Value } from "./hcl";

/** The Terraform resources of a project and its webhook. */
export function terraform(p: CreateProjectInput, webhook: CreateWebhookInput | undefined): string {
  const name = identifier(p.name ?? "");
  const resources: Item[] = [{ block: "resource", labels: ["aws_codebuild_project", name], body: project(p) }];
  if (webhook !== undefined) resources.push({ block: "resource", labels: ["aws_codebuild_webhook", name], body: hook(webhook, name) });
  return write(resources);
}

/** The name of a project as Terraform's name for a resource. */
export function identifier(name: string): string {
  const fit = name.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  return /^[A-Za-z_]/.test(fit) ? fit : `_${fit}`;
}

function project(p: CreateProjectInput): Item[] {
  const e = p.environment;
  const tags = Object.fromEntries((p.tags ?? []).map((t) => [t.key ?? "", t.value ?? ""]));
  return [
    ...args({
      name: p.name,
      description: p.description,
      service_role: p.serviceRole,
      build_timeout: p.timeoutInMinutes,
      queued_timeout: p.queuedTimeoutInMinutes,
      concurrent_build_limit: p.concurrentBuildLimit,
      auto_retry_limit: p.autoRetryLimit,
      badge_enabled: p.badgeEnabled,
      encryption_key: p.encryptionKey,
      source_version: p.sourceVersion === "" ? undefined : p.sourceVersion,
      tags: p.tags === undefined || p.tags.length === 0 ? undefined : tags,
    }),
    block("source", source(p.source)),
    ...(p.secondarySources ?? []).map((s) => block("secondary_sources", source(s))),
    ...(p.secondarySourceVersions ?? []).map((v) => block("secondary_source_version", args({ source_identifier: v.sourceIdentifier, source_version: v.sourceVersion }))),
    block("environment", [
      ...args({
        type: e?.type,
        image: e?.image,
        compute_type: e?.computeType,
        privileged_mode: e?.privilegedMode,
        image_pull_credentials_type: e?.imagePullCredentialsType,
        certificate: e?.certificate,
      }),
      ...(e?.environmentVariables ?? []).map((v) => block("environment_variable", args({ name: v.name, value: v.value, type: v.type }))),
      ...optional("registry_credential", e?.registryCredential, (r) => args({ credential: r.credential, credential_provider: r.credentialProvider })),
      ...optional("fleet", e?.fleet, (f) => args({ fleet_arn: f.fleetArn })),
      ...optional("docker_server", e?.dockerServer, (d) => args({ compute_type: d.computeType, security_group_ids: d.securityGroupIds })),
      ...(e?.computeConfiguration === undefined ? [] : [{ remark: "computeConfiguration is not carried over." }]),
    ]),
    block("artifacts", artifacts(p.artifacts)),
    ...(p.secondaryArtifacts ?? []).map((a) => block("secondary_artifacts", artifacts(a))),
    ...optional("cache", p.cache, (c) => args({ type: c.type, location: c.location, modes: c.modes, cache_namespace: c.cacheNamespace })),
    ...optional("logs_config", p.logsConfig, (l) => [
      ...optional("cloudwatch_logs", l.cloudWatchLogs, (w) => args({ status: w.status, group_name: w.groupName, stream_name: w.streamName })),
      ...optional("s3_logs", l.s3Logs, (s) =>
        args({ status: s.status, location: s.location, encryption_disabled: s.encryptionDisabled, bucket_owner_access: s.bucketOwnerAccess }),
      ),
    ]),
    ...optional("vpc_config", p.vpcConfig, (v) => args({ vpc_id: v.vpcId, subnets: v.subnets, security_group_ids: v.securityGroupIds })),
    ...(p.fileSystemLocations ?? []).map((f) =>
      block("file_system_locations", args({ type: f.type, identifier: f.identifier, location: f.location, mount_point: f.mountPoint, mount_options: f.mountOptions })),
    ),
    ...optional("build_batch_config", p.buildBatchConfig, (b) => [
      ...args({ service_role: b.serviceRole, timeout_in_mins: b.timeoutInMins, combine_artifacts: b.combineArtifacts }),
      ...(b.batchReportMode === undefined ? [] : [{ remark: `batchReportMode ${b.batchReportMode} has no argument in Terraform.` }]),
      ...optional("restrictions", b.restrictions, (r) => args({ maximum_builds_allowed: r.maximumBuildsAllowed, compute_types_allowed: r.computeTypesAllowed })),
    ]),
  ];
}

function source(s: ProjectSource | undefined): Item[] {
  return [
    ...args({
      type: s?.type,
      source_identifier: s?.sourceIdentifier,
      location: s?.location,
      git_clone_depth: s?.gitCloneDepth,
      report_build_status: s?.reportBuildStatus,
      insecure_ssl: s?.insecureSsl,
      buildspec: s?.buildspec,
    }),
    ...optional("auth", s?.auth, (a) => args({ type: a.type, resource: a.resource })),
    ...optional("git_submodules_config", s?.gitSubmodulesConfig, (g) => args({ fetch_submodules: g.fetchSubmodules })),
    ...optional("build_status_config", s?.buildStatusConfig, (b) => args({ context: b.context, target_url: b.targetUrl })),
  ];
}

function artifacts(a: ProjectArtifacts | undefined): Item[] {
  return args({
    type: a?.type,
    artifact_identifier: a?.artifactIdentifier,
    location: a?.location,
    path: a?.path,
    name: a?.name,
    override_artifact_name: a?.overrideArtifactName,
    namespace_type: a?.namespaceType,
    packaging: a?.packaging,
    encryption_disabled: a?.encryptionDisabled,
    bucket_owner_access: a?.bucketOwnerAccess,
  });
}

function hook(w: CreateWebhookInput, name: string): Item[] {
  return [
    ...args({
      project_name: new Expression(`aws_codebuild_project.${name}.name`),
      build_type: w.buildType,
      branch_filter: w.branchFilter,
      manual_creation: w.manualCreation,
    }),
    ...(w.filterGroups ?? []).map((g) =>
      block(
        "filter_group",
        g.map((f) => block("filter", args({ type: f.type, pattern: f.pattern, exclude_matched_pattern: f.excludeMatchedPattern }))),
      ),
    ),
    ...optional("scope_configuration", w.scopeConfiguration, (s) => args({ name: s.name, domain: s.domain, scope: s.scope })),
    ...optional("pull_request_build_policy", w.pullRequestBuildPolicy, (p) =>
      args({ requires_comment_approval: p.requiresCommentApproval, approver_roles: p.approverRoles }),
    ),
  ];
}

function args(values: Readonly<Record<string, Value | undefined>>): Item[] {
  return Object.entries(values).flatMap(([argument, value]) => (value === undefined ? [] : [{ argument, value }]));
}

function block(name: string, body: Item[]): Item {
  return { block: name, body };
}

function optional<T>(name: string, value: T | undefined, body: (value: T) => Item[]): Item[] {
  return value === undefined ? [] : [block(name, body(value))];
}
