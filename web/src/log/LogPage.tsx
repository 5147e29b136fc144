import { Page } from "../parts/Page";

/** The log of one build, in full. */
export default function LogPage() {
  return <Page title="Build log">{null}</Page>;
}
