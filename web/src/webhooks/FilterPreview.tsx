import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { PreviewWebhookOutput, WebhookPreview } from "../api/slipway.gen";
import { href, paths } from "../app/navigate";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { plain, whyNot, wouldWords } from "./words";
import { VerdictTable } from "./VerdictTable";
import { Said } from "./Said";
import css from "./webhooks.module.css";

/** What recent deliveries would come to with filter groups that are being edited. */
export function FilterPreview({
  answer,
  error,
  refused,
  retry,
  projectName,
}: {
  answer: PreviewWebhookOutput | undefined;
  error: unknown;
  /** Whether the error is one that a filter already shows. */
  refused: boolean;
  retry: () => void;
  projectName: string | undefined;
}) {
  const previews = answer?.previews ?? [];
  const would = previews.filter((p) => p.verdict?.outcome === "BUILD").length;
  return (
    <section aria-label="Preview of recent deliveries" style={{ minHeight: 240 }}>
      <SpaceBetween size="s">
        <Header variant="h3" description="What would come of recent deliveries with these filter groups. Nothing is built.">
          Preview
        </Header>
        {refused ? (
          <Box color="text-body-secondary">The preview goes on once the marked pattern is mended.</Box>
        ) : (
          <ProblemAlert error={error} doing="preview the filter groups" retry={retry} />
        )}
        {answer === undefined && (error === null || error === undefined) && <Loading what="recent deliveries" minHeight={160} />}
        {answer !== undefined && previews.length === 0 && (
          <Empty
            title="No deliveries yet"
            action={
              // In a tab of its own: what was edited here stays.
              <Button href={href(paths.testDelivery(projectName))} target="_blank" iconName="external" iconAlign="right" ariaLabel="Test a payload (opens in a new tab)">
                Test a payload
              </Button>
            }
          >
            Deliveries appear after the first push to the repository. Until then, hold a payload of your own against the filters.
          </Empty>
        )}
        {previews.length > 0 && (
          <>
            <Box aria-live="polite" variant="p">
              {would} of {previews.length} would build.
            </Box>
            <div role="list" aria-label="Recent deliveries">
              {previews.map((p, i) => (
                <div role="listitem" key={p.delivery?.id ?? i}>
                  <Row preview={p} />
                </div>
              ))}
            </div>
          </>
        )}
      </SpaceBetween>
    </section>
  );
}

function Row({ preview: { delivery, verdict, builtBefore = false } }: { preview: WebhookPreview }) {
  if (verdict === undefined) return null;
  const { groups = [], outcome } = verdict;
  const builds = outcome === "BUILD";
  const what = [verdict.event, verdict.pullRequest === undefined || verdict.pullRequest === 0 ? undefined : `#${verdict.pullRequest}`, verdict.headRef].filter((s) => s !== undefined && s !== "");
  return (
    <Box padding={{ vertical: "xs" }}>
      <SpaceBetween size="xxs">
        <SpaceBetween direction="horizontal" size="xs" alignItems="center">
          <Said words={wouldWords[outcome]} />
          {builtBefore && <Badge color={builds ? "grey" : "severity-medium"}>{builds ? "Built then too" : "Built then"}</Badge>}
          {!builtBefore && builds && <Badge color="blue">Did not build then</Badge>}
        </SpaceBetween>
        <div className={css["text"]}>{plain(what.join(" "))}</div>
        {!builds && <Box color="text-body-secondary">{plain(whyNot(verdict))}</Box>}
        {delivery !== undefined && (
          <Box variant="small" color="text-body-secondary">
            <Link external fontSize="inherit" href={href(paths.delivery(delivery.id))} externalIconAriaLabel="Opens in a new tab">
              {delivery.id}
            </Link>
            , <Time at={delivery.received} />
          </Box>
        )}
        {groups.length > 0 && (
          <ExpandableSection headerText="Filters" headerAriaLabel={`Filters of delivery ${delivery?.id ?? ""}`}>
            <VerdictTable groups={groups} label={`Filters of delivery ${delivery?.id ?? ""}`} />
          </ExpandableSection>
        )}
      </SpaceBetween>
    </Box>
  );
}
