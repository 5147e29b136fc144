import type { Build } from "@aws-sdk/client-codebuild";
import type { TabsProps } from "@cloudscape-design/components/tabs";
import { lazy, Suspense } from "react";
import { artifactsOf } from "../artifacts/artifact";
import { Loading } from "../parts/Loading";
import { atProvider, inProgress } from "./build";
import { BuildDetails } from "./BuildDetails";
import { CacheLedger } from "./CacheLedger";
import { CommitStatuses } from "./CommitStatuses";
import { Phases } from "./Phases";
import { Variables } from "./Variables";
import { startedByWebhook } from "./words";

const Artifacts = lazy(() => import("../artifacts/Artifacts").then(({ Artifacts }) => ({ default: Artifacts })));
const BuildReports = lazy(() => import("../reports/BuildReports").then(({ BuildReports }) => ({ default: BuildReports })));
const LogViewer = lazy(() => import("../log/LogViewer").then(({ LogViewer }) => ({ default: LogViewer })));
const WebhookVerdict = lazy(() => import("../webhooks/WebhookVerdict").then(({ WebhookVerdict }) => ({ default: WebhookVerdict })));

const logHeight = 560;

/** The tabs of a build: those that its record has something for. */
export function buildTabs(build: Build, id: string): readonly TabsProps.Tab[] {
  const { cache, reportArns = [] } = build;
  const tabs: readonly (readonly [boolean, TabsProps.Tab])[] = [
    [
      true,
      {
        id: "logs",
        label: "Build logs",
        content: (
          <Suspense fallback={<Loading what="log" minHeight={logHeight} />}>
            <LogViewer buildId={id} height={logHeight} />
          </Suspense>
        ),
      },
    ],
    [true, { id: "phases", label: "Phase details", content: <Phases build={build} /> }],
    [true, { id: "variables", label: "Environment variables", content: <Variables build={build} /> }],
    [
      reportArns.length > 0,
      {
        id: "reports",
        label: "Reports",
        content: (
          <Suspense fallback={<Loading what="reports" />}>
            <BuildReports arns={reportArns} />
          </Suspense>
        ),
      },
    ],
    [
      artifactsOf(build).length > 0,
      {
        id: "artifacts",
        label: "Artifacts",
        content: (
          <Suspense fallback={<Loading what="artifacts" />}>
            <Artifacts build={build} />
          </Suspense>
        ),
      },
    ],
    [
      cache?.type !== undefined && cache.type !== "NO_CACHE",
      {
        id: "cache",
        label: "Cache",
        content: <CacheLedger build={build} />,
      },
    ],
    [atProvider(build.source?.type), { id: "statuses", label: "Commit statuses", content: <CommitStatuses buildId={id} running={inProgress(build)} /> }],
    [
      startedByWebhook(build.initiator),
      {
        id: "webhook",
        label: "Webhook",
        content: (
          <Suspense fallback={<Loading what="webhook delivery" />}>
            <WebhookVerdict buildId={id} />
          </Suspense>
        ),
      },
    ],
    [true, { id: "details", label: "Details", content: <BuildDetails build={build} /> }],
  ];
  return tabs.flatMap(([has, tab]) => (has ? [tab] : []));
}
