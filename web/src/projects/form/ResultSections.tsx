import Checkbox from "@cloudscape-design/components/checkbox";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { usePart, useProjectForm } from "./context";
import { Field } from "./Field";
import { More } from "./More";

/** Batch builds, which are recorded only. */
export function BatchSection() {
  const { form } = useProjectForm();
  const [batch, change] = usePart("batch");
  return (
    <More variant="container" title="Batch configuration" description="Several builds that belong together" initially={batch.on} members={["buildBatchConfig", "buildBatchConfig.serviceRole", "buildBatchConfig.timeoutInMins", "buildBatchConfig.restrictions"]}>
      <SpaceBetween size="l">
        <Field member="buildBatchConfig">
          <Checkbox
            checked={batch.on}
            onChange={({ detail }) => change({ on: detail.checked, serviceRole: batch.serviceRole === "" ? form.serviceRole : batch.serviceRole })}
            description="Recorded with the project. Slipway starts no batch builds yet."
          >
            Define batch configuration
          </Checkbox>
        </Field>
        {batch.on && (
          <>
            <Field member="buildBatchConfig.serviceRole" description="Slipway records it only.">
              <Input value={batch.serviceRole} spellcheck={false} onChange={({ detail }) => change({ serviceRole: detail.value })} />
            </Field>
            <ColumnLayout columns={2}>
              <Field member="buildBatchConfig.timeoutInMins" optional constraintText="5 to 2160 minutes.">
                <Input type="number" inputMode="numeric" value={batch.timeout} onChange={({ detail }) => change({ timeout: detail.value })} />
              </Field>
              <Field member="buildBatchConfig.restrictions" optional constraintText="1 to 100.">
                <Input type="number" inputMode="numeric" value={batch.maximumBuilds} onChange={({ detail }) => change({ maximumBuilds: detail.value })} />
              </Field>
            </ColumnLayout>
            <FormField label="Commit statuses of a batch">
              <Select
                selectedOption={reports.find((r) => r.value === batch.report) ?? null}
                options={reports}
                onChange={({ detail }) => change({ report: reports.find((r) => r.value === detail.selectedOption.value)?.value ?? "" })}
              />
            </FormField>
            <Checkbox checked={batch.combineArtifacts} onChange={({ detail }) => change({ combineArtifacts: detail.checked })}>
              Combine all artifacts from batch into a single location
            </Checkbox>
          </>
        )}
      </SpaceBetween>
    </More>
  );
}

const reports = [
  { value: "", label: "Not set" },
  { value: "REPORT_AGGREGATED_BATCH", label: "One for the whole batch" },
  { value: "REPORT_INDIVIDUAL_BUILDS", label: "One for each build" },
] as const;

/** Where the artifacts of a build go. */
export function ArtifactsSection() {
  const [artifacts, change] = usePart("artifacts");
  const types = [{ value: "NO_ARTIFACTS", label: "No artifacts" }, { value: "S3", label: "Amazon S3" }, ...(artifacts.type === "CODEPIPELINE" ? [{ value: "CODEPIPELINE", label: "AWS CodePipeline" }] : [])];
  return (
    <Container header={<Header variant="h2">Artifacts</Header>}>
      <SpaceBetween size="l">
        <Field member="artifacts">
          <Select
            selectedOption={types.find((t) => t.value === artifacts.type) ?? null}
            options={types}
            onChange={({ detail }) => {
              const { value } = detail.selectedOption;
              if (value === "S3" || value === "NO_ARTIFACTS" || value === "CODEPIPELINE") change({ type: value });
            }}
          />
        </Field>
        {artifacts.type === "S3" && (
          <>
            <ColumnLayout columns={2}>
              <Field member="artifacts.location" description="The files that the buildspec's artifacts section names go there.">
                <Input value={artifacts.location} spellcheck={false} onChange={({ detail }) => change({ location: detail.value })} />
              </Field>
              <Field member="artifacts.path" optional>
                <Input value={artifacts.path} spellcheck={false} onChange={({ detail }) => change({ path: detail.value })} />
              </Field>
              <Field member="artifacts.name" optional description="Empty means the name of the project.">
                <Input value={artifacts.name} spellcheck={false} onChange={({ detail }) => change({ name: detail.value })} />
              </Field>
              <FormField label="Namespace type">
                <Select
                  selectedOption={namespaces.find((n) => n.value === artifacts.namespace) ?? null}
                  options={namespaces}
                  onChange={({ detail }) => change({ namespace: namespaces.find((n) => n.value === detail.selectedOption.value)?.value ?? "" })}
                />
              </FormField>
              <FormField label="Artifacts packaging">
                <Select
                  selectedOption={packagings.find((n) => n.value === artifacts.packaging) ?? null}
                  options={packagings}
                  onChange={({ detail }) => change({ packaging: packagings.find((n) => n.value === detail.selectedOption.value)?.value ?? "" })}
                />
              </FormField>
            </ColumnLayout>
            <Checkbox checked={artifacts.overrideName} onChange={({ detail }) => change({ overrideName: detail.checked })}>
              Enable semantic versioning: use the artifact name specified in the buildspec file
            </Checkbox>
            <Checkbox checked={artifacts.encryptionDisabled} onChange={({ detail }) => change({ encryptionDisabled: detail.checked })}>
              Disable artifacts encryption
            </Checkbox>
          </>
        )}
      </SpaceBetween>
    </Container>
  );
}

