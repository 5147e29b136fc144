import {
  BatchGetReportGroupsCommand,
  BatchGetReportsCommand,
  DescribeCodeCoveragesCommand,
  DescribeTestCasesCommand,
  ListReportGroupsCommand,
  ListReportsForReportGroupCommand,
  type Report,
  type ReportGroup,
} from "@aws-sdk/client-codebuild";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { codebuild } from "../api/codebuild";

const pageSize = 100;

/** A page of the report groups, those that changed last first. */
export function useReportGroups() {
  return useInfiniteQuery({
    queryKey: ["reports", "groups"],
    initialPageParam: "",
    getNextPageParam: (page: { next: string | undefined }) => page.next,
    queryFn: async ({ pageParam, signal }) => {
      const list = await codebuild.send(
        new ListReportGroupsCommand({ maxResults: pageSize, sortBy: "LAST_MODIFIED_TIME", sortOrder: "DESCENDING", ...(pageParam === "" ? {} : { nextToken: pageParam }) }),
        { abortSignal: signal },
      );
      return { next: list.nextToken, groups: await groupsOf(list.reportGroups ?? [], signal) };
    },
  });
}

async function groupsOf(arns: readonly string[], signal: AbortSignal): Promise<readonly ReportGroup[]> {
  if (arns.length === 0) return [];
  const { reportGroups } = await codebuild.send(new BatchGetReportGroupsCommand({ reportGroupArns: [...arns] }), { abortSignal: signal });
  return reportGroups ?? [];
}

async function reportsOf(arns: readonly string[], signal: AbortSignal): Promise<readonly Report[]> {
  if (arns.length === 0) return [];
  const { reports } = await codebuild.send(new BatchGetReportsCommand({ reportArns: [...arns] }), { abortSignal: signal });
  return reports ?? [];
}

/** One report group; null if there is none. */
export function useReportGroup(arn: string) {
  return useQuery({ queryKey: ["reports", "group", arn], queryFn: async ({ signal }) => (await groupsOf([arn], signal))[0] ?? null });
}

/** The reports with these ARNs, of those that are there. */
export function useReports(arns: readonly string[]) {
  return useQuery({ queryKey: ["reports", "some", arns], queryFn: ({ signal }) => reportsOf(arns.slice(0, pageSize), signal), placeholderData: keepPreviousData });
}

/** The last reports of a group, newest first. */
export function useReportsOfGroup(arn: string) {
  return useInfiniteQuery({
    queryKey: ["reports", "of group", arn],
    initialPageParam: "",
    getNextPageParam: (page: { next: string | undefined }) => page.next,
    queryFn: async ({ pageParam, signal }) => {
      const list = await codebuild.send(
        new ListReportsForReportGroupCommand({ reportGroupArn: arn, maxResults: pageSize, sortOrder: "DESCENDING", ...(pageParam === "" ? {} : { nextToken: pageParam }) }),
        { abortSignal: signal },
      );
      return { next: list.nextToken, reports: await reportsOf(list.reports ?? [], signal) };
    },
  });
}

/** Test cases of a report: those of one status if it is not empty. */
export function useTestCases(arn: string, status: string, wanted: boolean) {
  return useInfiniteQuery({
    queryKey: ["reports", "cases", arn, status],
    enabled: wanted,
    initialPageParam: "",
    getNextPageParam: (page: { nextToken?: string | undefined }) => page.nextToken,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      codebuild.send(
        new DescribeTestCasesCommand({ reportArn: arn, maxResults: pageSize, ...(status === "" ? {} : { filter: { status } }), ...(pageParam === "" ? {} : { nextToken: pageParam }) }),
        { abortSignal: signal },
      ),
  });
}

/** Coverage of files, the least covered first. */
export function useCoverage(arn: string, wanted: boolean) {
  return useInfiniteQuery({
    queryKey: ["reports", "coverage", arn],
    enabled: wanted,
    initialPageParam: "",
    getNextPageParam: (page: { nextToken?: string | undefined }) => page.nextToken,
    queryFn: ({ pageParam, signal }) =>
      codebuild.send(
        new DescribeCodeCoveragesCommand({ reportArn: arn, maxResults: pageSize, sortBy: "LINE_COVERAGE_PERCENTAGE", sortOrder: "ASCENDING", ...(pageParam === "" ? {} : { nextToken: pageParam }) }),
        { abortSignal: signal },
      ),
  });
}
