import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { carries, filterName, filterType, groupEvents, type Filter, type FilterGroup, type FilterType } from "./filters";
import type { Focus } from "./useFocus";
import css from "./webhooks.module.css";

/** The fields of one filter: its type and its pattern. */
export function FilterFields({
  group,
  index,
  filter,
  groupNumber,
  types,
  error,
  focus,
  onChange,
  onRemove,
}: {
  group: FilterGroup;
  index: number;
  filter: Filter;
  groupNumber: number;
  types: readonly FilterType[];
  error: string | undefined;
  focus: Focus;
  onChange: (filter: Filter) => void;
  onRemove: () => void;
}) {
  const name = filterName(group, index, groupNumber);
  const events = groupEvents(group);
  const offered = types.some((t) => t.type === filter.type) ? types : [filterType(filter.type), ...types];
  const options = offered.map(({ type, words }) => {
    const without = events.filter((e) => !carries(e, type));
    const reason = `${without.join(", ")} ${without.length === 1 ? "has" : "have"} none`;
    return { value: type, label: type, description: words, ...(without.length > 0 && type !== filter.type ? { disabled: true, disabledReason: reason } : {}) };
  });
  const odd = events.filter((e) => !carries(e, filter.type));
  const { example } = filterType(filter.type);
  const hint = filter.pattern === "" ? `A regular expression${example === "" ? "" : `, such as ${example}`}. An empty one matches everything.` : undefined;
  return (
    <div className={css["row"]}>
      <FormField
        label={
          <>
            Filter type<span className={css["unseen"]}> of {name}</span>
          </>
        }
        errorText={odd.length > 0 ? `${odd.join(", ")} ${odd.length === 1 ? "has" : "have"} no ${filter.type}.` : undefined}
      >
        <Select
          selectedOption={options.find((o) => o.value === filter.type) ?? null}
          options={options}
          onChange={({ detail }) => onChange({ ...filter, type: detail.selectedOption.value ?? filter.type })}
        />
      </FormField>
      <FormField
        label={
          <>
            Pattern<span className={css["unseen"]}> of {name}</span>
          </>
        }
        constraintText={hint}
        errorText={error}
      >
        <Input
          ref={focus.ref(`${groupNumber}/pattern/${index}`)}
          value={filter.pattern}
          placeholder={example}
          spellcheck={false}
          autoComplete={false}
          onChange={({ detail }) => onChange({ ...filter, pattern: detail.value })}
        />
      </FormField>
      <div className={css["remove"]}>
        <Button iconName="remove" variant="icon" formAction="none" ariaLabel={`Remove ${name}`} onClick={onRemove} />
      </div>
    </div>
  );
}
