import { Page } from "../parts/Page";

/** One credential. */
export default function CredentialPage() {
  return <Page title="Credential">{null}</Page>;
}
