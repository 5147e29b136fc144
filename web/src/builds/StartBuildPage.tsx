import { Page } from "../parts/Page";

/** Starts a build with overrides. */
export default function StartBuildPage() {
  return <Page title="Start build">{null}</Page>;
}
