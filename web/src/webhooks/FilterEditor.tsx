import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Grid from "@cloudscape-design/components/grid";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Problem } from "../api/problem";
import { slipway } from "../api/slipway";
import type { ServerType } from "../api/slipway.gen";
import { FilterGroupFields } from "./FilterGroupFields";
import { FilterPreview } from "./FilterPreview";
import { filterTypesOf, newGroup, refusedFilter, templates, type FilterGroup, type FilterGroups } from "./filters";
import { useDebounced } from "../parts/useDebounced";
import { useFocus } from "./useFocus";
import css from "./webhooks.module.css";

/** Whose recent deliveries the groups are held against. */
export interface PreviewOf {
  readonly projectName?: string;
  readonly serverType: ServerType;
  readonly repositoryUrl: string;
}

/** A webhook's filter groups, and what recent deliveries would come to with them. */
export function FilterEditor({
  value,
  onChange,
  preview,
  errors = [],
}: {
  value: FilterGroups;
  onChange: (value: FilterGroups) => void;
  preview: PreviewOf;
  /** What the server said of the groups, such as when they were saved. */
  errors?: readonly string[];
}) {
  const focus = useFocus();
  const settled = useDebounced(value, 300);
  const { projectName, serverType, repositoryUrl } = preview;
  // A project that is there says itself where its source is.
  const of = projectName === undefined ? { serverType, repositoryUrl } : { projectName };
  const input = { ...of, filterGroups: settled, maxResults: 20 };
  const query = useQuery({
    queryKey: ["PreviewWebhook", input],
    queryFn: ({ signal }) => slipway("PreviewWebhook", input, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
  const problem = query.error === null ? undefined : Problem.of(query.error);
  const said = [...errors, ...(problem === undefined || settled !== value ? [] : [problem.message])];
  const refused = said.map((message) => ({ message, at: refusedFilter(value, message) }));
  const elsewhere = [...new Set(refused.filter((r) => r.at === undefined && errors.includes(r.message)).map((r) => r.message))];
  const warnings = problem === undefined ? (query.data?.warnings ?? []) : [];
  const types = filterTypesOf(serverType, repositoryUrl);
  const add = (group: FilterGroup) => {
    onChange([...value, group]);
    focus.next(`${value.length + 1}/events`);
  };
  return (
    <Grid gridDefinition={[{ colspan: { default: 12, s: 7 } }, { colspan: { default: 12, s: 5 } }]}>
      <div className={css["editor"]}>
        <SpaceBetween size="m">
          {elsewhere.map((message) => (
            <Alert key={message} type="error" header="The server refuses these filter groups">
              {message}
            </Alert>
          ))}
          {value.length === 0 && (
            <Box color="text-body-secondary">
              There are no filter groups: every push and every pull request builds. Add a group, or begin with a template, to build less than that.
            </Box>
          )}
          {value.map((group, i) => {
            const found = refused.find((r) => r.at?.group === i);
            return (
              <SpaceBetween key={i} size="s">
                {i > 0 && (
                  <Box textAlign="center" color="text-body-secondary">
                    or
                  </Box>
                )}
                <FilterGroupFields
                  number={i + 1}
                  group={group}
                  server={serverType}
                  types={types}
                  refused={found?.at === undefined ? undefined : { index: found.at.index, message: found.message }}
                  focus={focus}
                  onChange={(g) => onChange(value.with(i, g))}
                  onRemove={() => {
                    onChange(value.toSpliced(i, 1));
                    focus.next(value.length === 1 ? "add" : `${Math.min(i + 1, value.length - 1)}/remove`);
                  }}
                />
              </SpaceBetween>
            );
          })}
          <SpaceBetween direction="horizontal" size="xs">
            <Button ref={focus.ref("add")} iconName="add-plus" formAction="none" onClick={() => add(newGroup)}>
              Add filter group
            </Button>
            <ButtonDropdown
              items={templates(serverType).map(({ id, title }) => ({ id, text: title }))}
              onItemClick={({ detail }) => {
                const template = templates(serverType).find((t) => t.id === detail.id);
                if (template !== undefined) add(template.group);
              }}
            >
              Add from a template
            </ButtonDropdown>
          </SpaceBetween>
          <div aria-live="polite">
            {warnings.length > 0 && (
              <Alert type="warning" header={warnings.length === 1 ? "A pattern matches more than it reads" : "Some patterns do something else than they read"}>
                <SpaceBetween size="xs">
                  {warnings.map((w) => (
                    <div key={w} className={css["text"]}>
                      {w}
                    </div>
                  ))}
                </SpaceBetween>
              </Alert>
            )}
          </div>
        </SpaceBetween>
      </div>
      <FilterPreview answer={query.data} error={query.error} refused={problem !== undefined && refusedFilter(value, problem.message) !== undefined} retry={() => void query.refetch()} projectName={projectName} />
    </Grid>
  );
}
