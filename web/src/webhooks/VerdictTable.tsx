import Box from "@cloudscape-design/components/box";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import type { FilterGroupVerdict, FilterVerdict } from "../api/slipway.gen";
import { plain } from "./words";
import { Code } from "./Said";

interface Row {
  readonly key: string;
  readonly group: number;
  readonly first: boolean;
  readonly matched: boolean;
  readonly filter: FilterVerdict;
}

const columns: readonly TableProps.ColumnDefinition<Row>[] = [
  {
    id: "group",
    header: "Group",
    minWidth: 110,
    isRowHeader: true,
    cell: ({ group, first, matched }) => (
      <Box variant="span" fontWeight={first ? "bold" : "normal"} color={first ? "inherit" : "text-body-secondary"}>
        {group}
        {first && (matched ? ", matched" : ", no match")}
      </Box>
    ),
  },
  { id: "filter", header: "Filter", minWidth: 150, cell: ({ filter }) => filter.type },
  {
    id: "pattern",
    header: "Pattern",
    minWidth: 200,
    cell: ({ filter }) => (
      <>
        {filter.excludeMatchedPattern === true && "not "}
        <Code>{filter.pattern}</Code>
      </>
    ),
  },
  { id: "value", header: "Value seen", minWidth: 200, cell: ({ filter }) => <Code>{filter.value}</Code> },
  {
    id: "verdict",
    header: "Verdict",
    minWidth: 110,
    cell: ({ filter }) => <StatusIndicator type={filter.matched ? "success" : "error"}>{filter.matched ? "Match" : "Said no"}</StatusIndicator>,
  },
  { id: "note", header: "Note", minWidth: 160, cell: ({ filter }) => (filter.note === undefined ? "" : plain(filter.note)) },
];

/** Why an event passed a webhook's filters or did not: each filter with the value that it saw. */
export function VerdictTable({ groups, label = "Filters" }: { groups: readonly FilterGroupVerdict[]; label?: string }) {
  const rows = groups.flatMap((g, group) =>
    (g.filters ?? []).map((filter, i) => ({ key: `${group}.${i}`, group: group + 1, first: i === 0, matched: g.matched, filter })),
  );
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      wrapLines
      ariaLabels={{ tableLabel: label }}
      trackBy="key"
      columnDefinitions={columns}
      items={rows}
      empty="The webhook has no filters."
    />
  );
}
