import type { TestCase } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useSearchParams } from "wouter";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { duration } from "../parts/time";
import { useTestCases } from "./queries";
import { caseStatuses, failingFirst, seconds } from "./reports";
import { ReportStatus } from "./ReportStatus";
import styles from "./reports.module.css";

const anyStatus = { value: "", label: "Any status" };
const options = [anyStatus, ...caseStatuses.map((s) => ({ value: s, label: s }))];

/** The test cases of a report. Failing ones are asked for by themselves, so that they come first of thousands. */
export function TestCases({ arn }: { arn: string }) {
  const [search, setSearch] = useSearchParams();
  const status = search.get("status") ?? "";
  const pages = useTestCases(arn, status, true);
  const failed = useTestCases(arn, "FAILED", status === "");
  const errors = useTestCases(arn, "ERROR", status === "");
  const cases = (q: typeof pages) => q.data?.pages.flatMap((p) => p.testCases ?? []) ?? [];
  const bad = status === "" ? [...cases(failed), ...cases(errors)] : [];
  const rest = cases(pages).filter((c) => status !== "" || (c.status !== "FAILED" && c.status !== "ERROR"));
  const all = [...failingFirst(bad), ...failingFirst(rest)];
  const queries = status === "" ? [failed, errors, pages] : [pages];
  const more = queries.find((q) => q.hasNextPage);
  const error = queries.find((q) => q.error !== null)?.error ?? null;
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={error} doing="read the test cases" retry={() => void Promise.all(queries.map((q) => q.refetch()))} />
      <Table<TestCase>
        variant="container"
        wrapLines
        ariaLabels={{ tableLabel: "Test cases" }}
        header={
          <Header variant="h2" counter={pages.isPending ? undefined : `(${all.length}${more === undefined ? "" : "+"})`}>
            Test cases, failing ones first
          </Header>
        }
        filter={
          <FormField label="Status">
            <Select
              selectedOption={options.find((o) => o.value === status) ?? anyStatus}
              options={options}
              onChange={({ detail }) =>
                setSearch(
                  (now) => {
                    const next = new URLSearchParams(now);
                    const value = detail.selectedOption.value ?? "";
                    if (value === "") next.delete("status");
                    else next.set("status", value);
                    return next;
                  },
                  { replace: true },
                )
              }
            />
          </FormField>
        }
        loading={queries.some((q) => q.isPending)}
        loadingText="Loading test cases"
        items={all}
        columnDefinitions={[
          { id: "status", header: "Status", cell: (c) => <ReportStatus status={c.status} />, minWidth: 120 },
          { id: "name", header: "Test case", isRowHeader: true, cell: (c) => <Name of={c} />, minWidth: 280 },
          { id: "duration", header: "Took", cell: (c) => took(c), minWidth: 90 },
          { id: "prefix", header: "Suite", cell: (c) => <span className={styles["name"]}>{c.prefix ?? "–"}</span>, minWidth: 180 },
          { id: "file", header: "File", cell: (c) => <span className={styles["name"]}>{fileOf(c)}</span>, minWidth: 180 },
        ]}
        empty={<Empty title={status === "" ? "The report has no test cases" : "No test case has this status"} />}
        footer={
          more !== undefined && (
            <Box textAlign="center">
              <Button loading={more.isFetchingNextPage} onClick={() => void more.fetchNextPage()}>
                Show more test cases
              </Button>
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}

function Name({ of: { name, message, status } }: { of: TestCase }) {
  const said = message ?? "";
  const bad = status === "FAILED" || status === "ERROR";
  return (
    <span className={styles["name"]}>
      {name ?? "–"}
      {said !== "" && (
        <ExpandableSection headerText="Message" variant="footer" defaultExpanded={bad} headerAriaLabel={`Message of ${name ?? "the test case"}`}>
          <pre className={styles["message"]} tabIndex={0} aria-label={`What ${name ?? "the test case"} said`}>
            {said}
          </pre>
        </ExpandableSection>
      )}
    </span>
  );
}

function took(c: TestCase): string {
  const s = seconds(c.durationInNanoSeconds);
  return s === undefined ? "–" : duration(s);
}

function fileOf(c: TestCase): string {
  const file = c.testRawDataPath ?? "";
  return file === "" ? "–" : file;
}
