import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import type { TagForm } from "../form";
import { idOf } from "../findings";
import { useProjectForm } from "./context";
import { Field } from "./Field";
import { More } from "./More";

/** What the project is called, and what holds for all its builds. */
export function ConfigurationSection() {
  const { form, patch, was } = useProjectForm();
  return (
    <Container header={<Header variant="h2">Project configuration</Header>}>
      <SpaceBetween size="l">
        <Field
          member="name"
          constraintText={was === undefined ? "2 to 150 letters, digits, hyphens or underscores. It cannot be changed later." : "The name of a project cannot be changed."}
        >
          <Input value={form.name} onChange={({ detail }) => patch({ name: detail.value })} disabled={was !== undefined} spellcheck={false} autoComplete={false} />
        </Field>
        <More members={["description", "badgeEnabled", "concurrentBuildLimit", "autoRetryLimit", "tags"]} description="Description, build badge, concurrent build limit, tags">
          <SpaceBetween size="l">
            <Field member="description" optional constraintText="At most 255 characters.">
              <Textarea rows={2} value={form.description} onChange={({ detail }) => patch({ description: detail.value })} />
            </Field>
            <Field member="badgeEnabled" optional>
              <Checkbox checked={form.badge} onChange={({ detail }) => patch({ badge: detail.checked })} description="Recorded with the project. Slipway serves no badges yet.">
                Enable build badge
              </Checkbox>
            </Field>
            <Field member="concurrentBuildLimit" optional description="How many builds of this project may run at a time. Empty means no limit of its own.">
              <Input type="number" inputMode="numeric" value={form.concurrentLimit} onChange={({ detail }) => patch({ concurrentLimit: detail.value })} />
            </Field>
            <Field member="autoRetryLimit" optional description="How often a failed build is started again by itself. Empty means never.">
              <Input type="number" inputMode="numeric" value={form.autoRetryLimit} onChange={({ detail }) => patch({ autoRetryLimit: detail.value })} />
            </Field>
            <Tags />
          </SpaceBetween>
        </More>
      </SpaceBetween>
    </Container>
  );
}

function Tags() {
  const { form, patch, elementErrorOf, touch } = useProjectForm();
  const change = (index: number, part: Partial<TagForm>) => patch({ tags: form.tags.map((t, i) => (i === index ? { ...t, ...part } : t)) });
  return (
    <div id={idOf("tags")} tabIndex={-1} onBlur={() => touch("tags")}>
      <AttributeEditor<TagForm>
        items={form.tags}
        addButtonText="Add tag"
        removeButtonText="Remove"
        removeButtonAriaLabel={(t) => `Remove tag ${t.key}`}
        empty="No tags."
        onAddButtonClick={() => patch({ tags: [...form.tags, { key: "", value: "" }] })}
        onRemoveButtonClick={({ detail }) => patch({ tags: form.tags.filter((_, i) => i !== detail.itemIndex) })}
        definition={[
          {
            label: "Tag key",
            errorText: (_, i) => elementErrorOf("tags", i, "key"),
            control: (t, i) => <Input ariaLabel={`Key of tag ${i + 1}`} value={t.key} onChange={({ detail }) => change(i, { key: detail.value })} />,
          },
          {
            label: "Tag value",
            errorText: (_, i) => elementErrorOf("tags", i, "value"),
            control: (t, i) => <Input ariaLabel={`Value of tag ${i + 1}`} value={t.value} onChange={({ detail }) => change(i, { value: detail.value })} />,
          },
        ]}
      />
    </div>
  );
}
