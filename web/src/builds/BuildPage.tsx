import { Page } from "../parts/Page";

/** One build. */
export default function BuildPage() {
  return <Page title="Build">{null}</Page>;
}
