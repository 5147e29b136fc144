import Button from "@cloudscape-design/components/button";
import Input, { type InputProps } from "@cloudscape-design/components/input";
import ToggleButton from "@cloudscape-design/components/toggle-button";
import { useEffect, useState, type Ref } from "react";
import styles from "./log.module.css";
import { summary, type LogSearch } from "./useSearch";

/** What is typed is looked for after such a pause, in milliseconds. */
const pause = 250;

/** Looks for text in a log, or goes to the line of ":120". */
export function SearchBox({ search, onLine, input, onLeave }: { search: LogSearch; onLine: (line: number) => void; input: Ref<InputProps.Ref>; onLeave: () => void }) {
  const { query, state, current, change } = search;
  const [typed, setTyped] = useState(query.text);
  const [pending, setPending] = useState(false);
  const isLine = /^:\d*$/.test(typed);

  useEffect(() => {
    if (!pending || isLine) return;
    const timer = setTimeout(() => {
      setPending(false);
      change({ ...query, text: typed });
    }, pause);
    return () => clearTimeout(timer);
  });

  const enter = (shift: boolean) => {
    if (isLine) {
      const line = Number(typed.slice(1));
      if (line > 0) onLine(line);
    } else if (pending) {
      setPending(false);
      change({ ...query, text: typed });
    } else search.go(!shift);
  };
  const none = state.matches.length === 0;
  const status = query.text === "" || state.problem !== undefined ? "" : summary(state, current);
  return (
    <div className={styles["search"]} role="search" aria-label="Search the log">
      <div className={styles["searchInput"]}>
        <Input
          ref={input}
          type="search"
          value={typed}
          placeholder="Search, or :line"
          ariaLabel="Search the log"
          clearAriaLabel="Clear the search"
          invalid={state.problem !== undefined}
          spellcheck={false}
          onChange={({ detail }) => {
            setTyped(detail.value);
            setPending(true);
          }}
          onKeyDown={(e) => {
            if (e.detail.key === "Enter") {
              e.preventDefault();
              enter(e.detail.shiftKey);
            } else if (e.detail.key === "Escape" && typed === "") onLeave();
          }}
        />
      </div>
      <ToggleButton ariaLabel="Match case" pressed={query.matchCase} onChange={({ detail }) => change({ ...query, matchCase: detail.pressed })}>
        Aa
      </ToggleButton>
      <ToggleButton ariaLabel="Regular expression" pressed={query.regularExpression} onChange={({ detail }) => change({ ...query, regularExpression: detail.pressed })}>
        .*
      </ToggleButton>
      <Button iconName="angle-up" ariaLabel="Previous match" disabled={none} onClick={() => search.go(false)} />
      <Button iconName="angle-down" ariaLabel="Next match" disabled={none} onClick={() => search.go(true)} />
      <span className={styles["count"]} title={status}>
        {status}
      </span>
      <span className={styles["unseen"]} role="status">
        {state.busy ? "" : status}
      </span>
    </div>
  );
}
