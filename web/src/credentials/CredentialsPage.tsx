import { Page } from "../parts/Page";

/** The credentials held. */
export default function CredentialsPage() {
  return <Page title="Source providers">{null}</Page>;
}
