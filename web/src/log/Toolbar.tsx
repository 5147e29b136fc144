import Button from "@cloudscape-design/components/button";
import ButtonDropdown, { type ButtonDropdownProps } from "@cloudscape-design/components/button-dropdown";
import ToggleButton from "@cloudscape-design/components/toggle-button";
import type { ReactNode } from "react";
import styles from "./log.module.css";
import { grouped } from "./phases";
import type { Mark } from "./source";
import type { Stamps } from "./stamps";

/** A menu of more commands than these is none. */
const maxCommands = 300;

/** What one does with a log as a whole. */
export function Toolbar({
  searchBox,
  live,
  following,
  marks,
  firstError,
  stamps,
  downloading,
  onFollow,
  onEnd,
  onLine,
  onStamps,
  onDownload,
  extra,
}: {
  searchBox: ReactNode;
  live: boolean;
  following: boolean;
  marks: readonly Mark[];
  firstError: Mark | undefined;
  stamps: Stamps;
  downloading: boolean;
  onFollow: (follow: boolean) => void;
  onEnd: () => void;
  onLine: (line: number) => void;
  onStamps: (stamps: Stamps) => void;
  onDownload: (colours: boolean) => void;
  extra?: ReactNode;
}) {
  return (
    <div className={styles["toolbar"]} role="group" aria-label="Log tools">
      {searchBox}
      <div className={styles["tools"]}>
        <Button iconName="status-negative" disabled={firstError === undefined} onClick={() => firstError !== undefined && onLine(firstError.line)}>
          First error
        </Button>
        <ButtonDropdown items={jumps(marks)} expandableGroups disabled={marks.length === 0} onItemClick={({ detail }) => onLine(Number(detail.id.split("/")[0]))}>
          Jump to
        </ButtonDropdown>
        <ButtonDropdown
          items={[
            { id: "off", text: "None", itemType: "checkbox", checked: stamps === "off" },
            { id: "relative", text: "Since the start", itemType: "checkbox", checked: stamps === "relative" },
            { id: "absolute", text: "Time of day", itemType: "checkbox", checked: stamps === "absolute" },
          ]}
          onItemClick={({ detail }) => {
            if (detail.id === "off" || detail.id === "relative" || detail.id === "absolute") onStamps(detail.id);
          }}
        >
          Timestamps
        </ButtonDropdown>
        <ButtonDropdown
          loading={downloading}
          loadingText="Download"
          items={[
            { id: "plain", text: "Plain text" },
            { id: "raw", text: "As written", secondaryText: "With the control codes of its colours" },
          ]}
          onItemClick={({ detail }) => onDownload(detail.id === "raw")}
        >
          Download
        </ButtonDropdown>
        {live ? (
          <ToggleButton pressed={following} iconName="angle-down" pressedIconName="angle-down" onChange={({ detail }) => onFollow(detail.pressed)}>
            Follow
          </ToggleButton>
        ) : (
          <Button iconName="angle-down" onClick={onEnd}>
            Jump to end
          </Button>
        )}
        {extra}
      </div>
    </div>
  );
}

/** A menu of phases and, below each, its commands. Ids are lines; the second part keeps them apart. */
function jumps(marks: readonly Mark[]): ButtonDropdownProps.ItemOrGroup[] {
  let left = maxCommands;
  return grouped(marks).flatMap(({ phase, commands }, i): ButtonDropdownProps.ItemOrGroup[] => {
    const some = commands.slice(0, left);
    left -= some.length;
    const items = some.map((m, j) => ({ id: `${m.line}/${i}/${j}`, text: shortened(m.text), secondaryText: `Line ${m.line.toLocaleString("en")}` }));
    if (phase === undefined) return items;
    const start = { id: `${phase.line}/${i}`, text: phase.text, secondaryText: `Line ${phase.line.toLocaleString("en")}` };
    if (items.length === 0) return [start];
    return [{ id: `group/${i}`, text: phase.text, items: [{ ...start, text: `Start of ${phase.text}` }, ...items] }];
  });
}

function shortened(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
