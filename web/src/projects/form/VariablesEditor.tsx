import Alert from "@cloudscape-design/components/alert";
import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Box from "@cloudscape-design/components/box";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { VariableForm } from "../form";
import { idOf } from "../findings";
import { usePart, useProjectForm } from "./context";

const list = "environment.environmentVariables";
const types = [
  { value: "PLAINTEXT", label: "Plaintext" },
  { value: "PARAMETER_STORE", label: "Parameter" },
  { value: "SECRETS_MANAGER", label: "Secrets Manager" },
] as const;

/** The variables that every build of the project finds. */
export function VariablesEditor() {
  const { elementErrorOf, touch } = useProjectForm();
  const [{ variables }, set] = usePart("environment");
  const change = (index: number, part: Partial<VariableForm>) => set({ variables: variables.map((v, i) => (i === index ? { ...v, ...part } : v)) });
  return (
    <div id={idOf(list)} tabIndex={-1} onBlur={() => touch(list)}>
      <SpaceBetween size="s">
        <div>
          <Box variant="awsui-key-label">Environment variables</Box>
          <Box color="text-body-secondary" fontSize="body-s">
            Plaintext values are readable by everybody who can see the project. Do not put secrets there.
          </Box>
        </div>
        <AttributeEditor<VariableForm>
          items={variables}
          addButtonText="Add environment variable"
          removeButtonText="Remove"
          removeButtonAriaLabel={(v) => `Remove variable ${v.name}`}
          empty="No environment variables."
          onAddButtonClick={() => set({ variables: [...variables, { name: "", value: "", type: "PLAINTEXT" }] })}
          onRemoveButtonClick={({ detail }) => set({ variables: variables.filter((_, i) => i !== detail.itemIndex) })}
          gridLayout={[{ rows: [[4, 5, 3]], breakpoint: "s", removeButton: { width: "auto" } }, { rows: [[1], [1], [1]], removeButton: { ownRow: true } }]}
          definition={[
            {
              label: "Name",
              errorText: (_, i) => elementErrorOf(list, i, "name"),
              control: (v, i) => <Input ariaLabel={`Name of variable ${i + 1}`} value={v.name} spellcheck={false} onChange={({ detail }) => change(i, { name: detail.value })} />,
            },
            {
              label: "Value",
              errorText: (_, i) => elementErrorOf(list, i, "value"),
              control: (v, i) => <Input ariaLabel={`Value of variable ${i + 1}`} value={v.value} spellcheck={false} onChange={({ detail }) => change(i, { value: detail.value })} />,
            },
            {
              label: "Type",
              control: (v, i) => (
                <Select
                  ariaLabel={`Type of variable ${i + 1}`}
                  selectedOption={types.find((t) => t.value === v.type) ?? null}
                  options={types}
                  onChange={({ detail }) => change(i, { type: types.find((t) => t.value === detail.selectedOption.value)?.value ?? v.type })}
                />
              ),
            },
          ]}
        />
        {variables.some((v) => v.type !== "PLAINTEXT") && (
          <Alert type="info">The value is the name of a parameter or a secret, which the server keeps itself or asks AWS for, as it was started. What it stands for is masked in the log.</Alert>
        )}
      </SpaceBetween>
    </div>
  );
}
