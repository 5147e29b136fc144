import { Page } from "../parts/Page";

/** One delivery and what came of it. */
export default function DeliveryPage() {
  return <Page title="Delivery">{null}</Page>;
}
