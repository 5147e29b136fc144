import { Page } from "../parts/Page";

/** Who is signed in. */
export default function SessionsPage() {
  return <Page title="Sessions">{null}</Page>;
}
