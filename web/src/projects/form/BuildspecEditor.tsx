import Box from "@cloudscape-design/components/box";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { slipway } from "../../api/slipway";
import type { LintFinding } from "../../api/slipway.gen";
import { useTheme } from "../../app/theme";
import { idOf } from "../findings";
import { useDebounced } from "../../parts/useDebounced";
import css from "./editor.module.css";
import { openEditor, type Editor } from "./codemirror";

/**
 * A buildspec to write, marked where the server finds something. The editor
 * itself holds the text once it is open: to set it again from value could undo
 * what was typed since. It stands in a
 * shadow root: there its styles need no style element, which the console's
 * policy forbids.
 */
export default function BuildspecEditor({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<Editor>();
  const [findings, setFindings] = useState<readonly LintFinding[]>();
  const { dark } = useTheme();
  const settled = useDebounced(value, 400);
  const changed = useEffectEvent(onChange);
  const first = useEffectEvent(() => value);
  useEffect(() => {
    if (host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const opened = openEditor(root, first(), dark, (text) => changed(text));
    setEditor(opened);
    return () => opened.close();
  }, [dark]);
  useEffect(() => {
    const asked = new AbortController();
    slipway("LintBuildspec", { buildspec: settled }, asked.signal).then(
      (out) => setFindings(out.findings ?? []),
      () => undefined, // the marks are an aid: without them the text can be written all the same
    );
    return () => asked.abort();
  }, [settled]);
  useEffect(() => editor?.mark(findings ?? []), [editor, findings]);
  return (
    <div id={idOf("source.buildspec")} tabIndex={-1}>
      <SpaceBetween size="xs">
        <Box variant="awsui-key-label">Build commands</Box>
        <div ref={host} className={css["editor"]} />
        {findings?.length === 0 && <StatusIndicator type="success">The server finds nothing wrong with it</StatusIndicator>}
        <LiveRegion>
          {findings !== undefined && findings.length > 0 && (
            <ul className={css["findings"]} aria-label="Findings of the buildspec">
              {findings.map((f, i) => (
                <li key={i}>
                  <StatusIndicator type={f.level === "ERROR" ? "error" : "warning"}>
                    {f.line !== undefined && f.line > 0 ? (
                      <button type="button" className={css["place"]} onClick={() => editor?.goTo(f)}>
                        Line {f.line}
                      </button>
                    ) : (
                      "The whole"
                    )}
                    : <span className={css["message"]}>{f.message}</span>
                  </StatusIndicator>
                </li>
              ))}
            </ul>
          )}
        </LiveRegion>
      </SpaceBetween>
    </div>
  );
}
