import { Page } from "../parts/Page";

/** The deliveries kept. */
export default function DeliveriesPage() {
  return <Page title="Webhook deliveries">{null}</Page>;
}
