import { ComputeType, EnvironmentType } from "@aws-sdk/client-codebuild";
import Checkbox from "@cloudscape-design/components/checkbox";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { sourceWords } from "./build";
import type { StartForm } from "./start";

interface Part {
  readonly form: StartForm;
  readonly set: (change: Partial<StartForm>) => void;
}

/** The environment of one build. */
export function StartEnvironment({ form, set }: Part) {
  return (
    <Container header={<Header variant="h2">Environment</Header>}>
      <SpaceBetween size="l">
        <ColumnLayout columns={2}>
          <FormField label="Image">
            <Input value={form.image} spellcheck={false} onChange={({ detail }) => set({ image: detail.value })} />
          </FormField>
          <Choice label="Compute type" value={form.computeType} values={Object.values(ComputeType)} onChange={(computeType) => set({ computeType })} />
        </ColumnLayout>
        <Checkbox checked={form.privileged} description="The build may run containers of its own." onChange={({ detail }) => set({ privileged: detail.checked })}>
          Privileged
        </Checkbox>
      </SpaceBetween>
    </Container>
  );
}

const depths = [
  { value: "1", label: "1" },
  { value: "5", label: "5" },
  { value: "10", label: "10" },
  { value: "25", label: "25" },
  { value: "0", label: "Full" },
];

const sourceTypes = (["GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET", "S3", "NO_SOURCE"] as const).map((value) => ({ value, label: sourceWords(value) }));

/** What is seldom changed for one build. */
export function StartAdvanced({ form, set }: Part) {
  return (
    <ExpandableSection variant="container" headerText="More overrides" headerDescription="Source, clone depth, status reports, environment type and artifacts.">
      <SpaceBetween size="l">
        <ColumnLayout columns={2}>
          <FormField label="Source type">
            <Select
              selectedOption={sourceTypes.find((t) => t.value === form.sourceType) ?? (form.sourceType === "" ? null : { value: form.sourceType, label: form.sourceType })}
              options={sourceTypes}
              placeholder="As the project has it"
              onChange={({ detail }) => set({ sourceType: sourceTypes.find((t) => t.value === detail.selectedOption.value)?.value ?? "" })}
            />
          </FormField>
          <FormField label="Source location" description="The URL of the repository.">
            <Input value={form.sourceLocation} spellcheck={false} onChange={({ detail }) => set({ sourceLocation: detail.value })} />
          </FormField>
          <FormField label="Git clone depth">
            <Select
              selectedOption={depths.find((d) => d.value === form.gitCloneDepth) ?? { value: form.gitCloneDepth, label: form.gitCloneDepth }}
              options={depths}
              onChange={({ detail }) => set({ gitCloneDepth: detail.selectedOption.value ?? form.gitCloneDepth })}
            />
          </FormField>
          <Choice label="Environment type" value={form.environmentType} values={Object.values(EnvironmentType)} onChange={(environmentType) => set({ environmentType })} />
        </ColumnLayout>
        <Checkbox
          checked={form.reportBuildStatus}
          description="The commit at the provider shows the status of this build."
          onChange={({ detail }) => set({ reportBuildStatus: detail.checked })}
        >
          Report build status
        </Checkbox>
        <ColumnLayout columns={2}>
          <Choice label="Artifacts type" value={form.artifactsType} values={["NO_ARTIFACTS", "S3"] as const} onChange={(artifactsType) => set({ artifactsType })} />
          {form.artifactsType === "S3" && (
            <>
              <FormField label="Artifacts location" description="The name of the bucket.">
                <Input value={form.artifactsLocation} spellcheck={false} onChange={({ detail }) => set({ artifactsLocation: detail.value })} />
              </FormField>
              <FormField label="Artifacts path">
                <Input value={form.artifactsPath} spellcheck={false} onChange={({ detail }) => set({ artifactsPath: detail.value })} />
              </FormField>
              <FormField label="Artifacts name">
                <Input value={form.artifactsName} spellcheck={false} onChange={({ detail }) => set({ artifactsName: detail.value })} />
              </FormField>
            </>
          )}
        </ColumnLayout>
      </SpaceBetween>
    </ExpandableSection>
  );
}

function Choice<V extends string>({ label, value, values, onChange }: { label: string; value: string; values: readonly V[]; onChange: (value: V) => void }) {
  return (
    <FormField label={label}>
      <Select
        selectedOption={value === "" ? null : { value, label: value }}
        options={values.map((v) => ({ value: v, label: v }))}
        placeholder="As the project has it"
        onChange={({ detail }) => {
          const chosen = values.find((v) => v === detail.selectedOption.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      />
    </FormField>
  );
}
