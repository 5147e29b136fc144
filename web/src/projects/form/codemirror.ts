import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { LintFinding } from "../../api/slipway.gen";

/** An editor on a page. */
export interface Editor {
  readonly mark: (findings: readonly LintFinding[]) => void;
  readonly goTo: (finding: LintFinding) => void;
  readonly close: () => void;
}

/** Opens an editor of YAML in a shadow root. */
export function openEditor(root: ShadowRoot, text: string, dark: boolean, onChange: (text: string) => void): Editor {
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        yaml(),
        syntaxHighlighting(dark ? darkStyle : defaultHighlightStyle),
        looks(dark),
        EditorView.contentAttributes.of({ "aria-label": "Build commands" }),
        // Tab leaves the editor, as it leaves every field.
        keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap]),
        EditorView.updateListener.of((u) => {
          if (u.docChanged) onChange(u.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    mark: (findings) => view.dispatch(setDiagnostics(view.state, findings.map((f) => diagnostic(view.state.doc, f)))),
    goTo: (f) => {
      const { from } = span(view.state.doc, f);
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
    close: () => view.destroy(),
  };
}

function diagnostic(doc: Text, f: LintFinding): Diagnostic {
  return { ...span(doc, f), severity: f.level === "ERROR" ? "error" : "warning", message: f.message };
}

/** Where a finding stands in a text, which may have changed since. */
export function span(doc: Text, f: LintFinding): { from: number; to: number } {
  const from = offset(doc, f.line ?? 0, f.column ?? 0);
  const known = f.endLine !== undefined && f.endLine > 0;
  const to = known ? offset(doc, f.endLine, f.endColumn ?? 0) : doc.lineAt(from).to;
  return { from, to: Math.max(from, to) };
}

/** The offset of a line and a column that are counted from 1, the column in characters and not in units of UTF-16. */
function offset(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const before = Array.from(at.text).slice(0, Math.max(column - 1, 0)).join("");
  return at.from + before.length;
}

const darkStyle = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "#7fc1ff" },
  { tag: [tags.string, tags.special(tags.string)], color: "#b8e28b" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "#ffb77a" },
  { tag: tags.comment, color: "#a3b1bf", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "#c6d0d9" },
]);

function looks(dark: boolean) {
  const [ink, paper, gutter, quiet, edge, line, selection] = dark
    ? ["#e9ebed", "#0f1b2a", "#152231", "#a3b1bf", "#7d8998", "#1b2b3d", "#354a63"]
    : ["#0f141a", "#ffffff", "#f4f6f8", "#5f6b7a", "#8c8c94", "#f2f8fd", "#cfe5fb"];
  return EditorView.theme(
    {
      "&": { color: ink, backgroundColor: paper, border: `1px solid ${edge}`, borderRadius: "8px", fontSize: "13px", minHeight: "300px", maxHeight: "600px" },
      "&.cm-focused": { outline: `2px solid ${dark ? "#42b4ff" : "#006ce0"}`, outlineOffset: "1px" },
      ".cm-scroller": { fontFamily: "Monaco, Menlo, Consolas, 'Courier New', monospace", lineHeight: "20px", minHeight: "300px", overflow: "auto", borderRadius: "8px" },
      ".cm-content": { caretColor: ink },
      ".cm-cursor": { borderLeftColor: ink },
      ".cm-gutters": { backgroundColor: gutter, color: quiet, border: "none" },
      ".cm-activeLine": { backgroundColor: line },
      "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: selection },
      ".cm-panels, .cm-tooltip": { color: ink, backgroundColor: gutter, whiteSpace: "pre-line" },
    },
    { dark },
  );
}
