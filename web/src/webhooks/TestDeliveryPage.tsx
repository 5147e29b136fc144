import { Page } from "../parts/Page";

/** Tries filters on a payload. */
export default function TestDeliveryPage() {
  return <Page title="Test a payload">{null}</Page>;
}