const namespaces = [
  { value: "", label: "Not set" },
  { value: "NONE", label: "None" },
  { value: "BUILD_ID", label: "Build ID" },
] as const;

const packagings = [
  { value: "", label: "Not set" },
  { value: "NONE", label: "None" },
  { value: "ZIP", label: "Zip" },
] as const;

/** What builds keep for the next one. */
export function CacheSection() {
  const [cache, change] = usePart("cache");
  return (
    <Container header={<Header variant="h2">Cache</Header>}>
      <SpaceBetween size="l">
        <Field member="cache" description="The next build finds again what the buildspec's cache section names, or what the modes below are for.">
          <Select
            selectedOption={caches.find((c) => c.value === cache.type) ?? null}
            options={caches}
            onChange={({ detail }) => change({ type: caches.find((c) => c.value === detail.selectedOption.value)?.value ?? "NO_CACHE" })}
          />
        </Field>
        {cache.type === "S3" && (
          <ColumnLayout columns={2}>
            <Field member="cache.location" description="A bucket, and a path in it after a slash.">
              <Input value={cache.location} spellcheck={false} onChange={({ detail }) => change({ location: detail.value })} />
            </Field>
            <FormField label="Cache namespace" description="Projects with the same one and the same bucket share a cache.">
              <Input value={cache.namespace} spellcheck={false} onChange={({ detail }) => change({ namespace: detail.value })} />
            </FormField>
          </ColumnLayout>
        )}
        {cache.type === "LOCAL" && (
          <Field member="cache.modes">
            <SpaceBetween size="xs">
              {modes.map((m) => (
                <Checkbox
                  key={m.value}
                  checked={cache.modes.includes(m.value)}
                  description={m.description}
                  onChange={({ detail }) => change({ modes: detail.checked ? [...cache.modes, m.value] : cache.modes.filter((v) => v !== m.value) })}
                >
                  {m.label}
                </Checkbox>
              ))}
            </SpaceBetween>
          </Field>
        )}
      </SpaceBetween>
    </Container>
  );
}

const caches = [
  { value: "NO_CACHE", label: "No cache" },
  { value: "S3", label: "Amazon S3" },
  { value: "LOCAL", label: "Local" },
] as const;

const modes = [
  { value: "LOCAL_CUSTOM_CACHE", label: "Custom cache", description: "The paths of the buildspec's cache section, on the machine that builds." },
  { value: "LOCAL_SOURCE_CACHE", label: "Source cache", description: "What was fetched of the repository: the next build fetches what is new." },
  { value: "LOCAL_DOCKER_LAYER_CACHE", label: "Docker layer cache", description: "The layers that Docker makes in a privileged build." },
] as const;

/** Where the log of a build goes. */
export function LogsSection() {
  const { form } = useProjectForm();
  const [logs, change] = usePart("logs");
  return (
    <Container header={<Header variant="h2">Logs</Header>}>
      <SpaceBetween size="l">
        <Field member="logsConfig.cloudWatchLogs">
          <Checkbox checked={logs.cloudWatch} onChange={({ detail }) => change({ cloudWatch: detail.checked })} description="The log is read here and with aws logs tail.">
            CloudWatch logs
          </Checkbox>
        </Field>
        {logs.cloudWatch && (
          <ColumnLayout columns={2}>
            <Field member="logsConfig.cloudWatchLogs.groupName" optional>
              <Input value={logs.group} placeholder={`/aws/codebuild/${form.name === "" ? "PROJECT" : form.name}`} spellcheck={false} onChange={({ detail }) => change({ group: detail.value })} />
            </Field>
            <Field member="logsConfig.cloudWatchLogs.streamName" optional description="What stands before the build's own part.">
              <Input value={logs.stream} spellcheck={false} onChange={({ detail }) => change({ stream: detail.value })} />
            </Field>
          </ColumnLayout>
        )}
        <Checkbox checked={logs.s3} onChange={({ detail }) => change({ s3: detail.checked })} description="A copy of the log is uploaded when the build has ended.">
          S3 logs
        </Checkbox>
        {logs.s3 && (
          <>
            <Field member="logsConfig.s3Logs" description="A bucket, and a path in it after a slash.">
              <Input value={logs.s3Location} spellcheck={false} onChange={({ detail }) => change({ s3Location: detail.value })} />
            </Field>
            <Checkbox checked={logs.s3EncryptionDisabled} onChange={({ detail }) => change({ s3EncryptionDisabled: detail.checked })}>
              Disable S3 log encryption
            </Checkbox>
          </>
        )}
      </SpaceBetween>
    </Container>
  );
}
