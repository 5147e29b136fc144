import { Page } from "../parts/Page";

/** The builds. */
export default function BuildsPage() {
  return <Page title="Build history">{null}</Page>;
}
