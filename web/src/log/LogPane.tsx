import type { Build } from "@aws-sdk/client-codebuild";
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import type { InputProps } from "@cloudscape-design/components/input";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";
import { useSearchParams } from "wouter";
import { useTheme } from "../app/theme";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { rowHeight } from "./geometry";
import { extended, formatRange, parseRange, type Range } from "./links";
import styles from "./log.module.css";
import { LogRows } from "./LogRows";
import { Markers } from "./Markers";
import { NewLines } from "./NewLines";
import { NoLines } from "./NoLines";
import { PlaceBar } from "./PlaceBar";
import { Scroll } from "./scroll";
import { SearchBox } from "./SearchBox";
import { Selected } from "./Selected";
import type { LogSource } from "./source";
import { LogStore } from "./store";
import { Toolbar } from "./Toolbar";
import { useDownload } from "./useDownload";
import { useSearch } from "./useSearch";
import { useStamps } from "./useStamps";

/** A log and what one does with it. A new source needs a new pane. */
export function LogPane({
  source,
  build,
  height,
  fileName,
  line,
  extra,
}: {
  source: LogSource;
  build: Build | null | undefined;
  /** A length of CSS. */
  height: string;
  fileName: string;
  /** Where to start, unless the address says so. */
  line?: number | undefined;
  extra?: ReactNode;
}) {
  const { dark } = useTheme();
  const [store] = useState(() => new LogStore(source));
  const [scroll] = useState(() => new Scroll());
  const [params, setParams] = useSearchParams();
  const [stamps, setStamps] = useStamps();
  const { lines = 0, complete, problem, marks, firstError, known } = useLog(store);
  const following = useSyncExternalStore(scroll.subscribe, () => scroll.get().following);
  const selected = parseRange(params.get("line")) ?? (line === undefined || params.has("line") ? undefined : { from: line, to: line });
  const input = useRef<InputProps.Ref>(null);
  const pane = useRef<HTMLDivElement>(null);
  const show = useCallback((n: number) => scroll.centre(n), [scroll]);
  const search = useSearch(source, scroll, lines, show);
  const download = useDownload(source, fileName);

  const from = selected?.from;
  useLayoutEffect(() => {
    if (from !== undefined) scroll.show(from);
  }, [scroll, from]);
  useLayoutEffect(() => scroll.grow(lines, !complete), [scroll, lines, complete]);

  const select = useCallback(
    (range: Range | undefined) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          next.set("line", range === undefined ? "" : formatRange(range));
          if (range === undefined && line === undefined) next.delete("line");
          return next;
        },
        { replace: true },
      ),
    [setParams, line],
  );
  const onLine = (n: number, extend: boolean) => select(extended(extend ? selected : undefined, n));
  const goTo = (n: number) => {
    select({ from: Math.min(n, Math.max(1, lines)), to: Math.min(n, Math.max(1, lines)) });
    show(n);
  };
  const focusLog = () => pane.current?.querySelector<HTMLElement>("[role=region][tabindex]")?.focus();

  /** Keys of the pane as a whole. */
  const onPaneKey = (e: KeyboardEvent) => {
    if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === "f") {
      e.preventDefault();
      input.current?.focus();
      input.current?.select();
    }
  };
  /** Keys of the log itself. */
  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const page = scroll.get().layout.viewport - rowHeight;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowUp: () => scroll.by(-rowHeight),
      ArrowDown: () => scroll.by(rowHeight),
      PageUp: () => scroll.by(-page),
      PageDown: () => scroll.by(page),
      " ": () => scroll.by(e.shiftKey ? -page : page),
      Home: () => scroll.to(0),
      End: () => scroll.end(),
      "/": () => input.current?.focus(),
      n: () => search.go(true),
      N: () => search.go(false),
      Escape: () => select(undefined),
    };
    const action = Object.hasOwn(actions, e.key) ? actions[e.key] : undefined;
    if (action === undefined) return;
    e.preventDefault();
    action();
  };

  const gone = problem?.name === "ResourceNotFoundException";
  return (
    <div>
      {!gone && <ProblemAlert error={problem} doing="read the log" retry={() => store.retry()} />}
      <div ref={pane} className={styles["pane"]} style={{ height }} onKeyDown={onPaneKey}>
        <Toolbar
          searchBox={<SearchBox search={search} onLine={goTo} input={input} onLeave={focusLog} />}
          live={!complete && !gone}
          following={following}
          marks={marks}
          firstError={firstError}
          stamps={stamps}
          downloading={download.part !== undefined}
          onFollow={(on) => (on ? scroll.end() : scroll.hold())}
          onEnd={() => scroll.end()}
          onLine={goTo}
          onStamps={setStamps}
          onDownload={download.start}
          extra={extra}
        />
        {search.state.problem !== undefined && (
          <Alert type="error" header="Could not search the log">
            {search.state.problem.message}
          </Alert>
        )}
        {download.part !== undefined && (
          <div className={styles["download"]}>
            <ProgressBar value={Math.floor(download.part * 100)} label="Reading the whole log" />
            <Button onClick={download.cancel}>Cancel download</Button>
          </div>
        )}
        <ProblemAlert error={download.problem} doing="download the log" />
        {lines > 0 ? (
          <>
            <PlaceBar scroll={scroll} marks={marks} onLine={show} />
            <div className={styles["body"]}>
              <LogRows
                store={store}
                scroll={scroll}
                dark={dark}
                stamps={stamps}
                selected={selected}
                query={search.query}
                isHit={search.has}
                current={search.current}
                onLine={onLine}
                onKey={onKey}
              />
              <Markers matches={search.state.matches} firstError={firstError?.line} lines={lines} />
            </div>
            {selected !== undefined && <Selected key={formatRange(selected)} store={store} range={selected} dark={dark} onClose={() => select(undefined)} />}
          </>
        ) : known || gone ? (
          <NoLines build={build} gone={gone} />
        ) : (
          problem === undefined && <Loading what="log" />
        )}
        <NewLines lines={lines} complete={complete} />
      </div>
    </div>
  );
}

/** What is known of a log, which is read as long as it is shown. */
function useLog(store: LogStore) {
  useEffect(() => store.start(), [store]);
  const state = useSyncExternalStore(store.subscribe, store.get);
  return { ...state, known: state.lines !== undefined };
}
