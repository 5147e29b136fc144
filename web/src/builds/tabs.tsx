import type { Build } from "@aws-sdk/client-codebuild";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import type { TabsProps } from "@cloudscape-design/components/tabs";
import { lazy, Suspense } from "react";
import { Loading } from "../parts/Loading";
import { atProvider, inProgress } from "./build";
import { BuildDetails } from "./BuildDetails";
import { CommitStatuses } from "./CommitStatuses";
import { Phases } from "./Phases";
import { Variables } from "./Variables";
import { startedByWebhook } from "./words";

const LogViewer = lazy(() => import("../log/LogViewer").then(({ LogViewer }) => ({ default: LogViewer })));
const WebhookVerdict = lazy(() => import("../webhooks/WebhookVerdict").then(({ WebhookVerdict }) => ({ default: WebhookVerdict })));

const logHeight = 560;

/** The tabs of a build: those that its record has something for. */
export function buildTabs(build: Build, id: string): readonly TabsProps.Tab[] {
  const { artifacts, cache, reportArns = [] } = build;
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
    [reportArns.length > 0, { id: "reports", label: "Reports", content: <KeyValuePairs items={reportArns.map((arn) => ({ label: "Report", value: arn }))} /> }],
    [
      (artifacts?.location ?? "") !== "",
      {
        id: "artifacts",
        label: "Artifacts",
        content: (
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Location", value: artifacts?.location },
              { label: "SHA-256", value: artifacts?.sha256sum ?? "–" },
              { label: "MD5", value: artifacts?.md5sum ?? "–" },
            ]}
          />
        ),
      },
    ],
    [
      cache?.type !== undefined && cache.type !== "NO_CACHE",
      {
        id: "cache",
        label: "Cache",
        content: (
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Type", value: cache?.type },
              { label: "Location", value: cache?.location ?? "–" },
              { label: "Modes", value: cache?.modes?.join(", ") ?? "–" },
            ]}
          />
        ),
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
