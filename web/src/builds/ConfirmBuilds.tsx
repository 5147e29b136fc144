import { ConfirmModal } from "../parts/ConfirmModal";
import { deleteBuilds, stopBuilds } from "./actions";
import { buildName, count } from "./words";

export type Confirmed = "stop" | "delete";

interface Named {
  readonly id: string;
  readonly projectName?: string | undefined;
  readonly buildNumber?: number | undefined;
}

/** Asks before builds are stopped or deleted, and does it. */
export function ConfirmBuilds({
  what,
  builds,
  onDone,
  onDismiss,
}: {
  what: Confirmed;
  builds: readonly Named[];
  /** After it was done, also if only for some of the builds. */
  onDone: () => Promise<void>;
  onDismiss: () => void;
}) {
  const [first] = builds;
  const which = builds.length === 1 && first !== undefined ? `build ${buildName(first)}` : count(builds.length, "build");
  const act = async () => {
    const ids = builds.map((b) => b.id);
    try {
      await (what === "stop" ? stopBuilds(ids) : deleteBuilds(ids));
    } catch (e) {
      if (builds.length > 1) await onDone();
      throw e;
    }
    await onDone();
  };
  return (
    <ConfirmModal
      title={`${what === "stop" ? "Stop" : "Delete"} ${which}?`}
      action={what === "stop" ? "Stop build" : "Delete build"}
      onConfirm={act}
      onDismiss={onDismiss}
    >
      {what === "stop"
        ? "Commands that run now are ended, and the phases after them are left out. What the build made so far is lost."
        : "What is known of the build is removed from the history of its project. This cannot be undone."}
    </ConfirmModal>
  );
}
