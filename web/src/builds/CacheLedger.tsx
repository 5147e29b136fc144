import type { Build } from "@aws-sdk/client-codebuild";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { CacheOutcome, CacheUse } from "../api/slipway.gen";
import { size } from "../parts/bytes";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { duration } from "../parts/time";
import { inProgress } from "./build";
import { useFacts } from "./useFacts";
import styles from "./builds.module.css";

/** What became of a build's cache: what was restored, what was saved, and why not. */
export function CacheLedger({ build }: { build: Build }) {
  const facts = useFacts(build);
  const { cache } = build;
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={3}
        items={[
          { label: "Type", value: cache?.type ?? "–" },
          { label: "Location", value: cache?.location ?? "–" },
          { label: "Modes", value: cache?.modes?.join(", ") ?? "–" },
        ]}
      />
      <ProblemAlert error={facts.error} doing="read what became of the cache" retry={() => void facts.refetch()} />
      <Table<CacheUse>
        variant="embedded"
        wrapLines
        loading={facts.isPending}
        loadingText="Loading what became of the cache"
        ariaLabels={{ tableLabel: "Cache of the build" }}
        items={facts.data?.caches ?? []}
        columnDefinitions={[
          { id: "action", header: "Action", isRowHeader: true, cell: (c) => (c.action === "RESTORE" ? "Restore" : "Save"), minWidth: 90 },
          { id: "outcome", header: "Outcome", cell: (c) => <Outcome of={c.outcome} />, minWidth: 120 },
          { id: "key", header: "Key", cell: (c) => <Key use={c} />, minWidth: 180 },
          { id: "files", header: "Files", cell: (c) => c.files ?? 0, minWidth: 80 },
          { id: "bytes", header: "Size", cell: (c) => <Size use={c} />, minWidth: 150 },
          { id: "seconds", header: "Took", cell: (c) => duration(c.seconds ?? 0), minWidth: 90 },
          { id: "reason", header: "Reason", cell: (c) => <span className={styles["message"]}>{reason(c)}</span>, minWidth: 220 },
        ]}
        empty={
          <Empty title={inProgress(build) ? "Nothing was restored or saved yet" : "Nothing was restored or saved"}>
            Files are kept if the buildspec names them under cache, paths: they are restored before INSTALL and saved after POST_BUILD.
          </Empty>
        }
      />
    </SpaceBetween>
  );
}

const outcomes: Readonly<Record<CacheOutcome, readonly [StatusIndicatorProps.Type, string]>> = {
  HIT: ["success", "Hit"],
  MISS: ["info", "Miss"],
  SAVED: ["success", "Saved"],
  SKIPPED: ["stopped", "Skipped"],
  FAILED: ["error", "Failed"],
};

function Outcome({ of }: { of: CacheOutcome }) {
  const [type, text] = outcomes[of];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

function Key({ use: { key = "", foundKey = "" } }: { use: CacheUse }) {
  if (key === "") return <>No key</>;
  return (
    <span className={styles["message"]}>
      {key}
      {foundKey !== "" && foundKey !== key && <div>found as {foundKey}</div>}
    </span>
  );
}

function Size({ use: { bytes = 0, archiveBytes = 0 } }: { use: CacheUse }) {
  return (
    <>
      {size(bytes)}
      {archiveBytes > 0 && `, packed ${size(archiveBytes)}`}
    </>
  );
}

function reason({ reason: said, skippedFiles = 0 }: CacheUse): string {
  const skipped = skippedFiles > 0 ? `${skippedFiles} files were left out.` : "";
  return [said, skipped].filter((s) => s !== undefined && s !== "").join(" ") || "–";
}
