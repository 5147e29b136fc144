import type { CodeCoverage, Report, TestCase } from "@aws-sdk/client-codebuild";

/** The group's name in the ARN of a group or of a report. */
export function groupName(arn: string): string {
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return name.split(":")[0] ?? name;
}

/** The ARN of a report's group. */
export function groupOfReport(arn: string): string {
  const [group = arn] = /^.*\/[^/:]+(?=:)/.exec(arn) ?? [];
  return group.replace(/:report\/(?=[^/]*$)/, ":report-group/");
}

/** Nanoseconds as seconds. */
export function seconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / 1e9;
}

const statuses = ["FAILED", "ERROR", "UNKNOWN", "SKIPPED", "SUCCEEDED"] as const;

/** Statuses of test cases, those first that need somebody. */
export type CaseStatus = (typeof statuses)[number];
export const caseStatuses: readonly CaseStatus[] = statuses;

/** Test cases, those first that need somebody; else as the report has them. */
export function failingFirst(cases: readonly TestCase[]): readonly TestCase[] {
  const rank = (c: TestCase) => {
    const i = statuses.indexOf(c.status as CaseStatus);
    return i < 0 ? statuses.indexOf("UNKNOWN") : i;
  };
  return cases.toSorted((a, b) => rank(a) - rank(b));
}

/** What a report has to say in one line. */
export function summary(report: Report): string {
  const tests = report.testSummary;
  if (tests?.total !== undefined) {
    const counts = statuses.flatMap((s) => {
      const n = tests.statusCounts?.[s] ?? 0;
      return n === 0 ? [] : [`${n} ${words[s]}`];
    });
    return counts.length === 0 ? "No test cases" : counts.join(", ");
  }
  const coverage = report.codeCoverageSummary;
  if (coverage?.lineCoveragePercentage !== undefined) return `${percent(coverage.lineCoveragePercentage)} of lines covered`;
  return "–";
}

const words: Readonly<Record<CaseStatus, string>> = { FAILED: "failed", ERROR: "with an error", UNKNOWN: "unknown", SKIPPED: "skipped", SUCCEEDED: "succeeded" };

/** A percentage in words. */
export function percent(n: number | undefined): string {
  return n === undefined ? "–" : `${Number.isInteger(n) ? n : n.toFixed(1)} %`;
}

/** The part of test cases that succeeded, in percent; undefined of a report without any. */
export function passRate(report: Report): number | undefined {
  const { total = 0, statusCounts } = report.testSummary ?? {};
  return total === 0 ? undefined : (100 * (statusCounts?.["SUCCEEDED"] ?? 0)) / total;
}

/** Lines covered of all lines of a file, in words. */
export function linesOf(c: CodeCoverage): string {
  const covered = c.linesCovered ?? 0;
  return `${covered} of ${covered + (c.linesMissed ?? 0)}`;
}

/** The id of the build that made a report; undefined if it is not known. */
export function buildOf(report: Report): string | undefined {
  return /:build\/(.+)$/.exec(report.executionId ?? "")?.[1];
}
