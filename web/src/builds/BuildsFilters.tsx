import DateRangePicker, { type DateRangePickerProps } from "@cloudscape-design/components/date-range-picker";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import { useEffect, useState } from "react";
import type { BuildStatus } from "../api/slipway.gen";
import { ProjectSelect } from "./ProjectSelect";
import type { BuildFilters, Started } from "./search";
import { statusWords } from "./words";
import styles from "./builds.module.css";

const statusOptions = Object.entries(statusWords).map(([value, label]) => ({ value, label }));

/** How long after the last key the text is looked for, in milliseconds. */
const pause = 300;

/** What narrows a table of builds down. */
export function BuildsFilters({ filters, withinProject, onChange }: { filters: BuildFilters; withinProject: boolean; onChange: (filters: BuildFilters) => void }) {
  return (
    <div className={styles["filters"]} data-within-project={withinProject}>
      <FormField label="Find builds">
        <TextFilter value={filters.text} onChange={(text) => onChange({ ...filters, text })} />
      </FormField>
      {!withinProject && (
        <FormField label="Project">
          <ProjectSelect
            value={filters.projectName}
            onChange={(projectName) => onChange({ ...filters, projectName })}
          />
        </FormField>
      )}
      <FormField label="Status">
        <Multiselect
          selectedOptions={statusOptions.filter((o) => filters.statuses.some((s) => s === o.value))}
          options={statusOptions}
          placeholder="Any status"
          inlineTokens
          deselectAriaLabel={(o) => `Remove ${o.label ?? ""}`}
          onChange={({ detail }) => onChange({ ...filters, statuses: detail.selectedOptions.map((o) => o.value as BuildStatus) })}
        />
      </FormField>
      <FormField label="Started">
        <StartedFilter value={filters.started} onChange={(started) => onChange({ ...filters, started })} />
      </FormField>
    </div>
  );
}

function TextFilter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState({ text: value, of: value });
  const text = typed.of === value ? typed.text : value; // whoever changes the address changes the field
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), pause);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <Input
      type="search"
      value={text}
      placeholder="Branch, commit, initiator, message"
      clearAriaLabel="Clear the text"
      onChange={({ detail }) => setTyped({ text: detail.value, of: value })}
    />
  );
}

const relativeOptions: readonly DateRangePickerProps.RelativeOption[] = [
  { key: "hour", amount: 1, unit: "hour", type: "relative" },
  { key: "day", amount: 1, unit: "day", type: "relative" },
  { key: "week", amount: 7, unit: "day", type: "relative" },
  { key: "month", amount: 30, unit: "day", type: "relative" },
];

function StartedFilter({ value, onChange }: { value: Started; onChange: (started: Started) => void }) {
  return (
    <DateRangePicker
      value={pickerValue(value)}
      relativeOptions={relativeOptions}
      placeholder="Any time"
      expandToViewport
      isValidRange={(range) => {
        if (range?.type !== "absolute") return { valid: true };
        if (range.startDate === "" || range.endDate === "") return { valid: false, errorMessage: "Choose the first and the last day." };
        return Date.parse(range.startDate) <= Date.parse(range.endDate) ? { valid: true } : { valid: false, errorMessage: "The range ends before it begins." };
      }}
      i18nStrings={{ formatRelativeRange: ({ amount, unit }) => `Last ${amount === 1 ? unit : `${amount} ${unit}s`}` }}
      onChange={({ detail }) => onChange(startedOfPicker(detail.value))}
    />
  );
}

function pickerValue(started: Started): DateRangePickerProps.Value | null {
  switch (started.kind) {
    case "any":
      return null;
    case "last":
      return { type: "relative", amount: started.amount, unit: started.unit };
    case "between":
      return { type: "absolute", startDate: started.from, endDate: started.to };
  }
}

function startedOfPicker(value: DateRangePickerProps.Value | null): Started {
  if (value === null) return { kind: "any" };
  if (value.type === "absolute") return { kind: "between", from: value.startDate, to: value.endDate };
  const { amount, unit } = value;
  return unit === "minute" || unit === "hour" || unit === "day" || unit === "week" ? { kind: "last", amount, unit } : { kind: "any" };
}
