import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { plain, type Words } from "./words";
import css from "./webhooks.module.css";

/** A state in words with its icon. */
export function Said({ words: [type, text] }: { words: Words }) {
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

/** A stranger's text as code: refs, patterns, paths. A dash for none. */
export function Code({ children }: { children: string | undefined }) {
  if (children === undefined || children === "") return <>–</>;
  return <bdi className={css["code"]}>{plain(children)}</bdi>;
}
