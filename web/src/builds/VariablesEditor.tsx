import type { EnvironmentVariableType } from "@aws-sdk/client-codebuild";
import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import type { Variable } from "./start";

const types: readonly { value: EnvironmentVariableType; label: string }[] = [
  { value: "PLAINTEXT", label: "Plaintext" },
  { value: "PARAMETER_STORE", label: "Parameter Store" },
  { value: "SECRETS_MANAGER", label: "Secrets Manager" },
];

/** The variables of one build: those of the project, whose values can be changed, and more. */
export function VariablesEditor({
  variables,
  problems,
  onChange,
}: {
  variables: readonly Variable[];
  problems: readonly (string | undefined)[];
  onChange: (variables: readonly Variable[]) => void;
}) {
  const set = (at: number, change: Partial<Variable>) => onChange(variables.map((v, i) => (i === at ? { ...v, ...change } : v)));
  return (
    <AttributeEditor<Variable>
      items={variables}
      addButtonText="Add environment variable"
      removeButtonText="Remove"
      removeButtonAriaLabel={(v) => `Remove ${v.name === "" ? "the variable" : v.name}`}
      isItemRemovable={(v) => !v.ofProject}
      empty="The project has no environment variables."
      onAddButtonClick={() => onChange([...variables, { name: "", value: "", type: "PLAINTEXT", ofProject: false }])}
      onRemoveButtonClick={({ detail }) => onChange(variables.filter((_, i) => i !== detail.itemIndex))}
      definition={[
        {
          label: "Name",
          control: (v, i) => <Input value={v.name} disabled={v.ofProject} spellcheck={false} autoComplete={false} onChange={({ detail }) => set(i, { name: detail.value })} />,
          errorText: (_, i) => problems[i],
        },
        {
          label: "Value",
          control: (v, i) => (
            <Input
              value={v.value}
              spellcheck={false}
              autoComplete={false}
              placeholder={v.type === "PLAINTEXT" ? "" : "Name of the parameter or secret"}
              onChange={({ detail }) => set(i, { value: detail.value })}
            />
          ),
        },
        {
          label: "Type",
          control: (v, i) => (
            <Select
              selectedOption={types.find((t) => t.value === v.type) ?? { value: v.type, label: v.type }}
              options={types}
              onChange={({ detail }) => set(i, { type: types.find((t) => t.value === detail.selectedOption.value)?.value ?? "PLAINTEXT" })}
            />
          ),
        },
      ]}
    />
  );
}
