import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Multiselect from "@cloudscape-design/components/multiselect";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { conditions, eventsOf, eventWords, groupEvents, newFilter, withEvents, type FilterGroup, type FilterType } from "./filters";
import { FilterFields } from "./FilterFields";
import type { Focus } from "./useFocus";
import type { ServerType } from "../api/slipway.gen";
import css from "./webhooks.module.css";

/** The fields of one filter group. */
export function FilterGroupFields({
  number,
  group,
  server,
  types,
  refused,
  focus,
  onChange,
  onRemove,
}: {
  number: number;
  group: FilterGroup;
  server: ServerType;
  types: readonly FilterType[];
  /** The filter that the server refuses, and why. */
  refused: { readonly index: number; readonly message: string } | undefined;
  focus: Focus;
  onChange: (group: FilterGroup) => void;
  onRemove: () => void;
}) {
  const title = `Filter group ${number}`;
  const chosen = groupEvents(group);
  const options = [...new Set([...eventsOf[server], ...chosen])].map((value) => ({ value, label: value, description: eventWords[value] ?? "No event of this provider" }));
  return (
    <div role="group" aria-label={title} className={css["group"]}>
      <SpaceBetween size="m">
        <Header
          variant="h3"
          actions={
            <Button ref={focus.ref(`${number}/remove`)} ariaLabel={`Remove filter group ${number}`} onClick={onRemove} formAction="none">
              Remove group
            </Button>
          }
        >
          {title}
        </Header>
        <FormField
          label={
            <>
              Event types<span className={css["unseen"]}> of filter group {number}</span>
            </>
          }
          description="A build can start when any of them happens."
          errorText={chosen.length === 0 ? "Choose at least one event type: without one the group can never match." : undefined}
        >
          <Multiselect
            ref={focus.ref(`${number}/events`)}
            selectedOptions={options.filter((o) => chosen.includes(o.value))}
            options={options}
            placeholder="Choose event types"
            filteringType={options.length > 6 ? "auto" : "none"}
            deselectAriaLabel={(o) => `Remove ${o.label ?? ""} from filter group ${number}`}
            onChange={({ detail }) => onChange(withEvents(group, detail.selectedOptions.map((o) => o.value ?? "")))}
          />
        </FormField>
        {[false, true].map((exclude) => (
          <SpaceBetween key={String(exclude)} size="s">
            <div>
              <Box variant="h4">{exclude ? "Don't start a build under these conditions" : "Start a build under these conditions"}</Box>
              <Box variant="small" color="text-body-secondary">
                {exclude ? "A filter whose pattern matches keeps the group from matching." : "All of them must match. With none, every event of these types builds."}
              </Box>
            </div>
            {conditions(group, exclude).map(({ filter, index }) => (
              <FilterFields
                key={index}
                group={group}
                index={index}
                filter={filter}
                groupNumber={number}
                types={types}
                error={refused?.index === index ? refused.message : undefined}
                focus={focus}
                onChange={(f) => onChange(group.with(index, f))}
                onRemove={() => {
                  onChange(group.toSpliced(index, 1));
                  focus.next(`${number}/add/${exclude}`);
                }}
              />
            ))}
            <Button
              ref={focus.ref(`${number}/add/${exclude}`)}
              iconName="add-plus"
              formAction="none"
              ariaLabel={`Add ${exclude ? "don't start" : "start"} filter to filter group ${number}`}
              onClick={() => {
                onChange([...group, newFilter(group, types, exclude)]);
                focus.next(`${number}/pattern/${group.length}`);
              }}
            >
              Add filter
            </Button>
          </SpaceBetween>
        ))}
      </SpaceBetween>
    </div>
  );
}
