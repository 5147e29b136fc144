import { Page } from "../parts/Page";

/** Connects a source provider with a token. */
export default function ConnectPage() {
  return <Page title="Connect a source provider">{null}</Page>;
}
