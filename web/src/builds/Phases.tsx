import type { Build, BuildPhase } from "@aws-sdk/client-codebuild";
import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";
import { BuildStatus } from "../parts/BuildStatus";
import { useNow } from "../parts/Time";
import { duration, full } from "../parts/time";
import { failureOf, inProgress, phaseSeconds } from "./build";
import { CommandPlace } from "./CommandPlace";
import { bars, type Bar } from "./timeline";
import { useFacts, useProvisioning } from "./useFacts";
import styles from "./builds.module.css";

interface Row {
  readonly phase: BuildPhase;
  readonly bar: Bar | undefined;
  readonly seconds: number | undefined;
}

/** The phases of a build: when each was within the whole, and what it said. The bars only show what the columns say. */
export function Phases({ build }: { build: Build }) {
  const phases = build.phases ?? [];
  const failed = useFacts(build).data?.failedCommand;
  const failedPhase = failureOf(build)?.phase;
  const provisioning = useProvisioning(build);
  const running = inProgress(build);
  const now = useNow(1000, running);
  const end = running || build.endTime === undefined ? now : build.endTime.getTime();
  const places = bars(phases, end);
  const rows = phases.map((phase, i): Row => ({ phase, bar: places[i], seconds: phase.phaseType === "COMPLETED" ? undefined : phaseSeconds(phase, end) }));
  return (
    <Table<Row>
      variant="embedded"
      items={rows}
      trackBy={(r) => r.phase.phaseType ?? ""}
      ariaLabels={{ tableLabel: "Phases of the build" }}
      empty="The build has not begun its first phase."
      columnDefinitions={[
        { id: "phase", header: "Phase", isRowHeader: true, cell: ({ phase }) => phase.phaseType ?? "–", minWidth: 150 },
        { id: "status", header: "Status", cell: ({ phase }) => <PhaseStatus phase={phase} running={running} />, minWidth: 130 },
        { id: "timeline", header: "Within the whole build", cell: (r) => <PhaseBar row={r} />, minWidth: 220, width: "30%" },
        { id: "duration", header: "Duration", cell: ({ seconds }) => (seconds === undefined ? "–" : duration(seconds)), minWidth: 110 },
        { id: "context", header: "Context", cell: ({ phase }) => (
            <>
              <Context phase={phase} />
              {failed !== undefined && phase.phaseType === failedPhase && <CommandPlace build={build} command={failed} />}
              {provisioning !== undefined && phase.phaseType === "PROVISIONING" && <div className={styles["message"]}>{provisioning}</div>}
            </>
          ), minWidth: 220 },
        { id: "start", header: "Start time", cell: ({ phase }) => (phase.startTime === undefined ? "–" : full(phase.startTime)), minWidth: 190 },
        { id: "end", header: "End time", cell: ({ phase }) => (phase.endTime === undefined ? "–" : full(phase.endTime)), minWidth: 190 },
      ]}
    />
  );
}

function PhaseStatus({ phase, running }: { phase: BuildPhase; running: boolean }) {
  if (phase.phaseStatus !== undefined) return <BuildStatus status={phase.phaseStatus} />;
  return phase.phaseType !== "COMPLETED" && running ? <BuildStatus status="IN_PROGRESS" /> : <>–</>;
}

function PhaseBar({ row: { phase, bar } }: { row: Row }) {
  if (bar === undefined) return null;
  return (
    <div className={styles["track"]} aria-hidden="true">
      <div className={styles["bar"]} data-status={phase.phaseStatus ?? "IN_PROGRESS"} style={{ left: `${bar.left}%`, width: `${bar.width}%` }} />
    </div>
  );
}

function Context({ phase }: { phase: BuildPhase }) {
  const said = (phase.contexts ?? []).filter((c) => (c.message ?? "") !== "" || (c.statusCode ?? "") !== "");
  if (said.length === 0) return <>–</>;
  return (
    <>
      {said.map((c, i) => (
        <div key={i}>
          {c.statusCode !== undefined && c.statusCode !== "" && <Box variant="code">{c.statusCode}</Box>} <span className={styles["message"]}>{c.message}</span>
        </div>
      ))}
    </>
  );
}
