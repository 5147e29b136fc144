import { Page } from "../parts/Page";

/** What needs attention, and how builds are doing. */
export default function HomePage() {
  return <Page title="Home">{null}</Page>;
}
